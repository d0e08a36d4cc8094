import { spawn } from 'node:child_process';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findNatsServer } from './find-nats-server.js';
import { jetStreamAnswers } from './readiness.js';
import { startNatsServer } from './start-nats-server.js';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** A process that has ended but was not collected yet counts as gone. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat !== undefined && !/\) Z /.test(stat);
}

async function until(condition: () => Promise<boolean>, ms: number): Promise<boolean> {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    if (await condition()) return true;
    await sleep(50);
  }
  return false;
}

describe('startNatsServer', () => {
  test('starts on a free port with JetStream, stops, and leaves neither process nor temporary data', async () => {
    const server = await startNatsServer();
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    expect(await jetStreamAnswers(server.host, server.port)).toBe(true);
    expect(await exists(join(server.dataDir, 'jetstream'))).toBe(true);
    await server.stop();
    await server.stop();
    expect(await isRunning(server.pid)).toBe(false);
    expect(await exists(dirname(server.dataDir))).toBe(false);
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test('keeps a data folder that it was given, and starts on it again after a crash', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'nats-spec-'));
    try {
      const first = await startNatsServer({ dataDir });
      await first.kill();
      expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
      const second = await startNatsServer({ dataDir, port: first.port });
      expect(second.port).toBe(first.port);
      await second.stop();
      await first.stop();
      expect(await exists(join(dataDir, 'jetstream'))).toBe(true);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  test('says which port is taken, also when the server logs to a file', async () => {
    const server = await startNatsServer();
    const logFile = join(dirname(server.dataDir), 'server.log');
    try {
      await expect(startNatsServer({ port: server.port })).rejects.toMatchObject({ code: 'port-taken' });
      await expect(startNatsServer({ port: server.port, logFile })).rejects.toMatchObject({ code: 'port-taken' });
    } finally {
      await server.stop();
    }
  });

  test('reports a binary that cannot be started', async () => {
    await expect(startNatsServer({ binary: '/nonexistent/nats-server' })).rejects.toMatchObject({ code: 'nats-server-failed' });
  });

  test('the server ends when its parent is killed, and takes its temporary data along', async () => {
    const { path } = await findNatsServer();
    // The parent is a plain process that starts the server with the built library's sources, compiled by Node's type stripping.
    const script = `
      const { startWatchdog } = await import(${JSON.stringify(join(import.meta.dirname, 'watchdog.ts'))});
      const { spawn } = await import('node:child_process');
      const { mkdtempSync, writeFileSync } = await import('node:fs');
      const scratch = mkdtempSync(${JSON.stringify(join(tmpdir(), 'nats-spec-'))});
      const dog = startWatchdog(scratch);
      const child = spawn(${JSON.stringify(path)}, ['-a', '127.0.0.1', '-p', '-1', '-js', '-sd', scratch], { stdio: 'ignore', detached: true });
      dog.guard(child.pid);
      console.log(JSON.stringify({ pid: child.pid, scratch }));
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const line = await new Promise<string>((resolve) => parent.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    const { pid, scratch } = JSON.parse(line) as { pid: number; scratch: string };
    await sleep(200);
    expect(await isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    expect(await until(async () => !(await isRunning(pid)), 5000)).toBe(true);
    expect(await until(async () => !(await exists(scratch)), 8000)).toBe(true);
  });
});
