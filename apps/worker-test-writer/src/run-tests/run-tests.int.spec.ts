/** Test runs as the agent sees them: right counts, and everything hostile contained, with and without namespaces. */
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TOOLS } from '@cadre/contracts';
import type { ToolResult } from '@cadre/contracts';
import { Workspace } from '@cadre/worker-kit';
import { testTools } from '../test-tools.js';
import { namespaceFence } from './fences.js';
import { TEST_LIMITS } from './run-tests.js';
import type { TestLimits } from './run-tests.js';

const HEAD = `import test, { describe } from 'node:test';\nimport assert from 'node:assert/strict';\n`;

let workspace: Workspace;
beforeEach(async () => {
  workspace = await Workspace.create(join(tmpdir(), 'cadre-test-specs'));
});
afterEach(() => workspace.remove());

async function run(
  files: Record<string, string>,
  limits: Partial<TestLimits> = {},
  signal = new AbortController().signal,
): Promise<ToolResult<'run_tests'>> {
  for (const [path, text] of Object.entries(files)) await workspace.write(path, text);
  const asked = Object.keys(files).filter((path) => path.startsWith('test/'));
  const tools = testTools({ ...TEST_LIMITS, timeMs: 10_000, ...limits })(workspace, {} as never);
  const tool = tools.find((one) => one.name === 'run_tests')!;
  const result = await tool.run(TOOLS.run_tests.args.parse({ files: asked }), { signal, key: 'spec' });
  expect(readdirSync(workspace.scratch)).toEqual([]);
  return TOOLS.run_tests.result.parse(result);
}

describe('counts', () => {
  test('a sound suite passes', async () => {
    const result = await run({
      'src/sum.ts': 'export const sum = (a: number, b: number): number => a + b;\n',
      'test/sum.test.ts': `${HEAD}import { sum } from '../src/sum.ts';
test('adds', () => assert.equal(sum(1, 2), 3));
describe('more', () => { test('adds zero', () => assert.equal(sum(1, 0), 1)); test.skip('later', () => {}); });
test.todo('some day');\nconsole.log('hello from the tests');\n`,
      'test/other.test.ts': `${HEAD}test('waits', async () => { await new Promise((done) => setTimeout(done, 20)); });\n`,
    });
    expect(result).toMatchObject({ ok: true, passed: 3, failed: 0, skipped: 2, failures: [], output: 'hello from the tests' });
  });

  test('failures are counted and told with their place', async () => {
    const result = await run({
      'src/sum.ts': 'export const sum = (a: number, b: number): number => a - b;\n',
      'test/sum.test.ts': `${HEAD}import { sum } from '../src/sum.ts';
test('adds', () => assert.equal(sum(1, 2), 3));
describe('group', () => { test('inner', () => { throw new Error('boom'); }); test('fine', () => {}); });
test('odd', () => { throw 'a text'; });
test('never ends', { timeout: 100 }, () => new Promise(() => {}));
describe('hooks', () => { test.beforeEach(() => { throw new Error('hook'); }); test('x', () => {}); });\n`,
    });
    expect(result).toMatchObject({ ok: false, passed: 1, failed: 5, skipped: 0 });
    expect(result.failures.map(({ name }) => name)).toEqual(['adds', 'group > inner', 'odd', 'never ends', 'hooks > x']);
    expect(result.failures[0]!.message).toMatch(/-1 !== 3[\s\S]*test\/sum\.test\.ts:4/);
    expect(result.failures[1]!.message).toMatch(/^boom\nat .*test\/sum\.test\.ts:5/);
    expect(JSON.stringify(result)).not.toContain(workspace.root);
  });

  test.each([
    ['a syntax error', 'const x = (;', /Expression expected/],
    ['syntax that types cannot be stripped from', 'enum A { B }', /enum is not supported/],
    ['an error outside of the tests', "test('fine', () => {});\nthrow new Error('outside');", /outside/],
    ['a missing import', "import '../src/none.ts';\ntest('x', () => {});", /none\.ts/],
    ['an early exit', "test('first', () => {});\ntest('exits', () => { process.exit(0); });", /ended before the tests did \(exit code 0\)/],
    ['an unhandled rejection', "test('x', () => {});\nPromise.reject(new Error('unhandled'));", /unhandled/],
    ['an error after its test', "test('x', () => { setTimeout(() => { throw new Error('late'); }, 5); });", /late/],
    ['no tests', 'export {};', /ended before|holds no tests/],
  ])('%s is a failure', async (_, code, message) => {
    const result = await run({ 'test/a.test.ts': `${HEAD}${code}\n`, 'test/b.test.ts': `${HEAD}test('b', () => {});\n` });
    expect(result.ok).toBe(false);
    expect(result.failed).toBe(1);
    expect(result.failures).toHaveLength(1);
    expect(`${result.failures[0]!.name}: ${result.failures[0]!.message}`).toMatch(message);
  });

  test('files that are not there, or no code, are refused', async () => {
    await expect(run({ 'test/a.md': 'x' })).rejects.toMatchObject({ code: 'not-a-code-file' });
    const tool = testTools()(workspace, {} as never).find((one) => one.name === 'run_tests')!;
    const context = { signal: new AbortController().signal, key: 'spec' };
    await expect(tool.run({ files: ['test/none.test.ts'] }, context)).rejects.toMatchObject({ code: 'file-missing' });
    await expect(tool.run({ files: ['../x.test.ts'] }, context)).rejects.toMatchObject({ code: 'path-refused' });
  });
});

describe('limits', () => {
  test.each([
    ['time', "test('spins', () => { for (;;); });"],
    ['time', "test('leaves a timer', () => { setInterval(() => {}, 1000); });"],
    ['time', "test('waits', () => new Promise((done) => setTimeout(done, 60_000)));"],
    ['memory', "test('eats', () => { const all = []; for (;;) all.push(Buffer.alloc(10_000_000, 1)); });"],
    ['memory', "test('eats heap', () => { const all = []; for (;;) all.push(new Array(1000).fill(Math.random())); });"],
    ['output', "test('talks', () => { for (;;) console.log('x'.repeat(1000)); });"],
    ['output', "test('talks without console', () => { for (;;) process.stderr.write('y'.repeat(100_000)); });"],
  ])('%s: %s', async (stopped, code) => {
    const before = performance.now();
    const result = await run(
      { 'test/a.test.ts': `${HEAD}${code}\n`, 'test/b.test.ts': `${HEAD}test('b', () => {});\n` },
      { timeMs: stopped === 'time' ? 2000 : 10_000, memoryMb: 200 },
    );
    // What is printed in a loop without a pause also piles up in memory; on a busy machine that may be seen first.
    expect(stopped === 'output' ? ['output', 'memory'] : [stopped]).toContain(result.stopped);
    expect(result.ok).toBe(false);
    expect(result.failures.map(({ name }) => name)).toContain('test/a.test.ts');
    expect(result.output.length).toBeLessThanOrEqual(8001);
    expect(performance.now() - before).toBeLessThan(30_000);
  });

  test('an aborted run ends at once', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 500);
    const before = performance.now();
    await expect(run({ 'test/a.test.ts': `${HEAD}test('spins', () => { for (;;); });` }, {}, abort.signal)).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(performance.now() - before).toBeLessThan(30_000);
  });
});

describe.each([
  ['with namespaces', undefined],
  ['without namespaces', 'none' as const],
])('%s', (_, namespaces) => {
  let server: Server;
  let connections = 0;
  beforeAll(async () => {
    server = createServer((socket) => {
      connections += 1;
      socket.end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterAll(() => server.close());

  /** Each body must throw or reject; what does not is told. */
  const attempts = (port: number, pid: number): Record<string, string> => ({
    'net import': `const net = await import('node:net'); await new Promise((done, fail) => net.connect(${port}, '127.0.0.1').on('connect', done).on('error', fail));`,
    'net import, no prefix': `const net = await import('net'); await new Promise((done, fail) => net.connect(${port}, '127.0.0.1').on('connect', done).on('error', fail));`,
    'built-in module': `const net = process.getBuiltinModule('net'); await new Promise((done, fail) => net.connect(${port}, '127.0.0.1').on('connect', done).on('error', fail));`,
    binding: `process.binding('tcp_wrap');`,
    fetch: `await fetch('http://127.0.0.1:${port}');`,
    websocket: `const socket = new WebSocket('ws://127.0.0.1:${port}'); await new Promise((done, fail) => { socket.onopen = done; socket.onclose = fail; });`,
    http: `await import('node:http');`,
    dgram: `const socket = (await import('node:dgram')).createSocket('udp4'); await new Promise((done, fail) => socket.send('x', ${port}, '127.0.0.1', (e) => (e ? fail(e) : done(1))));`,
    dns: `await (await import('node:dns/promises')).lookup('localhost');`,
    module: `await import('node:module');`,
    fork: `(await import('node:child_process')).execSync('id');`,
    thread: `new (await import('node:worker_threads')).Worker('1', { eval: true });`,
    cluster: `(await import('node:cluster')).default.fork();`,
    signal: `process.kill(${pid}, 0);`,
    inspector: `(await import('node:inspector')).open(0);`,
    sqlite: `new (await import('node:sqlite')).DatabaseSync('${join(tmpdir(), 'cadre-escape.db')}').exec('CREATE TABLE a (b)');`,
    addon: `process.dlopen({ exports: {} }, '/x.node');`,
    'read outside': `(await import('node:fs')).readFileSync('/etc/passwd');`,
    'read scratch of another': `(await import('node:fs')).readdirSync('${tmpdir()}');`,
    'read environment': `(await import('node:fs')).readFileSync('/proc/' + process.ppid + '/environ');`,
    'write outside': `(await import('node:fs')).writeFileSync('${join(tmpdir(), 'cadre-escape.txt')}', 'x');`,
    'write workspace': `(await import('node:fs')).writeFileSync('src/new.ts', 'x');`,
    'link outside': `const fs = await import('node:fs'); fs.symlinkSync('/etc/passwd', process.env.TMPDIR + '/link'); fs.readFileSync(process.env.TMPDIR + '/link');`,
    'import outside': `await import('/etc/passwd');`,
    'import of data': `await import('data:text/javascript,import "node:net"');`,
    'other process': `process._debugProcess(${pid});`,
  });

  test('nothing outside is reached', async () => {
    const { port } = server.address() as AddressInfo;
    const bodies = attempts(port, process.pid);
    const code = Object.entries(bodies).map(([name, body]) => `test(${JSON.stringify(name)}, async () => { ${body} });`);
    const result = await run(
      { 'src/old.ts': 'export {};', 'test/a.test.ts': `${HEAD}${code.join('\n')}\n` },
      { ...(namespaces && { namespaces }) },
    );
    const failed = result.failures.map(({ name }) => name);
    expect(Object.keys(bodies).filter((name) => !failed.includes(name))).toEqual([]);
    expect(connections).toBe(0);
    for (const file of ['cadre-escape.db', 'cadre-escape.txt']) expect(existsSync(join(tmpdir(), file))).toBe(false);
    expect((await workspace.list()).map((file) => file.path)).toEqual(['src/old.ts', 'test/a.test.ts']);
  });

  test('the environment of the worker is not seen, and a temporary folder can be used', async () => {
    process.env['OPENAI_API_KEY'] = 'secret';
    const result = await run(
      {
        'test/a.test.ts': `${HEAD}import fs from 'node:fs'; import os from 'node:os';
test('env', () => assert.deepEqual(Object.keys(process.env).filter((key) => /KEY|NATS|OPENAI/.test(key)), []));
test('tmp', () => { const path = os.tmpdir() + '/x'; fs.writeFileSync(path, 'y'); assert.equal(fs.readFileSync(path, 'utf8'), 'y'); });\n`,
      },
      { ...(namespaces && { namespaces }) },
    );
    delete process.env['OPENAI_API_KEY'];
    expect(result).toMatchObject({ ok: true, passed: 2 });
  });
});

test('this system has namespaces, or none', async () => expect([0, 7]).toContain((await namespaceFence()).length));
