/**
 * One process per PGlite folder: two would destroy it. The lock is a file that names its holder; one left behind by a process that is gone
 * (or whose number was given to another process since) is taken over.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CadreError } from '@cadre/contracts';

export interface FolderLock {
  release(): void;
}

/** Error `history-in-use` (retriable) when a live process holds the folder. */
export function lockFolder(folder: string): FolderLock {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'lock');
  const mine = identity(process.pid);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (place(path, mine)) return { release: () => read(path) === mine && rmSync(path, { force: true }) };
    const holder = read(path);
    if (holder !== undefined && isAlive(holder)) throw inUse(folder, holder);
    if (holder !== undefined) setAside(path, holder);
  }
  throw inUse(folder, read(path) ?? 'unknown');
}

/** Written aside and linked into place, so that nobody reads half a lock. */
function place(path: string, content: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a dead holder's lock away; when another process has just placed its own, that one is put back. */
function setAside(path: string, holder: string): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (read(aside) !== holder) linkSync(aside, path);
  rmSync(aside, { force: true });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Process number and, where /proc tells it, when that process started. */
function identity(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces; the start time is the 20th field after it.
  const startedAt = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return `${pid} ${startedAt}`;
}

function isAlive(holder: string): boolean {
  const pid = Number(holder.split(' ')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return identity(pid) === holder;
}

function inUse(folder: string, holder: string): CadreError {
  return new CadreError('history-in-use', `the history folder ${folder} is in use by process ${holder.split(' ')[0] ?? '?'}`, {
    retriable: true,
    remedy: 'stop that process, choose another folder, or set DATABASE_URL to a PostgreSQL that several processes can share',
  });
}
