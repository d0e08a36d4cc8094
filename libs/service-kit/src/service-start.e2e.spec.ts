/** The built kit in a process of its own: signals, exit codes, failures. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { jest } from '@jest/globals';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';

/** Processes on a machine that may be slow. */
jest.setTimeout(300_000);

const require = createRequire(join(process.cwd(), 'package.json'));
const kit = join(process.cwd(), 'libs/service-kit/dist/index.js');
const common = join(dirname(require.resolve('@nestjs/common/package.json')), 'index.js');

const PROGRAM = `
import { startService, BaseConfig } from '${kit}';
import { Module } from '${common}';
class Duty { async beforeApplicationShutdown() { if (process.env.STUCK) await new Promise(() => {}); } }
class App {}
Module({ providers: [Duty] })(App);
await startService({ name: 'empty', schema: BaseConfig, module: (context) => {
  if (process.env.SPAN) void context.tracing.span('work', process.env.SPAN, { kind: 'test' }, async () => 1);
  if (process.env.THROW) setTimeout(() => { throw new Error('boom'); }, 200);
  if (process.env.REJECT) setTimeout(() => Promise.reject(new Error('boom')), 200);
  if (process.env.FAIL) setTimeout(() => context.fail(new Error('boom')), 200);
  return App;
} });
`;

let server: RunningNatsServer;
let folder: string;

beforeAll(async () => {
  server = await startNatsServer();
  folder = await mkdtemp(join(tmpdir(), 'cadre-kit-'));
  await writeFile(join(folder, 'program.mjs'), PROGRAM);
});
afterAll(() => server.stop());

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function run(env: NodeJS.ProcessEnv): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [join(folder, 'program.mjs')], { env: { ...process.env, NATS_URL: server.url, ...env } });
  let [out, err] = ['', ''];
  child.stdout?.on('data', (data) => (out += String(data)));
  child.stderr?.on('data', (data) => (err += String(data)));
  return { child, ended: new Promise((resolve) => child.on('exit', (code) => resolve({ code, out, err }))) };
}

async function whenReady(env: NodeJS.ProcessEnv) {
  const file = join(folder, `ready-${Math.random()}.json`);
  const started = run({ CADRE_READY_FILE: file, ...env });
  for (let i = 0; i < 200; i += 1) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text) return { ...started, ready: JSON.parse(text) as { url: string; pid: number } };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the service did not become ready');
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it gracefully with code 0', async (signal) => {
  const { child, ended, ready } = await whenReady({});
  expect(ready.pid).toBe(child.pid);
  expect((await fetch(`${ready.url}/livez`)).status).toBe(200);
  child.kill(signal);
  const { code, out } = await ended;
  expect(code).toBe(0);
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; url?: string });
  expect(lines.map((line) => line.msg)).toEqual([`empty listens on ${ready.url}`, 'asked to stop', 'stopped']);
});

test('a stop that hangs is cut short', async () => {
  const { child, ended } = await whenReady({ STUCK: '1', SHUTDOWN_MS: '300' });
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 1, out: expect.stringContaining('took too long') });
});

test.each(['THROW', 'REJECT', 'FAIL'])('after an unexpected error (%s) it ends with code 1 and a log line', async (kind) => {
  const { ended } = run({ [kind]: '1' });
  expect(await ended).toMatchObject({ code: 1, out: expect.stringContaining('boom') });
});

test('wrong settings end it with code 78 and every fault on stderr', async () => {
  const { code, err } = await run({ HTTP_PORT: 'x', CADRE_SHARDS: '0' }).ended;
  expect(code).toBe(78);
  expect(err).toContain('HTTP_PORT (is "x")');
  expect(err).toContain('CADRE_SHARDS (is "0")');
});

test('without NATS it ends with code 1 and says what to do', async () => {
  const { code, err } = await run({ NATS_URL: 'nats://127.0.0.1:1', NATS_WAIT_MS: '0' }).ended;
  expect(code).toBe(1);
  expect(err).toMatch(/no nats-server answers at nats:\/\/127.0.0.1:1[^]*To do: start one there/);
});

test('with a collector given, spans are exported under the trace they belong to', async () => {
  const bodies: Buffer[] = [];
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(Buffer.concat([Buffer.from(`${request.method} ${request.url} `), ...chunks]));
      response.end();
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const { child, ended } = await whenReady({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, SPAN: `00-${traceId}-00f067aa0ba902b7-01` });
  child.kill('SIGTERM');
  expect((await ended).code).toBe(0);
  collector.close();
  expect(bodies.map((body) => body.subarray(0, 15).toString())).toEqual(['POST /v1/traces']);
  expect(bodies[0]?.includes(Buffer.from(traceId, 'hex'))).toBe(true);
});
