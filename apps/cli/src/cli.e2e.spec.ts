/** The built command line in processes of its own, with stand-ins for the services. Needs `tsc -b apps/cli`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { jest } from '@jest/globals';
import { fixedPorts, freePorts, takenPorts } from '@cadre/local-system';
import { allGone, eventually } from '@cadre/local-system/testing';
import { fakeInstallation } from './testing/fake-installation.js';

// Many processes each, on machines that do other things too.
jest.setTimeout(300_000);

const bin = resolve(import.meta.dirname, '../bin/cadre.js');
const sdkTesting = resolve(import.meta.dirname, '../../../libs/sdk/dist/testing/index.js');

interface Cli {
  child: ChildProcess;
  out: () => string;
  err: () => string;
  ended: Promise<number | null>;
}

let root: string;
let cwd: string;
let children: ChildProcess[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cli-root-'));
  cwd = await mkdtemp(join(tmpdir(), 'cli-cwd-'));
  children = [];
  await fakeInstallation(root, sdkTesting);
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
  await rm(cwd, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
});

function cadre(args: string[], env: NodeJS.ProcessEnv = {}): Cli {
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...process.env, CADRE_ROOT: root, OPENAI_BASE_URL: '', ...env } });
  children.push(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, out: () => out, err: () => err, ended };
}

/** Every process that a system in this data folder started. */
async function startedPids(dataDir: string): Promise<number[]> {
  const names = await readdir(join(dataDir, 'run')).catch(() => []);
  const lists = await Promise.all(
    names.filter((name) => name.endsWith('.pids')).map((name) => readFile(join(dataDir, 'run', name), 'utf8')),
  );
  return lists.flatMap((list) => list.trim().split('\n').map(Number));
}

/** A base that leaves room for all ports of `cadre dev`. */
const freeBase = async (): Promise<number> => (await freePorts())['gateway']!;

test('demo: starts all, does the job, shows answer, artifacts and times, and leaves no process and no temporary data', async () => {
  const before = new Set(await readdir(tmpdir()));
  const demo = cadre(['demo']);
  expect([await demo.ended, demo.err()]).toEqual([0, expect.stringContaining('Ready after')]);
  expect(demo.out()).toBe('# Answer\n\nIt rained on **641** days.\n');
  expect(demo.err()).toMatch(/Goal: Analyze the weather data.*\nData: .*seattle-weather\.csv/);
  expect(demo.err()).toMatch(/\+ completed analyse/);
  expect(demo.err()).toMatch(
    /Time: .* to start, .* for the run, .* in all\.\nArtifacts:\n {2}cadre-output\/demo-\d{8}-\d{6}\/answer\.md \(37 B\)\n {2}cadre-output\/demo-\d{8}-\d{6}\/report\.md \(9 B\)/,
  );
  expect(demo.err()).toMatch(/npx cadre dev/);
  expect(demo.err()).toMatch(/Everything is stopped/);
  const [folder] = await readdir(join(cwd, 'cadre-output'));
  expect((await readdir(join(cwd, 'cadre-output', folder!))).sort()).toEqual(['answer.md', 'charts', 'report.md']);
  const left = (await readdir(tmpdir())).filter((name) => name.startsWith('cadre-demo-') && !before.has(name));
  expect(left).toEqual([]);
});

test('demo: a run that fails ends with 1; Ctrl-C ends with 130 and leaves nothing', async () => {
  expect(await cadre(['demo', '--goal', 'this will fail']).ended).toBe(1);
  const demo = cadre(['demo', '--goal', 'this will hang']);
  expect(await eventually(() => demo.err().includes('> running'), 20_000)).toBe(true);
  demo.child.kill('SIGINT');
  expect(await demo.ended).toBe(130);
  expect(demo.err()).toMatch(/Everything is stopped/);
});

test('dev: serves until Ctrl-C, keeps data, restarts what ends, and leaves no process', async () => {
  const base = await freeBase();
  const dev = cadre(['dev', '--port', String(base)]);
  expect(await eventually(() => dev.err().includes('Ready after'), 20_000)).toBe(true);
  const data = join(cwd, '.cadre');
  expect(await cadre(['run', 'count', '-q'], { CADRE_URL: `http://127.0.0.1:${base}` }).ended).toBe(0);

  const second = cadre(['dev', '--port', String(base + 40)]);
  expect(await second.ended).toBe(1);
  expect(second.err()).toMatch(/already runs on the data folder .*\n {2}To do: Use that one/);
  const elsewhere = cadre(['dev', '--port', String(base), '--data', 'other']);
  expect(await elsewhere.ended).toBe(1);
  expect(elsewhere.err()).toMatch(new RegExp(`Ports ${base} \\(gateway\\), .* in use\\.\n {2}To do: .*cadre dev --port ${base + 100}`));

  const { pid } = JSON.parse(await readFile(join(data, 'run/scheduler.json'), 'utf8')) as { pid: number };
  process.kill(pid, 'SIGKILL');
  expect(await eventually(() => /scheduler: it was ended by SIGKILL[^]*scheduler +is back/.test(dev.err()))).toBe(true);

  const pids = await startedPids(data);
  expect(pids).toHaveLength(12);
  dev.child.kill('SIGINT');
  expect(await dev.ended).toBe(0);
  expect(await allGone(pids, 0)).toBe(true);
  expect((await readdir(data)).sort()).toEqual(['logs', 'nats', 'run']);
  expect(await takenPorts(fixedPorts(base))).toEqual([]);
});

test('dev: when it is killed hard, its processes notice, and the next one takes over', async () => {
  const base = await freeBase();
  const dev = cadre(['dev', '--port', String(base)]);
  expect(await eventually(() => dev.err().includes('Ready after'), 20_000)).toBe(true);
  const pids = await startedPids(join(cwd, '.cadre'));
  dev.child.kill('SIGKILL');
  await dev.ended;
  const next = cadre(['dev', '--port', String(base), '--reset']);
  expect(await allGone(pids, 8000)).toBe(true);
  expect(await eventually(() => next.err().includes('Ready after'), 20_000)).toBe(true);
  next.child.kill('SIGTERM');
  expect(await next.ended).toBe(0);
  expect(await takenPorts(fixedPorts(base))).toEqual([]);
});

test('an old Node and a missing build are told in plain words', async () => {
  const pretend = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.19.0' })`;
  const old = cadre(['doctor'], { NODE_OPTIONS: `--import "${pretend.replaceAll(' ', '%20')}"` });
  expect(await old.ended).toBe(2);
  expect(old.err()).toMatch(/^cadre: this is Node 20\.19\.0; Cadre needs Node 22 or newer\.\n {2}To do: /);
  await mkdir(join(cwd, 'bin'));
  await copyFile(bin, join(cwd, 'bin/cadre.mjs'));
  const unbuilt = spawnSync(process.execPath, [join(cwd, 'bin/cadre.mjs')], { encoding: 'utf8' });
  expect([unbuilt.status, unbuilt.stderr]).toEqual([2, expect.stringMatching(/^cadre: Cadre is not built yet\.\n {2}To do: Run `npm ci/i)]);
});

test('errors are short, on stderr, without a stack trace', async () => {
  const port = (await freePorts())['gateway'];
  const absent = cadre(['runs', 'list'], { CADRE_URL: `http://127.0.0.1:${port}` });
  expect(await absent.ended).toBe(5);
  expect(absent.out()).toBe('');
  expect(absent.err()).not.toMatch(/\n\s+at /);
});
