/**
 * Cadre's client: starts runs with submitted plans by `StartRun`, as the gateway does, and learns their ends from the log's tail, where it
 * decodes only blocks in which a run has ended. (A user's client would read the event feed instead, which is the monitor's work.)
 */
import { randomUUID } from 'node:crypto';
import { makeRunId, Plan, RunOptions, STREAMS, unpackBlock } from '@cadre/contracts';
import { connectNats, NatsCommandSender } from '@cadre/messaging';
import { jetstream } from '@nats-io/jetstream';
import { answerQuestions, inFlight } from '../harness/children.mjs';
import { submitRun } from './submit-run.mjs';

const ENDS = new Set(['RunCompleted', 'RunFailed', 'RunCancelled']);
const nats = await connectNats({ url: process.env.NATS_URL, name: 'bench-client' });
const sender = new NatsCommandSender(nats);
/** By run id: what to do when it has ended. */
const waiting = new Map();
let ended = 0;
let mark = { at: Infinity, reached: () => undefined };

await follow();
answerQuestions({ ready: () => true, run: runWorkload, reach, open: openRuns });
process.on('SIGTERM', () => process.exit(0));

async function follow() {
  const consumer = await jetstream(nats).consumers.get(STREAMS.log(0), { deliver_policy: 'new' });
  await consumer.consume({ max_messages: 1000, callback: ({ data }) => look(data) });
}

function look(data) {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (![...ENDS].some((type) => bytes.includes(type))) return;
  for (const commit of unpackBlock(JSON.parse(bytes.toString())).commits) {
    const last = commit.events.at(-1);
    if (ENDS.has(last.type)) end(commit.runId, last);
  }
}

function end(runId, event) {
  const done = waiting.get(runId);
  if (done === undefined) return;
  waiting.delete(runId);
  done(event);
  ended += 1;
  if (ended >= mark.at) mark.reached();
}

async function runWorkload({ workload }) {
  ended = 0;
  const plan = planOf(workload);
  const began = performance.now();
  const complete = async (i) => {
    const event = await runOne(i, plan);
    if (event.type !== 'RunCompleted' || event.partial) throw new Error(`a run ended as ${JSON.stringify(event)}`);
  };
  await inFlight(workload.runs, workload.width, complete, workload.maxMs);
  return { ms: performance.now() - began };
}

/** Resolves when so many runs of the workload under way have ended. */
function reach({ count }) {
  return new Promise((resolve) => {
    mark = { at: count, reached: () => (mark.at = Infinity) && resolve(true) };
    if (ended >= count) mark.reached();
  });
}

/** Starts runs and does not wait for their ends. @returns how long each start took to be answered */
async function openRuns({ workload }) {
  const plan = planOf(workload);
  const times = [];
  await inFlight(workload.runs, workload.width, async (i) => {
    const began = performance.now();
    await startRun(i, plan);
    times.push(performance.now() - began);
  });
  return times;
}

function runOne(number, plan) {
  return new Promise((resolve, reject) => startRun(number, plan, resolve).catch(reject));
}

async function startRun(number, plan, whenEnded) {
  const runId = makeRunId(0, randomUUID());
  if (whenEnded) waiting.set(runId, whenEnded);
  await submitRun(sender, { runId, tenant: 'bench', goal: `Bench run ${number}`, options: OPTIONS, tasks: plan.tasks });
}

const OPTIONS = RunOptions.parse({ summarize: false });

/** The same plan for each run of a workload: made and checked once, as a team's own client would. */
function planOf({ steps, sleepMs, agent }) {
  const tasks = steps.map(({ id, after }) => ({
    ...{ id, title: id, instructions: 'Return the input.', dependsOn: after, agent: agent ?? 'echo' },
    input: { n: 1, ...(sleepMs && { sleepMs }) },
  }));
  return Plan.parse({ tasks });
}
