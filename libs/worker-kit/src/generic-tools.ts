/** The tools that every worker has: they touch nothing but the attempt's private workspace. */
import type { Tool } from '@cadre/agents';
import { standardTool } from './standard-tool.js';
import type { Workspace } from './workspace.js';

export function genericTools(workspace: Workspace): Tool[] {
  return [
    standardTool('list_files', 'none', async () => ({ files: await workspace.list() })),
    standardTool('read_file', 'none', ({ path, ...wish }) => workspace.readText(path, wish)),
    standardTool('write_file', 'none', ({ path, text }) => workspace.write(path, text)),
  ];
}
