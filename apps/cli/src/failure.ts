/** Turns errors into a few lines for people and an exit code. Stack traces only with CADRE_DEBUG=1. */
import { CadreError } from '@cadre/contracts';
import { CadreApiError } from '@cadre/sdk';
import { EXIT } from './exit-codes.js';
import type { Terminal } from './terminal.js';
import { painter } from './terminal.js';

/** A mistake in what the user typed. */
export class UsageError extends CadreError {
  constructor(message: string, remedy?: string) {
    super('usage', message, remedy === undefined ? {} : { remedy });
    this.name = 'UsageError';
  }
}

const UNREACHABLE = new Set(['gateway-unreachable', 'bad-answer']);
/** A file that the user named is not as it should be. */
const BAD_FILE = new Set(['models-file-invalid', 'models-file-missing']);

export function exitCodeOf(error: unknown): number {
  if (error instanceof CadreApiError) return error.status >= 500 || error.status === 429 ? EXIT.unreachable : EXIT.usage;
  if (error instanceof UsageError || BAD_FILE.has((error as { code?: string }).code ?? '')) return EXIT.usage;
  return UNREACHABLE.has((error as { code?: string }).code ?? '') ? EXIT.unreachable : EXIT.failed;
}

/** Writes what went wrong and what to do. */
export function reportFailure(error: unknown, terminal: Terminal): void {
  const paint = painter(terminal.errIsTty, terminal.env);
  const { message, code, remedy, stack } = error as CadreError;
  const known = typeof code === 'string';
  terminal.err(`${paint('red', 'cadre:')} ${known ? message : `unexpected error: ${message ?? String(error)}`}`);
  if (error instanceof CadreApiError) {
    for (const fault of error.errors) {
      const line = fault.path === '' ? fault.message : `${fault.path}: ${fault.message}`;
      if (!message.includes(line)) terminal.err(`  - ${line}`);
    }
  }
  const advice = adviceFor(code, remedy, known);
  if (advice !== undefined) terminal.err(`  To do: ${advice}`);
  if (terminal.env['CADRE_DEBUG'] === '1') terminal.err(stack ?? String(error));
}

function adviceFor(code: string, remedy: string | undefined, known: boolean): string | undefined {
  if (code === 'gateway-unreachable')
    return 'Start Cadre with `cadre dev`, or set CADRE_URL (or --url) to where it runs. `cadre doctor` finds out more.';
  return remedy ?? (known ? undefined : 'Run it again with CADRE_DEBUG=1 for the details, and report it.');
}

/** Why a file could not be read, in words. */
export function reasonOf(error: NodeJS.ErrnoException): string {
  const words: Record<string, string> = { ENOENT: 'there is no such file', EACCES: 'it may not be read', EISDIR: 'it is a folder' };
  return words[error.code ?? ''] ?? error.message;
}
