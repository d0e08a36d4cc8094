import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allGone, eventually, isRunning } from './testing/processes.js';
import { startNodeProcess } from './node-process.js';
import type { ProcessSpec } from './running-process.js';
import { type ProcessChange, Supervisor } from './supervisor.js';

const ready = `require('node:fs').writeFileSync(process.env.CADRE_READY_FILE, JSON.stringify({ pid: process.pid, url: 'x' }));`;
const scripts = {
  /** Stops when asked to, and says so. */
  good: `console.log('started'); setInterval(() => {}, 1000); process.on('SIGTERM', () => { console.log('stopped'); process.exit(0); }); ${ready}`,
  /** Ignores SIGTERM and has a child of its own. */
  stubborn: `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);
    const child = require('node:child_process').spawn('sleep', ['1000']); console.log('child ' + child.pid); ${ready}`,
  broken: `console.error('the settings are upside down'); process.exit(3);`,
  misconfigured: `process.exit(78);`,
  /** Runs for a moment, three times, and then for long. */
  shaky: `const fs = require('node:fs'); const file = process.env.COUNT_FILE; let n = 0; try { n = Number(fs.readFileSync(file)); } catch {}
    fs.writeFileSync(file, String(n + 1)); ${ready} if (n < 3) setTimeout(() => process.exit(1), 20); else setInterval(() => {}, 1000);`,
  slow: `setInterval(() => {}, 1000);`,
};

let folder: string;
let supervisor: Supervisor | undefined;
let changes: [string, ProcessChange][];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supervisor-spec-'));
  changes = [];
});
afterEach(async () => {
  await supervisor?.stop();
  supervisor = undefined;
  await rm(folder, { recursive: true, force: true });
});

function spec(name: string, kind: keyof typeof scripts, stage = 0): ProcessSpec {
  return {
    ...{ name, stage },
    launch: async (signal) => {
      const script = join(folder, `${name}.cjs`);
      await writeFile(script, scripts[kind]);
      const env = { ...process.env, COUNT_FILE: join(folder, `${name}.count`) };
      const files = { logFile: join(folder, 'logs', `${name}.log`), readyFile: join(folder, 'run', `${name}.json`) };
      return await startNodeProcess({ name, script, env, ...files, startMs: 8000, stopMs: 500 }, signal);
    },
  };
}

function supervise(...specs: ProcessSpec[]): Supervisor {
  supervisor = new Supervisor(specs, { onChange: (name, change) => changes.push([name, change]), backoffMs: 20 });
  return supervisor;
}

const log = (name: string): Promise<string> => readFile(join(folder, 'logs', `${name}.log`), 'utf8');
const states = (name: string): string[] => changes.filter(([who]) => who === name).map(([, { state }]) => state);

test('starts stage by stage, stops in the opposite order, and leaves no process', async () => {
  const system = supervise(spec('top', 'good', 1), spec('base', 'good', 0));
  await system.start();
  expect(changes.map(([name, { state }]) => `${name} ${state}`)).toEqual(['base starting', 'base ready', 'top starting', 'top ready']);
  const pids = Object.values(system.pids());
  expect(pids).toHaveLength(2);
  await system.stop();
  expect(await allGone(pids, 0)).toBe(true);
  expect(await log('base')).toBe('started\nstopped\n');
  expect(system.pids()).toEqual({});
});

test('what starts together may stop one after the other', async () => {
  const order: string[] = [];
  const noted = (name: string, stopStage: number): ProcessSpec => {
    const plain = spec(name, 'good');
    return {
      ...{ name, stage: 0, stopStage },
      launch: async (signal) => {
        const running = await plain.launch(signal);
        void running.exited.then(() => order.push(name));
        return running;
      },
    };
  };
  const system = supervise(noted('owner', 1), noted('worker', 2));
  await system.start();
  await system.stop();
  expect(order).toEqual(['worker', 'owner']);
});

test('what ends is started again, and again, until it stays', async () => {
  const system = supervise(spec('shaky', 'shaky'));
  await system.start();
  expect(await eventually(async () => (await readFile(join(folder, 'shaky.count'), 'utf8')) === '4')).toBe(true);
  expect(await eventually(() => states('shaky').filter((state) => state === 'ready').length === 4)).toBe(true);
  const waits = changes.flatMap(([, change]) => (change.state === 'restarting' ? [change.inMs] : []));
  expect(waits).toEqual([20, 40, 80]);
});

test('a killed process is started again with another pid', async () => {
  const system = supervise(spec('good', 'good'));
  await system.start();
  const first = system.pids()['good']!;
  process.kill(first, 'SIGKILL');
  expect(await eventually(() => (system.pids()['good'] ?? first) !== first)).toBe(true);
  expect(changes.find(([, { state }]) => state === 'restarting')?.[1]).toMatchObject({ reason: 'it was ended by SIGKILL' });
});

test('one that does not start fails the start with the end of its log, and takes the others down', async () => {
  const system = supervise(spec('good', 'good', 0), spec('broken', 'broken', 1));
  const error = (await system.start().catch((caught: unknown) => caught)) as Error;
  expect(error).toMatchObject({ code: 'service-failed' });
  expect(error.message).toBe('broken did not start: it ended with code 3.\n  | the settings are upside down');
  expect(await log('good')).toBe('started\nstopped\n');
});

test('wrong settings are not tried again', async () => {
  const system = supervise(spec('shaky', 'shaky'));
  await system.start();
  scripts.shaky = scripts.misconfigured;
  expect(await eventually(() => states('shaky').at(-1) === 'given-up')).toBe(true);
});

test('a process that will not stop is ended, with what it started', async () => {
  const system = supervise(spec('stubborn', 'stubborn'));
  await system.start();
  const child = Number(/child (\d+)/.exec(await log('stubborn'))?.[1]);
  const { stubborn } = system.pids();
  expect(await isRunning(child)).toBe(true);
  await system.stop();
  expect(await allGone([stubborn!, child], 1000)).toBe(true);
});

test('a stop in the middle of the start leaves nothing behind', async () => {
  const system = supervise(spec('good', 'good', 0), spec('slow', 'slow', 1));
  const start = system.start();
  expect(await eventually(() => states('slow').includes('starting'))).toBe(true);
  const { good } = system.pids();
  await system.stop();
  await start;
  expect(await allGone([good!], 0)).toBe(true);
  expect(states('slow')).toEqual(['starting']);
});
