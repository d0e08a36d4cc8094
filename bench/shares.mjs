/**
 * Who waits how long: independent tasks side by side, slots under a backlog, an urgent task behind thousands, a small tenant beside a large
 * one. Build first, then `node bench/shares.mjs`; `--help` lists the options.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { LogWatch } from './cadre/log-watch.mjs';
import { startCadre } from './cadre/system.mjs';
import { median, percentile, rounded } from './harness/figures.mjs';
import { startServer } from './harness/server.mjs';

const HELP = `node bench/shares.mjs [options]       (npm run build first)

Measures how slots are shared, on a nats-server of its own, on loopback. One worker with 100 slots; tasks sleep for 200 ms. Stops by itself and leaves
nothing behind; about three minutes.

  --profile=NAME   durable or fast (default durable)
  --reps=N         how often the short ones are repeated (default 10)
`;

const SLOTS = 100;
const TASK_MS = 200;
/** Tasks of the large tenant differ in length by as much either way, so that slots do not become free all at once. */
const SPREAD_MS = 100;
const text = (fallback) => ({ type: 'string', default: fallback });
const { values } = parseArgs({ options: { profile: text('durable'), reps: text('10'), help: { type: 'boolean' } } });
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const reps = Math.min(100, Math.max(1, Number(values.reps)));
const scratch = mkdtempSync(join(tmpdir(), 'cadre-shares-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const server = await startServer(values.profile);
try {
  console.log(`nats-server ${server.version}, ${values.profile}, Node ${process.version}`);
  const rows = await measured({}, async (watch) => [
    ...[await sideBySide(watch), await backlog(watch), ...(await urgent(watch))],
    ...(await twoTenants(watch, 'small tenant', SPREAD_MS)),
    ...(await twoTenants(watch, 'small tenant, all tasks as long')).slice(1, 3),
  ]);
  const none = await measured({ TENANT_KEPT_PERCENT: '0' }, (watch) => twoTenants(watch, 'small tenant, no slots kept', SPREAD_MS));
  console.table([...rows, ...none.map(({ figure, value }) => ({ figure, value }))]);
} finally {
  await server.stop();
}

/** A system afresh, warmed up, and what is measured on it. @param env of the services, beside the usual */
async function measured(env, measure) {
  const system = await startCadre(server, { scratch, env: { ...server.env, CADRE_SLOTS: String(SLOTS), LOG_LEVEL: 'error', ...env } });
  const watch = await LogWatch.open(server.url);
  try {
    await warmUp(watch);
    const rows = await measure(watch);
    const { violations } = await system.check();
    console.log(violations.length === 0 ? 'Invariants: 0 violations' : `INVARIANTS VIOLATED ${JSON.stringify(violations.slice(0, 5))}`);
    return rows;
  } finally {
    await watch.close();
    await system.stop();
  }
}

function row(figure, value, gate) {
  return { figure, value: rounded(value), gate: `≤ ${gate}`, reached: value <= gate ? 'gate' : 'MISSED' };
}

async function warmUp(watch) {
  for (let i = 0; i < 3; i += 1) await watch.ended(await watch.start({ tenant: 'one', tasks: 1000, sleepMs: 1 }));
}

/** Ten tasks of a second that need nothing of each other. */
async function sideBySide(watch) {
  const seconds = [];
  for (let rep = 0; rep < reps; rep += 1) {
    const began = performance.now();
    await watch.ended(await watch.start({ tenant: 'one', tasks: 10, sleepMs: 1000 }));
    seconds.push((performance.now() - began) / 1000);
  }
  return row('10 tasks of 1 s side by side, s', median(seconds), 1.3);
}

/** Of all slots, the share that does nothing while work waits for one. */
async function backlog(watch) {
  const runId = await watch.start({ tenant: 'one', tasks: 5000, sleepMs: TASK_MS });
  await watch.ended(runId);
  const times = watch.times(runId);
  const starts = times.map(({ startedAt }) => startedAt).sort((a, b) => a - b);
  const [from, to] = [starts[SLOTS - 1], starts.at(-1)];
  const done = times.filter(({ startedAt }) => startedAt >= from && startedAt < to).length;
  return row('slots without work under a backlog, %', 100 * (1 - (done * TASK_MS) / (SLOTS * (to - from))), 10);
}

/** How many others start between the moment at which a critical task is known and its own start. */
async function urgent(watch) {
  const low = await watch.start({ tenant: 'one', tasks: 5000, sleepMs: TASK_MS, priority: 'low' });
  const before = [];
  for (let rep = 0; rep < reps; rep += 1) {
    await sleep(500);
    const runId = await watch.start({ tenant: 'one', tasks: 1, sleepMs: TASK_MS, priority: 'critical' });
    await watch.ended(runId);
    before.push(...watch.overtakenBy(runId));
  }
  await watch.ended(low);
  const figure = 'others that start before a critical task behind 5,000';
  return [row(`${figure}: median`, median(before), 0), { figure: `${figure}: most`, value: Math.max(...before) }];
}

/** Ten tasks of a tenant, alone and beside 10,000 of another one. */
async function twoTenants(watch, who, spreadMs = 0) {
  const alone = await small(watch);
  const big = await watch.start({ tenant: 'big', tasks: 10_000, sleepMs: TASK_MS, spreadMs });
  await sleep(1000);
  const beside = await small(watch);
  await watch.ended(big);
  const p95 = (list) => percentile(list, 0.95);
  return [
    { figure: `${who}, alone: p95 wait, ms`, value: p95(alone.waits) },
    { figure: `${who}, beside 10,000: p95 wait, ms`, value: p95(beside.waits) },
    row(`${who}, beside 10,000: p95 wait ÷ alone`, p95(beside.waits) / p95(alone.waits), 2),
    { figure: `${who}, beside 10,000: others that start before its task, p95`, value: p95(beside.before) },
    row(`${who}, beside 10,000: p95 until done ÷ alone`, p95(beside.until) / p95(alone.until), 2),
  ];
}

/** @returns of each of its tasks: how many others started before it, how long it waited for a slot, and how long until it was done */
async function small(watch) {
  const times = [];
  const before = [];
  for (let rep = 0; rep < reps; rep += 1) {
    const runId = await watch.start({ tenant: 'small', tasks: 10, sleepMs: TASK_MS });
    await watch.ended(runId);
    times.push(...watch.times(runId));
    before.push(...watch.overtakenBy(runId));
    await sleep(100);
  }
  return {
    before,
    waits: times.map(({ scheduledAt, startedAt }) => startedAt - scheduledAt),
    until: times.map(({ scheduledAt, endedAt }) => endedAt - scheduledAt),
  };
}
