/** Tells a supervisor where a service listens that chose its port itself. */
import { rename, writeFile } from 'node:fs/promises';

/** Whole or not at all: a reader never sees half a file. */
export async function writeReadyFile(path: string, url: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, JSON.stringify({ url, pid: process.pid }));
  await rename(draft, path);
}
