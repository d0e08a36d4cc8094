export { startWorker } from './start-worker.js';
export type { ToolEnvironment, ToolFactory, WorkerOptions } from './worker-options.js';
export { standardTool } from './standard-tool.js';
export { Workspace, WORKSPACE_LIMITS } from './workspace.js';
export type { WorkspaceFile, WorkspaceLimits } from './workspace.js';
export { confinedProcess } from './confined-process.js';
export type { ConfinedOptions, ConfinedResult } from './confined-process.js';
export { mediaTypeOf } from './media-types.js';
