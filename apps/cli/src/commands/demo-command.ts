/** `cadre demo`: starts everything on free ports with temporary data, does one real job on real data, and stops everything. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { CadreError } from '@cadre/contracts';
import { freePorts, installationRoot, LocalSystem } from '@cadre/local-system';
import { CadreClient } from '@cadre/sdk';
import { EXIT } from '../exit-codes.js';
import { describeModel, startDisplay } from '../local/start-display.js';
import { saveAnswer, saveArtifacts } from '../output/artifact-folder.js';
import { bytes, duration } from '../output/figures.js';
import { showResult } from '../output/run-output.js';
import { followRun } from '../progress/follow-run.js';
import { painter, type Terminal } from '../terminal.js';
import { openInputs } from './options.js';

export const DEMO_GOAL = 'Analyze the weather data, generate report code, write tests, and document the API';
const DEMO_DATA = 'vega-datasets/data/seattle-weather.csv';

export interface DemoFlags {
  goal?: string;
  input?: string[];
  out?: string;
}

interface Demo {
  flags: DemoFlags;
  terminal: Terminal;
  system: LocalSystem;
  signal: AbortSignal;
}

export async function demoCommand(flags: DemoFlags, terminal: Terminal): Promise<number> {
  const startedAt = Date.now();
  const dataDir = await mkdtemp(join(tmpdir(), 'cadre-demo-'));
  const root = terminal.env['CADRE_ROOT'] ?? installationRoot;
  let keepData = false;
  let release = (): void => undefined;
  let system: LocalSystem | undefined;
  const interrupted = new AbortController();
  try {
    terminal.err(`Starting Cadre on free ports of this machine …`);
    describeModel(terminal.env).forEach((line) => terminal.err(line));
    const log = (line: string): void => terminal.err(`  ..  ${line}`);
    system = new LocalSystem({ dataDir, ports: await freePorts(), env: terminal.env, root, log }, startDisplay(terminal));
    release = stopOnInterrupt(system, interrupted, terminal);
    await system.start();
    if (interrupted.signal.aborted) return EXIT.interrupted;
    terminal.err(`Ready after ${duration(Date.now() - startedAt)}.\n`);
    return await doTheJob({ flags, terminal, system, signal: interrupted.signal }, startedAt);
  } catch (error) {
    if (interrupted.signal.aborted) return EXIT.interrupted;
    keepData = existsSync(join(dataDir, 'logs'));
    if (keepData) terminal.err(`The logs are kept in ${join(dataDir, 'logs')}`);
    throw error;
  } finally {
    const stopAt = Date.now();
    await system?.stop();
    if (system !== undefined) terminal.err(`Everything is stopped (${duration(Date.now() - stopAt)}).`);
    if (!keepData) await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    release();
  }
}

function stopOnInterrupt(system: LocalSystem, interrupted: AbortController, terminal: Terminal): () => void {
  return terminal.onInterrupt(() => {
    if (interrupted.signal.aborted) return system.kill();
    terminal.err('\nStopping everything (Ctrl-C again to end at once) …');
    interrupted.abort(new Error('interrupted'));
    void system.stop();
  });
}

async function doTheJob({ flags, terminal, system, signal }: Demo, startedAt: number): Promise<number> {
  const goal = flags.goal ?? DEMO_GOAL;
  const inputs = flags.input ?? [demoData()];
  const readyAt = Date.now();
  const client = new CadreClient({ baseUrl: system.url });
  const files = await openInputs(inputs, terminal.cwd, (line) => terminal.err(line));
  terminal.err(`Goal: ${goal}\nData: ${inputs.map((path) => shortPath(resolve(terminal.cwd, path), terminal)).join(', ')}\n`);
  const { runId } = await client.startRun({ goal }, { files, signal, idempotencyKey: randomUUID() });
  await followRun(client, runId, terminal, { signal });
  const run = await client.endedRun(runId, { signal });
  const answeredAt = Date.now();
  terminal.err('');
  const code = await showResult(run, client, 'text', terminal);
  const folder = resolve(terminal.cwd, flags.out ?? `cadre-output/demo-${stamp(startedAt)}`);
  const artifacts = await client.artifacts(runId);
  await saveArtifacts(client, runId, artifacts, folder);
  const answer = await saveAnswer(client, run, folder);
  const saved = [...(answer === undefined ? [] : [answer]), ...artifacts];
  terminal.err(closing(saved, folder, { start: readyAt - startedAt, run: answeredAt - readyAt, all: Date.now() - startedAt }, terminal));
  return code;
}

function closing(
  files: { name: string; size: number }[],
  folder: string,
  took: { start: number; run: number; all: number },
  terminal: Terminal,
): string {
  const paint = painter(terminal.errIsTty, terminal.env);
  const where = shortPath(folder, terminal);
  const lines = files.map(({ name, size }) => `  ${join(where, name)} (${bytes(size)})`);
  return [
    '',
    paint('bold', `Time: ${duration(took.start)} to start, ${duration(took.run)} for the run, ${duration(took.all)} in all.`),
    `Artifacts:`,
    ...(lines.length === 0 ? ['  none'] : lines),
    'Next:',
    '  npx cadre dev                                              keep Cadre running; then, in a second terminal:',
    '  npx cadre run "What stands out?" --input YOUR-FILE.csv     the same with your own data (CSV, TSV, JSON, Parquet)',
  ].join('\n');
}

/** The weather of Seattle, from a package of data sets that comes with the development dependencies. */
function demoData(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', DEMO_DATA);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) break;
  }
  throw new CadreError('demo-data-missing', 'The data of the demo (npm package vega-datasets) is not installed.', {
    remedy: 'Run `npm ci` in the checkout, or name a file of your own: cadre demo --input FILE.csv',
  });
}

/** Relative where that is shorter to read. */
function shortPath(path: string, { cwd }: Terminal): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}

/** `20261120-130507` */
function stamp(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
}
