/**
 * The plain protocol's orchestrator, which is its client too: appends an event for each result, expecting the run's last sequence, before
 * the next tasks are sent and the result is acknowledged. Runs go side by side; the events of one run one after the other, as the
 * expectation demands. State is kept in memory (a restart would fold it from the events).
 */
import { randomUUID } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import { answerQuestions, inFlight } from '../harness/children.mjs';
import { connectPlain, makeStreams, NAMES, PULL, SUBJECTS } from './steps.mjs';

const nats = await connectPlain(process.env.NATS_URL);
const js = jetstream(nats);
const runs = new Map();
await makeStreams(nats);
const consumer = await js.consumers.get(NAMES.results, 'orchestrator');
const messages = await consumer.consume({ max_messages: PULL });

answerQuestions({ ready: () => true, run: runWorkload });
process.on('SIGTERM', () => process.exit(0));

for await (const message of messages) take(message);

async function runWorkload({ workload }) {
  const began = performance.now();
  await inFlight(workload.runs, workload.width, (i) => runOne(workload, i), workload.maxMs);
  return { ms: performance.now() - began };
}

/** Resolves when the last event of the run is stored. */
function runOne({ steps, sleepMs }, number) {
  return new Promise((resolve) => {
    const id = randomUUID();
    const waitsFor = new Map(steps.map((step) => [step.id, new Set(step.after)]));
    const run = { id, resolve, waitsFor, left: steps.length, done: new Set(), lastSeq: 0, line: Promise.resolve(), sleepMs, number };
    runs.set(id, run);
    void Promise.all(steps.filter((step) => step.after.length === 0).map((step) => sendTask(run, step.id)));
  });
}

function sendTask(run, step) {
  const task = {
    run: run.id,
    step,
    attempt: 1,
    instructions: 'Return the input.',
    input: { n: run.number },
    ...(run.sleepMs && { sleepMs: run.sleepMs }),
  };
  return js.publish(SUBJECTS.task, JSON.stringify(task), { msgID: `task/${run.id}/${step}/1` });
}

function take(message) {
  const result = message.json();
  const run = runs.get(result.run);
  if (run === undefined) return message.ack();
  run.line = run.line.then(() => record(run, result, message));
}

async function record(run, result, message) {
  if (!run.done.has(result.step)) {
    const event = { type: 'TaskCompleted', run: run.id, step: result.step, attempt: result.attempt, answer: result.answer, at: Date.now() };
    const expect = { lastSubjectSequence: run.lastSeq };
    const stored = await js.publish(SUBJECTS.event(run.id), JSON.stringify(event), { msgID: `event/${run.id}/${result.step}`, expect });
    run.lastSeq = stored.seq;
    run.done.add(result.step);
    run.left -= 1;
    await Promise.all(nextSteps(run, result.step).map((step) => sendTask(run, step)));
  }
  message.ack();
  if (run.left > 0) return;
  runs.delete(run.id);
  run.resolve();
}

function nextSteps(run, done) {
  const next = [];
  for (const [step, waitsFor] of run.waitsFor) if (waitsFor.delete(done) && waitsFor.size === 0) next.push(step);
  return next;
}
