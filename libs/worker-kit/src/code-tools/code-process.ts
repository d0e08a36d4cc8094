/**
 * The program that does the code tools' work, one request per process: `code-process '<request as JSON>'`. It prints
 * `{"ok": result}` or `{"fault": {code, message}}`. The compiler runs here and not in the worker, because types can be written that
 * keep it busy without end.
 */
import { describeApi } from './describe-api.js';
import { staticChecks } from './static-checks.js';
import { checkTypes } from './type-check.js';

export interface CodeRequest {
  operation: 'check_types' | 'describe_api' | 'static_checks';
  /** Real path of the workspace. */
  root: string;
  /** Workspace paths. */
  files: string[];
}

const OPERATIONS = { check_types: checkTypes, describe_api: describeApi, static_checks: staticChecks };

function answer({ operation, root, files }: CodeRequest): { ok: unknown } | { fault: object } {
  try {
    return { ok: OPERATIONS[operation](root, files) };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { fault: { code: 'compiler-failed', message: `The compiler failed on these files: ${reason}` } };
  }
}

process.stdout.write(JSON.stringify(answer(JSON.parse(process.argv[2] ?? '') as CodeRequest)));
