/** The folder in which a local system keeps its data: one system at a time, and a reset that removes nothing but its own. */
import { access, constants, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CadreError } from '@cadre/contracts';

interface Lock {
  pid: number;
  /** Tells the process from a later one with the same number; missing where the system does not say. */
  birth?: string;
  url: string;
}

const OWN_FOLDERS = ['nats', 'history', 'logs', 'run', 'work'];

export class DataFolder {
  private constructor(
    readonly path: string,
    /** The system that used it before was not stopped in good order. */
    readonly wasAbandoned: boolean,
  ) {}

  /**
   * Takes the folder for this process, creating it when needed.
   * @param url address of the gateway that will run on it, for the message that a second one gets
   * @throws CadreError `already-running`, `data-folder-unusable`
   */
  static async take(path: string, url: string): Promise<DataFolder> {
    const lockFile = join(path, 'lock.json');
    try {
      await mkdir(path, { recursive: true });
      const held = await readLock(lockFile);
      if (held !== undefined && (await isAlive(held))) throw alreadyRunning(path, held);
      if (held !== undefined) await rename(lockFile, `${lockFile}.${process.pid}.old`);
      await writeLock(lockFile, url);
      await rm(`${lockFile}.${process.pid}.old`, { force: true });
      return new DataFolder(path, held !== undefined);
    } catch (error) {
      if ((error as CadreError).name === 'CadreError') throw error;
      throw new CadreError('data-folder-unusable', `The data folder ${path} cannot be used: ${(error as Error).message}`, {
        remedy: 'Make it writable, or choose another with --data.',
        cause: error,
      });
    }
  }

  /** Removes all data of earlier runs. */
  async reset(): Promise<void> {
    for (const name of OWN_FOLDERS) await rm(join(this.path, name), { recursive: true, force: true });
  }

  async release(): Promise<void> {
    await rm(join(this.path, 'lock.json'), { force: true });
  }
}

async function readLock(path: string): Promise<Lock | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Lock;
  } catch {
    return { pid: 0, url: '' };
  }
}

async function writeLock(path: string, url: string): Promise<void> {
  const birth = await birthOf(process.pid);
  const lock: Lock = { pid: process.pid, ...(birth === undefined ? {} : { birth }), url };
  try {
    const file = await open(path, 'wx');
    await file.writeFile(JSON.stringify(lock));
    await file.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw alreadyRunning(path, { pid: 0, url: '' });
  }
}

async function isAlive({ pid, birth }: Lock): Promise<boolean> {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = await birthOf(pid);
  return now !== 'gone' && (birth === undefined || now === undefined || now === birth);
}

/** Start time of a process in the kernel's own count (Linux); `gone` when it has ended and only waits to be collected. */
async function birthOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' ? 'gone' : fields?.[19];
}

function alreadyRunning(path: string, { pid, url }: Lock): CadreError {
  const where = url === '' ? '' : `, at ${url}`;
  return new CadreError('already-running', `Cadre already runs on the data folder ${path}${pid > 0 ? ` (process ${pid}${where})` : ''}.`, {
    remedy: 'Use that one, stop it with Ctrl-C, or start another with --data and --port.',
  });
}

/** Whether files can be written there, or the folder could be made; nothing is changed. */
export async function isWritable(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return false;
    await access(path, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false;
    return dirname(path) !== path && (await isWritable(dirname(path)));
  }
}
