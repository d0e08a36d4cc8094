/** Tools on TypeScript code that several workers grant: `check_types`, `describe_api`, `static_checks`. */
import { statSync } from 'node:fs';
import type { Tool } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import type { ToolResult } from '@cadre/contracts';
import { standardTool } from '../standard-tool.js';
import type { Workspace } from '../workspace.js';
import type { CodeRequest } from './code-process.js';
import { confinedModule } from './confined-module.js';

/** Of the confined process that runs the compiler. */
export interface CodeToolLimits {
  timeMs: number;
  memoryMb: number;
}

const LIMITS: CodeToolLimits = { timeMs: 30_000, memoryMb: 1024 };
const CODE_FILE = /\.(ts|mts)$/;

/** The three tools on one attempt's workspace. */
export function codeTools(workspace: Workspace, limits: CodeToolLimits = LIMITS): Tool[] {
  const ask = <N extends CodeRequest['operation']>(operation: N, files: string[], signal: AbortSignal): Promise<ToolResult<N>> => {
    const request: CodeRequest = { operation, root: workspace.root, files: codeFiles(workspace, files) };
    const module = new URL('./code-process.js', import.meta.url);
    return confinedModule({ module, request, cwd: workspace.scratch, ...limits, signal, what: 'The compiler' });
  };
  return [
    standardTool('check_types', 'none', ({ files }, { signal }) => ask('check_types', files, signal)),
    standardTool('describe_api', 'none', ({ files }, { signal }) => ask('describe_api', files, signal)),
    standardTool('static_checks', 'none', ({ files }, { signal }) => ask('static_checks', files, signal)),
  ];
}

/** The files, each once. Errors: `path-refused`, `file-missing`, `not-a-code-file`. */
export function codeFiles(workspace: Workspace, files: string[]): string[] {
  for (const file of files) {
    const stat = statSync(workspace.resolve(file), { throwIfNoEntry: false });
    if (!stat?.isFile()) {
      throw new CadreError('file-missing', `There is no file ${file} in the workspace.`, { remedy: 'list_files shows what is there.' });
    }
    if (!CODE_FILE.test(file)) throw new CadreError('not-a-code-file', `${file} is no TypeScript file.`, { remedy: 'Name .ts files.' });
  }
  return [...new Set(files)];
}
