/** Removes what attempts of processes that were killed left behind. */
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Folders of attempts carry host and process, so that those of dead processes can be told and removed. */
export const FOLDER_PREFIX = `cadre-attempt-${hostname().replace(/[^A-Za-z0-9]+/g, '')}-`;

/** @param parent folder that the attempts' folders are made in */
export async function sweepWorkspaces(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names) {
    const pid = name.startsWith(FOLDER_PREFIX) ? Number.parseInt(name.slice(FOLDER_PREFIX.length), 10) : Number.NaN;
    if (pid > 0 && !isAlive(pid)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
