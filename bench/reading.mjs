/**
 * How far reading is behind: the monitor writes the history and publishes the feed while runs are at work. Build first, then
 * `node bench/reading.mjs`; `--help` lists the options.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { HistoryAnswer, STREAMS, SUBJECTS } from '@cadre/contracts';
import { JetStreamLog } from '@cadre/event-log';
import { connectNats, requestJson } from '@cadre/messaging';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { startCadre } from './cadre/system.mjs';
import { startService } from './harness/children.mjs';
import { median, rounded } from './harness/figures.mjs';
import { startServer } from './harness/server.mjs';
import { stepCount, workloads } from './harness/workloads.mjs';

const HELP = `node bench/reading.mjs [options]       (npm run build first)

Runs work beside a monitor with an embedded PostgreSQL and measures how long after the end of the work the history and the feed have all of it.
Beside it, on the same server: the feed's events published again by hand, one after the other. About a minute; leaves nothing behind.

  --profile=NAME   durable or fast (default durable)
  --reps=N         repetitions, 1 to 9 (default 3); figures are medians
`;

const options = { profile: { type: 'string', default: 'durable' }, reps: { type: 'string', default: '3' }, help: { type: 'boolean' } };
const { values } = parseArgs({ options });
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const reps = Math.max(1, Math.min(9, Number(values.reps)));
const RAW = { stream: 'PLAIN_EVENTS', subject: 'plain.events' };
const { W1, W2 } = workloads(0.2);
const WORK = {
  'one run of 1,000 tasks': { ...W1, runs: 1, width: 1, steps: Array.from({ length: 1000 }, (_, i) => ({ id: `part${i}`, after: [] })) },
  '100 runs of 12 tasks': { ...W2, runs: 100 },
};

const scratch = mkdtempSync(join(tmpdir(), 'cadre-reading-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const server = await startServer(values.profile);
const nats = await connectNats({ url: server.url, name: 'bench' });
try {
  console.log(`nats-server ${server.version}, ${values.profile}, Node ${process.version}, medians of ${reps}`);
  await measureAll();
} finally {
  await nats.close();
  await server.stop();
}

async function measureAll() {
  const env = { ...server.env, CADRE_SLOTS: '100', CADRE_SHARDS: '1', LOG_LEVEL: 'error' };
  const system = await startCadre(server, { scratch, env });
  const monitor = await startService('monitor', {
    scratch,
    env: { NATS_URL: server.url, ...env, CADRE_HISTORY_DIR: join(scratch, 'history') },
  });
  try {
    const log = await JetStreamLog.open(nats, 0);
    await plainStream();
    for (const workload of Object.values(WORK)) await measure(system, monitor, log, workload);
    const rows = [];
    for (const [name, workload] of Object.entries(WORK)) {
      const each = [];
      for (let rep = 0; rep < reps; rep += 1) each.push(await measure(system, monitor, log, workload));
      const figures = Object.keys(each[0]).map((figure) => [figure, rounded(median(each.map((row) => row[figure])))]);
      rows.push({ work: name, ...Object.fromEntries(figures) });
    }
    console.table(rows);
  } finally {
    await monitor.stop();
    await system.stop();
  }
}

async function measure(system, monitor, log, workload) {
  const [first, cpuBefore] = [(await eventState()).last_seq, await cpuOf(monitor)];
  const { ms } = await system.run(workload);
  const ended = performance.now();
  const last = await log.lastSeq();
  while ((await position()) < last) await sleep(5);
  const behind = performance.now() - ended;
  const events = (await eventState()).last_seq - first;
  const rate = (events / (ms + behind)) * 1000;
  const plain = await plainRate(first + 1, Math.min(events, 500));
  return {
    steps: stepCount(workload),
    events,
    'work ms': ms,
    'history and feed behind, ms': behind,
    'events/s': rate,
    'one by one, events/s': plain,
    ratio: rate / plain,
    'monitor CPU-ms per event': ((await cpuOf(monitor)) - cpuBefore) / events,
  };
}

async function cpuOf(child) {
  return (await child.ask({ do: 'cpu' })).ms;
}

async function eventState() {
  return (await (await jetstreamManager(nats)).streams.info(STREAMS.events)).state;
}

/** Nobody answers while the monitor opens its database. */
async function position() {
  const question = { type: 'GetPosition', shard: 0 };
  const answer = await requestJson(nats, SUBJECTS.history, question, { schema: HistoryAnswer, timeoutMs: 30_000 }).catch(() => undefined);
  return answer?.type === 'Position' ? answer.seq : 0;
}

async function plainStream() {
  await (await jetstreamManager(nats)).streams.add({ name: RAW.stream, subjects: [RAW.subject] });
}

/** Events of the feed as they are, each after the acknowledgement of the one before. */
async function plainRate(from, count) {
  const manager = await jetstreamManager(nats);
  const events = await Promise.all(Array.from({ length: count }, (_, i) => manager.streams.getMessage(STREAMS.events, { seq: from + i })));
  const js = jetstream(nats);
  const began = performance.now();
  for (const { data } of events) await js.publish(RAW.subject, data);
  return (count / (performance.now() - began)) * 1000;
}
