/** The workspace of one attempt with what was put into it, and its record. */
import type { FileRecord, Work } from '@cadre/agents';
import type { Blobs } from '@cadre/engine';
import type { KeepFile } from '@cadre/mcp';
import { Workspace } from './workspace.js';

/** Makes the attempt's private folder and fills it; it is removed when the attempt has ended. Errors: those of `Workspace.materialise`. */
export async function openWorkspace(work: Work, parent: string, blobs: Blobs): Promise<Workspace> {
  const { assignment, signal } = work;
  const workspace = await Workspace.create(parent);
  work.onClose(() => workspace.remove());
  await workspace.materialise(assignment.inputs, assignment.results, blobs, signal);
  return workspace;
}

/** Files that come with answers of tools from elsewhere have a folder of their own. */
export function keepIn(workspace: Workspace): KeepFile {
  return async (name, bytes) => (await workspace.write(`mcp/${name}`, bytes)).path;
}

export function fileRecord(workspace: Workspace, blobs: Blobs): FileRecord {
  return { changed: () => workspace.storeChanged(blobs), restore: (files) => workspace.restore(files, blobs) };
}
