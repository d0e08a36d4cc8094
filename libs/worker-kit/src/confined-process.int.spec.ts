import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { transformFileSync } from '@swc/core';
import { confinedProcess } from './confined-process.js';
import type { ConfinedOptions } from './confined-process.js';

const onLinux = existsSync('/proc/self/stat') ? test : test.skip;

let cwd: string;
beforeEach(() => (cwd = mkdtempSync(join(tmpdir(), 'confined-spec-'))));
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (script: string, over: Partial<ConfinedOptions> = {}) =>
  confinedProcess({
    command: process.execPath,
    args: ['-e', script],
    cwd,
    timeMs: 10_000,
    memoryMb: 256,
    outputBytes: 100_000,
    signal: new AbortController().signal,
    ...over,
  });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
async function gone(pid: number): Promise<boolean> {
  for (let i = 0; i < 200 && isAlive(pid); i += 1) await sleep(50);
  return !isAlive(pid);
}
/** A program that starts two that never end, one of them in a session of its own, and tells their pids. */
const litter = `
const { spawn } = require('node:child_process');
const options = { stdio: 'ignore' };
const near = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], options);
const far = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { ...options, detached: true });
require('node:fs').writeFileSync('pids', near.pid + ' ' + far.pid);
`;
const pids = () => readFileSync(join(cwd, 'pids'), 'utf8').split(' ').map(Number);

test('gives code and both outputs', async () => {
  expect(await run('console.log("out"); console.error("err"); process.exit(3)')).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
});

test('the child sees no variable of ours', async () => {
  process.env['CADRE_SPEC_SECRET'] = 'x';
  const { stdout } = await run('console.log(JSON.stringify(process.env))', { env: { EXTRA: 'e' } });
  delete process.env['CADRE_SPEC_SECRET'];
  const { NODE_OPTIONS, ...rest } = JSON.parse(stdout) as Record<string, string>;
  expect(Object.keys(rest).sort()).toEqual(['EXTRA', 'HOME', 'LANG', 'PATH']);
  expect(rest['HOME']).toBe(cwd);
  expect(NODE_OPTIONS).toContain('--max-old-space-size=256');
});

test('time', async () => {
  const started = Date.now();
  expect(await run('for (;;) {}', { timeMs: 300 })).toMatchObject({ code: null, stopped: 'time' });
  expect(Date.now() - started).toBeLessThan(15_000);
});

test('output, cut at the limit', async () => {
  const result = await run('for (;;) console.log("x".repeat(1000))', { outputBytes: 5000 });
  expect(result.stopped).toBe('output');
  expect(result.stdout.length + result.stderr.length).toBe(5000);
});

onLinux('memory outside the heap', async () => {
  const result = await run('const held = []; setInterval(() => held.push(Buffer.alloc(8e6, 1)), 5)', { memoryMb: 200 });
  expect(result).toMatchObject({ stopped: 'memory' });
});

test('memory within the heap', async () => {
  const result = await run('const held = []; for (;;) held.push(new Array(1000).fill({}).map(() => ({ a: Math.random() })))', {
    memoryMb: 120,
  });
  expect(result.stopped).toBe('memory');
});

onLinux('memory of the whole family counts', async () => {
  const child = 'const held = Buffer.alloc(90e6, 1); setInterval(() => held[0]++, 50)';
  const script = `for (let i = 0; i < 3; i++) require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}]); setInterval(() => {}, 1000)`;
  expect(await run(script, { memoryMb: 300 })).toMatchObject({ stopped: 'memory' });
});

onLinux('nothing that it started survives its time', async () => {
  expect(await run(`${litter} setInterval(() => {}, 1000)`, { timeMs: 1000 })).toMatchObject({ stopped: 'time' });
  for (const pid of pids()) expect(await gone(pid)).toBe(true);
});

onLinux('what it left in its session does not survive its end', async () => {
  const result = await run(`${litter} near.unref(); far.unref(); setTimeout(() => process.exit(0), 1500)`);
  expect(result).toMatchObject({ code: 0 });
  for (const pid of pids()) expect(await gone(pid)).toBe(true);
});

test('a stray that keeps the pipes open does not hold us', async () => {
  const started = Date.now();
  const script = `require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20000)'], { stdio: 'inherit' }); setTimeout(() => process.exit(0), 50)`;
  expect(await run(script)).toMatchObject({ code: 0 });
  expect(Date.now() - started).toBeLessThan(15_000);
});

test('an abort ends it and is told as such', async () => {
  const controller = new AbortController();
  const running = run('setInterval(() => {}, 1000)', { signal: controller.signal });
  setTimeout(() => controller.abort(), 200);
  await expect(running).rejects.toMatchObject({ code: 'aborted' });
  await expect(run('1', { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
});

test('a program that does not exist', async () => {
  await expect(run('', { command: 'no-such-program-here' })).rejects.toMatchObject({ code: 'process-not-started' });
});

/** The sources as plain modules in a folder of their own, so that another process can run them without a build. */
function compileSources(): string {
  const folder = join(cwd, 'compiled');
  const contracts = join(folder, 'node_modules/@cadre/contracts');
  mkdirSync(contracts, { recursive: true });
  writeFileSync(join(contracts, 'package.json'), '{"type":"module","exports":"./errors.js"}');
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const compile = (source: string, target: string) => {
    const options = { jsc: { parser: { syntax: 'typescript' as const }, target: 'es2023' as const } };
    writeFileSync(target, transformFileSync(join(import.meta.dirname, source), options).code);
  };
  for (const name of ['confined-process', 'process-family']) compile(`${name}.ts`, join(folder, `${name}.js`));
  compile('../../contracts/src/errors.ts', join(contracts, 'errors.js'));
  return pathToFileURL(join(folder, 'confined-process.js')).href;
}

onLinux('a runaway program does not outlive a killed worker', async () => {
  const worker = `
    const { confinedProcess } = await import(${JSON.stringify(compileSources())});
    await confinedProcess({ command: process.execPath, args: ['-e', 'require("node:fs").writeFileSync("pids", String(process.pid)); for (;;) {}'],
      cwd: ${JSON.stringify(cwd)}, timeMs: 60000, memoryMb: 256, outputBytes: 1000, signal: new AbortController().signal });`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', worker], { stdio: 'ignore' });
  for (let i = 0; i < 200 && !existsSync(join(cwd, 'pids')); i += 1) await sleep(50);
  await sleep(100);
  parent.kill('SIGKILL');
  expect(await gone(pids()[0]!)).toBe(true);
});
