/**
 * Measures the log of a shard on a nats-server of its own, on loopback: appending against raw publishing in the same run, reading and
 * folding, snapshots. Build first (`npm run build`), then `node bench/log.mjs [--sync=always|timed] [--seconds=2] [--rounds=3]`.
 * Takes about a minute, stops by itself and leaves nothing behind. Only ratios can be compared between machines.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { ensureTopology, JetStreamLog } from '@cadre/event-log';
import { decide, emptyShard, foldBlock, foldCommit } from '@cadre/engine';
import { Plan, RunOptions } from '@cadre/contracts';
import { startNatsServer } from '@cadre/nats-server';

const { values } = parseArgs({
  options: {
    sync: { type: 'string', default: 'always' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
  },
});
const seconds = Math.min(Number(values.seconds), 10);
const rounds = Math.min(Number(values.rounds), 7);
const TASKS = 6;
const NOW = 1_760_000_000_000;
const usage = { modelCalls: 3, toolCalls: 5, inputTokens: 4000, outputTokens: 900, costMicros: 1200 };
const plan = Plan.parse({
  tasks: Array.from({ length: TASKS }, (_, i) => ({
    id: `task${i}`,
    title: `Task number ${i}`,
    instructions: 'Look at the inputs and say what they hold. '.repeat(8),
    dependsOn: i === 0 ? [] : [`task${i - 1}`],
  })),
});

const server = await startNatsServer({ syncAlways: values.sync !== 'timed' });
const nats = await connect({ servers: server.url, noAsyncTraces: true });
try {
  await ensureTopology(nats, { shards: 3 });
  console.log(`nats-server ${nats.info.version}, sync ${values.sync}, Node ${process.version}, ${rounds} rounds of ${seconds} s, medians`);
  const commits = commitsOf(3000);
  await appending(commits);
  await reading(commits);
  await snapshots();
} finally {
  await nats.close();
  await server.stop();
}

/**
 * Blocks of the engine's own commits against the client's own publish of the same to a stream of the same shape; both with two calls at
 * once.
 */
async function appending(commits) {
  const jsm = await jetstreamManager(nats);
  const { config } = await jsm.streams.info('CADRE_LOG_00');
  await jsm.streams.add({ ...config, name: 'RAW', subjects: ['raw'] });
  const js = jetstream(nats);
  const log = await JetStreamLog.open(nats, 0);
  const rows = [];
  for (const [label, perBlock] of [
    ['1 commit', 1],
    ['16 commits', 16],
    ['256 commits', 256],
  ]) {
    const bytes = Buffer.from(JSON.stringify(blockOf(commits, 0, perBlock)));
    const raw = [];
    const fenced = [];
    for (let round = 0; round < rounds; round += 1) {
      let at = 0;
      raw.push(await rate(() => js.publish('raw', JSON.stringify(blockOf(commits, (at += perBlock), perBlock)))));
      let seq = await log.lastSeq();
      at = 0;
      fenced.push(
        await rate(async () => {
          const outcome = await log.append(blockOf(commits, (at += perBlock), perBlock), seq++);
          if (!outcome.stored) throw new Error('fenced');
        }),
      );
    }
    const [base, ours] = [median(raw), median(fenced)];
    rows.push({
      block: label,
      KiB: (bytes.length / 1024).toFixed(1),
      'raw publish/s': Math.round(base.perSecond),
      'append/s': Math.round(ours.perSecond),
      ratio: (ours.perSecond / base.perSecond).toFixed(2),
      'commits/s': Math.round(ours.perSecond * perBlock),
      'client CPU µs raw': Math.round(base.clientMicros),
      append: Math.round(ours.clientMicros),
      'server CPU µs raw': Math.round(base.serverMicros),
      'append ': Math.round(ours.serverMicros),
    });
  }
  console.log('\nAppending, two calls at once (ours puts one on the wire at a time); both sides make the JSON of each block');
  console.table(rows);
}

async function reading(commits) {
  const rows = [];
  for (const [label, perBlock, shard] of [
    ['1 commit', 1, 1],
    ['64 commits', 64, 2],
  ]) {
    const log = await JetStreamLog.open(nats, shard);
    const blocks = Math.ceil(commits.length / perBlock);
    for (let i = 0; i < blocks; i += 1) await log.append({ ...blockOf(commits.slice(i * perBlock), 0, perBlock), shard }, i);
    for (const [what, visit] of [
      ['read', () => undefined],
      ['read and fold', foldBlock],
    ]) {
      const times = [];
      for (let round = 0; round < rounds; round += 1) {
        const state = emptyShard();
        const cpu = process.cpuUsage();
        const from = performance.now();
        for await (const { block } of log.read(0)) visit(state, block);
        times.push({ perSecond: 1000 / (performance.now() - from), clientMicros: micros(cpu) });
      }
      const { perSecond, clientMicros } = median(times);
      rows.push({
        blocks: `${blocks} of ${label}`,
        what,
        ms: (1000 / perSecond).toFixed(0),
        'blocks/s': Math.round(blocks * perSecond),
        'commits/s': Math.round(commits.length * perSecond),
        'client CPU µs/commit': (clientMicros / commits.length).toFixed(1),
      });
    }
    log.close();
  }
  console.log('\nReading and folding from the start');
  console.table(rows);
}

async function snapshots() {
  const rows = [];
  const log = await JetStreamLog.open(nats, 0);
  const jsm = await jetstreamManager(nats);
  let seq = 0;
  for (const runs of [1000, 10_000]) {
    const state = emptyShard();
    for (let i = 0; i < runs; i += 1) {
      const run = halfDoneRun();
      state.open[run.runId] = run;
    }
    const saves = [];
    const loads = [];
    let stall = 0;
    for (let round = 0; round < rounds; round += 1) {
      const delay = monitorEventLoopDelay({ resolution: 5 }); // a fresh one: it counts the time between disable and enable too
      delay.enable();
      let from = performance.now();
      await log.saveSnapshot({ seq: (seq += 1), state });
      saves.push(performance.now() - from);
      delay.disable();
      stall = Math.max(stall, delay.max / 1e6);
      from = performance.now();
      const loaded = await log.loadSnapshot();
      loads.push(performance.now() - from);
      if (loaded?.seq !== seq) throw new Error('the snapshot did not come back');
    }
    const entry = await jsm.streams.getMessage('OBJ_cadre_blobs', { last_by_subj: '$O.cadre_blobs.M.c25hcHNob3QtMDA=' });
    rows.push({
      runs,
      'JSON MiB': (JSON.stringify(state).length / 2 ** 20).toFixed(2),
      'stored MiB': (entry.json().size / 2 ** 20).toFixed(2),
      'save ms': Math.round(saves.sort((a, b) => a - b)[rounds >> 1]),
      'load ms': Math.round(loads.sort((a, b) => a - b)[rounds >> 1]),
      'longest stall while saving ms': Math.round(stall),
    });
  }
  console.log(`\nSnapshots of open runs with ${TASKS} tasks, half of them done`);
  console.table(rows);
}

/** Keeps two calls under way for the time of a round. */
async function rate(call) {
  const cpu = process.cpuUsage();
  const serverCpu = serverMicros();
  const from = performance.now();
  const until = from + seconds * 1000;
  let done = 0;
  const lane = async () => {
    for (; performance.now() < until; done += 1) await call();
  };
  await Promise.all([lane(), lane()]);
  const perSecond = (done * 1000) / (performance.now() - from);
  return { perSecond, clientMicros: micros(cpu) / done, serverMicros: (serverMicros() - serverCpu) / done };
}

function micros(since) {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

/** CPU time of the server so far; Linux only. */
function serverMicros() {
  try {
    const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return NaN;
  }
}

function median(measurements) {
  return [...measurements].sort((a, b) => a.perSecond - b.perSecond)[measurements.length >> 1];
}

function blockOf(commits, start, count) {
  const chosen = Array.from({ length: Math.min(count, commits.length) }, (_, i) => commits[(start + i) % commits.length]);
  return { v: 1, id: randomUUID(), shard: 0, owner: 'bench', kind: 'commits', at: NOW, commits: chosen };
}

/** Whole runs, one after the other, as the engine decides them. */
function commitsOf(atLeast) {
  const commits = [];
  while (commits.length < atLeast) commits.push(...lifeOf(TASKS).commits);
  return commits;
}

function halfDoneRun() {
  return lifeOf(TASKS / 2).state;
}

/** A run with a submitted plan of a chain of tasks, of which the first `done` are worked on. */
function lifeOf(done) {
  const runId = `r00-${randomUUID()}`;
  const commits = [];
  let state;
  const apply = (command) => {
    const decision = decide(state, { id: randomUUID(), runId, ...command }, { now: NOW + commits.length, random: 0.5 });
    if (decision.outcome !== 'accepted') throw new Error(JSON.stringify(decision));
    const commit = { runId, seq: commits.length + 1, at: NOW + commits.length, cause: randomUUID(), events: decision.events };
    commits.push(commit);
    state = foldCommit(state, structuredClone(commit));
  };
  const options = RunOptions.parse({ summarize: false });
  apply({
    type: 'StartRun',
    tenant: 'default',
    goal: 'Analyse the data and write a report. '.repeat(5),
    inputs: [],
    options,
    plan,
    fingerprint: randomUUID(),
  });
  const worker = { workerId: 'worker-1', attempt: 1 };
  for (let i = 0; i < done; i += 1) {
    const held = { ...worker, taskId: `task${i}` };
    apply({ type: 'StartAttempt', ...held, agent: 'data-analyst' });
    apply({
      type: 'CompleteAttempt',
      ...held,
      result: { answer: { text: 'What was found, in some words. '.repeat(20) }, confidence: 0.9, artifacts: [], usage },
    });
  }
  return { state, commits };
}
