/** A built service as a process of its own, for end-to-end tests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ServiceProcess {
  child: ChildProcess;
  url: string;
  exited: Promise<number | null>;
}

/**
 * Starts `dist/<app>/main.js` of this workspace and waits, 15 s at most, until it is ready.
 * @param env settings beside those of this process
 */
export async function startProcess(app: string, env: Record<string, string>): Promise<ServiceProcess> {
  const main = join(process.cwd(), 'dist', app, 'main.js');
  const file = join(tmpdir(), `cadre-ready-${randomUUID()}.json`);
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, LOG_LEVEL: 'warn', ...env, CADRE_READY_FILE: file },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  for (let tries = 0; tries < 300 && child.exitCode === null; tries += 1) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text !== '') {
      await rm(file);
      return { child, url: (JSON.parse(text) as { url: string }).url, exited };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`${main} did not become ready; is it built?`);
}
