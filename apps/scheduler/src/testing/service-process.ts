/** The built scheduler as a process. */
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

const MAIN = join(process.cwd(), 'apps/scheduler/dist/main.js');

export async function startProcess(env: Record<string, string>): Promise<ServiceProcess> {
  const file = join(tmpdir(), `cadre-ready-${randomUUID()}.json`);
  const child = spawn(process.execPath, [MAIN], {
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
  throw new Error(`${MAIN} did not become ready; is it built?`);
}
