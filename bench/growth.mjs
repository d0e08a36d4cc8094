/**
 * How memory and latency grow: 10,000 open runs, a run of 10,000 tasks, 1,000 workers. Build first, then `node bench/growth.mjs`; `--help`
 * lists the options.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startCadre } from './cadre/system.mjs';
import { Child, cpuByName } from './harness/children.mjs';
import { difference, median, percentile, rounded } from './harness/figures.mjs';
import { startServer } from './harness/server.mjs';
import { workloads } from './harness/workloads.mjs';

const HELP = `node bench/growth.mjs [options]       (npm run build first)

Measures Cadre alone, on a nats-server of its own, on loopback. Stops by itself and leaves nothing behind; about two minutes.

  --profile=NAME   durable or fast (default durable)
  --runs=N         open runs (default 10000)
  --tasks=N        tasks of one run (default 10000)
  --workers=N      workers that beat (default 1000)
`;

const text = (fallback) => ({ type: 'string', default: fallback });
const options = { profile: text('durable'), runs: text('10000'), tasks: text('10000'), workers: text('1000'), help: { type: 'boolean' } };
const { values } = parseArgs({ options });
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const [runs, tasks, workers] = ['runs', 'tasks', 'workers'].map((name) => Math.min(100_000, Number(values[name])));
const chains = { ...workloads(1).W3, runs: 50 };
const scratch = mkdtempSync(join(tmpdir(), 'cadre-growth-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const server = await startServer(values.profile);
try {
  console.log(`nats-server ${server.version}, ${values.profile}, Node ${process.version}`);
  await grow('open runs of 12 tasks that nobody can do', [0, runs / 10, runs], openRuns);
  await grow('tasks of one run: wide, with a join', [tasks / 100, tasks / 10, tasks], wideRun);
  await grow('workers that beat', [0, workers / 10, workers], crowd);
} finally {
  await server.stop();
}

/** A system of its own for each series, since memory is not given back at once. */
async function grow(title, sizes, measure) {
  const env = { ...server.env, CADRE_SLOTS: '100', LOG_LEVEL: 'error' };
  const system = await startCadre(server, { scratch, env, nodeArgs: ['--expose-gc'] });
  const rows = [];
  let before = 0;
  try {
    await system.run({ ...workloads(1).W2, maxMs: 3000 });
    for (const size of sizes.map(Math.round)) {
      const figures = await measure(system, size, before);
      before = size;
      rows.push({ [title]: size, ...figures, ...(await memory(system)) });
    }
    const { violations } = await system.check({ finished: false });
    console.table(rows);
    console.log(violations.length === 0 ? 'Invariants: 0 violations' : `INVARIANTS VIOLATED ${JSON.stringify(violations.slice(0, 5))}`);
  } finally {
    await system.stop();
  }
}

async function openRuns(system, size, before) {
  const waiting = { ...workloads(1).W2, runs: size - before, width: 200, agent: 'nobody' };
  const began = performance.now();
  await system.ask('client', { do: 'open', workload: waiting }, 300_000);
  const ms = performance.now() - began;
  const starts = await system.ask('client', { do: 'open', workload: { ...waiting, runs: 100, width: 1 } });
  return {
    'opened/s': size === before ? '' : Math.round(((size - before) / ms) * 1000),
    'one StartRun p50 ms': rounded(median(starts)),
    'p99 ': rounded(percentile(starts, 0.99)),
    ...(await stepLatency(system)),
  };
}

async function wideRun(system, size) {
  const parts = Array.from({ length: size - 1 }, (_, i) => ({ id: `part${i}`, after: [] }));
  const steps = [...parts, { id: 'join', after: parts.map(({ id }) => id) }];
  const before = await cpuByName(system.children, server.pid);
  const { ms } = await system.run({ runs: 1, width: 1, steps });
  const cpu = difference(await cpuByName(system.children, server.pid), before);
  const total = Object.values(cpu).reduce((sum, each) => sum + each, 0);
  return {
    seconds: rounded(ms / 1000),
    'tasks/s': Math.round((size / ms) * 1000),
    'CPU-ms/task': rounded(total / size),
    ...(await stepLatency(system)),
  };
}

async function crowd(system, size) {
  const extra = new Child('crowd', 'bench/cadre/crowd.mjs', { scratch, env: { NATS_URL: server.url } });
  try {
    await extra.ask({ do: 'gather', count: size });
    await sleep(2000);
    const before = await cpuByName(system.children, server.pid);
    await sleep(3000);
    const cpu = difference(await cpuByName(system.children, server.pid), before);
    const latency = await stepLatency(system);
    return { 'scheduler CPU %': rounded(cpu.scheduler / 30), 'server CPU %': rounded(cpu.server / 30), ...latency };
  } finally {
    await extra.stop();
  }
}

/** Of chains of ten steps, one chain at a time, while all else is as it is. */
async function stepLatency(system) {
  const { gaps } = await system.run(chains);
  return { 'step p50 ms': rounded(median(gaps)), 'step p99 ms': rounded(percentile(gaps, 0.99)) };
}

async function memory(system) {
  const row = {};
  for (const child of system.children.filter(({ name }) => name === 'orchestrator' || name === 'scheduler')) {
    const { heapUsed, rss } = await child.ask({ do: 'memory' });
    row[`${child.name} heap/RSS MiB`] = `${Math.round(heapUsed / 2 ** 20)}/${Math.round(rss / 2 ** 20)}`;
  }
  return row;
}
