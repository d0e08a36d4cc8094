/**
 * How a fleet keeps to what a model server allows: many agents on several workers against model-sim with a limit. Build first, then
 * `node bench/governor.mjs`; `--help` lists the options.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeRunId, Plan, RunOptions } from '@cadre/contracts';
import { connectNats, NatsCommandSender } from '@cadre/messaging';
import { checkLog } from './cadre/check-log.mjs';
import { submitRun } from './cadre/submit-run.mjs';
import { Child, cpuByName, startService } from './harness/children.mjs';
import { rounded } from './harness/figures.mjs';
import { startServer } from './harness/server.mjs';

const HELP = `node bench/governor.mjs [options]       (npm run build first)

Measures on a nats-server of its own, on loopback, how much of a model server's allowance a fleet uses and how often the server refuses. After the warm-up
of a minute it measures for some minutes; then it stops by itself and leaves nothing behind.

  --minutes=N      how long is measured (default 3)
  --rpm=N          requests per minute that the server allows (default 600)
  --burst=MS       the server's bucket holds what comes in during this time (default 10000)
  --agents=N       agents at once, over all workers (default 500)
  --workers=N      worker processes (default 5)
  --latency=MS     how long each answer takes (default 500)
  --kill           kills the scheduler in the middle of the measurement, and starts it again at once
  --ungoverned     the workers know of no limit, for comparison
  --profile=NAME   durable or fast (default durable)
`;

const number = (fallback) => ({ type: 'string', default: String(fallback) });
const { values } = parseArgs({
  options: {
    ...{ minutes: number(3), rpm: number(600), burst: number(10_000), agents: number(500), workers: number(5), latency: number(500) },
    ...{ kill: { type: 'boolean' }, ungoverned: { type: 'boolean' }, profile: number('durable'), help: { type: 'boolean' } },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const minutes = Math.min(30, Number(values.minutes));
const [rpm, agents, workers] = [values.rpm, values.agents, values.workers].map(Number);
const scratch = mkdtempSync(join(tmpdir(), 'cadre-governor-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const server = await startServer(values.profile);
const parts = {};
try {
  console.log(`nats-server ${server.version}, ${values.profile}, Node ${process.version}`);
  await startParts();
  await submit(Math.ceil(rpm * (minutes + 2)) + agents);
  console.log(`${agents} agents on ${workers} workers, ${rpm} requests per minute allowed, ${values.burst} ms of them at once`);
  const warm = await watch(1);
  const cpuBefore = await cpuByName(Object.values(parts), server.pid);
  const measured = await watch(minutes, values.kill ? killScheduler : undefined);
  const cpu = await cpuByName(Object.values(parts), server.pid);
  console.table([row('warm-up', warm), row('measured', measured)]);
  console.table(cpuRows(cpuBefore, cpu));
  const { violations } = await checkLog(server.url, { finished: false });
  console.log(violations.length === 0 ? 'Invariants: 0 violations' : `INVARIANTS VIOLATED ${JSON.stringify(violations.slice(0, 5))}`);
} finally {
  await Promise.all(Object.values(parts).map((child) => child.stop()));
  await server.stop();
}

async function startParts() {
  const sim = { MODEL_SIM_LIMITS: `rpm:${rpm},burst-ms:${values.burst}`, MODEL_SIM_LATENCY_MS: values.latency };
  parts['model-sim'] = await startService('model-sim', { scratch, env: sim });
  const env = { NATS_URL: server.url, ...server.env };
  for (const name of ['orchestrator', 'scheduler']) {
    parts[name] = await startService(name, { scratch, env: { ...env, CADRE_INSTANCE_ID: `bench-${name}` } });
  }
  const limits = values.ungoverned ? {} : { MODEL_LIMITS: JSON.stringify({ '*': { requestsPerMinute: rpm } }) };
  const model = { OPENAI_BASE_URL: `${parts['model-sim'].url}/v1`, CADRE_SLOTS: String(Math.ceil(agents / workers)), ...limits };
  for (let n = 1; n <= workers; n += 1) {
    const own = { CADRE_WORK_DIR: join(scratch, `work-${n}`), CADRE_INSTANCE_ID: `bench-worker-${n}` };
    const worker = new Child(`worker-${n}`, 'bench/cadre/model-worker.mjs', {
      scratch,
      env: { ...env, ...model, ...own, LOG_LEVEL: 'error' },
    });
    parts[`worker-${n}`] = worker;
    await worker.ask({ do: 'ready' });
  }
}

/** One run of independent tasks, each of them one call of the model. */
async function submit(count) {
  const nats = await connectNats({ url: server.url, name: 'bench' });
  const tasks = Array.from({ length: Math.min(10_000, count) }, (_, i) => {
    return { id: `t${i}`, title: `Task ${i}`, instructions: 'Say something.', agent: 'generalist', timeoutMs: 600_000 };
  });
  const options = RunOptions.parse({ summarize: false, deadlineMs: 3_600_000 });
  const run = { runId: makeRunId(0, randomUUID()), tenant: 'bench', goal: 'Bench' };
  await submitRun(new NatsCommandSender(nats), { ...run, options, tasks: Plan.parse({ tasks }).tasks });
  await nats.close();
}

async function killScheduler() {
  await parts.scheduler.kill();
  parts.scheduler = await startService('scheduler', {
    scratch,
    env: { NATS_URL: server.url, ...server.env, CADRE_INSTANCE_ID: 'bench-scheduler' },
  });
}

/** @returns what the server's limiter let in and refused, second by second */
async function watch(forMinutes, inTheMiddle) {
  const report = async () => (await fetch(`${parts['model-sim'].url}/sim/limits`)).json();
  const began = performance.now();
  const samples = [{ at: 0, ...(await report()) }];
  for (let second = 1; second <= forMinutes * 60; second += 1) {
    if (second === Math.round(forMinutes * 30)) await inTheMiddle?.();
    await sleep(Math.max(0, began + second * 1000 - performance.now()));
    samples.push({ at: performance.now() - began, ...(await report()) });
  }
  return samples;
}

function row(what, samples) {
  const [first, last] = [samples[0], samples.at(-1)];
  const accepted = last.accepted - first.accepted;
  const used = accepted / ((rpm * (last.at - first.at)) / 60_000);
  const refused = sumOf(last.refused) - sumOf(first.refused);
  return { what, seconds: rounded((last.at - first.at) / 1000), accepted, 'of the allowance, %': rounded(100 * used), refused };
}

function sumOf(counts) {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** A process that was started anew meanwhile counts from its start. */
function cpuRows(before, after) {
  const perSecond = (name) => (after[name] - (after[name] >= before[name] ? before[name] : 0)) / (minutes * 60);
  return Object.keys(after).map((name) => ({ process: name, 'CPU, ms per second': rounded(perSecond(name)) }));
}
