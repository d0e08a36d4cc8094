/** The plain protocol's worker: does the task, stores the result, then acknowledges the task. */
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { answerQuestions } from '../harness/children.mjs';
import { StepGaps } from '../harness/step-gaps.mjs';
import { connectPlain, NAMES, PULL, SUBJECTS } from './steps.mjs';

const nats = await connectPlain(process.env.NATS_URL);
const js = jetstream(nats);
const gaps = new StepGaps();
const consumer = await js.consumers.get(NAMES.tasks, 'worker');
const messages = await consumer.consume({ max_messages: PULL });

answerQuestions({ ready: () => true, gaps: () => gaps.take() });
process.on('SIGTERM', () => process.exit(0));

for await (const message of messages) void perform(message);

async function perform(message) {
  const task = message.json();
  gaps.seen(task.run);
  if (task.sleepMs) await sleep(task.sleepMs);
  const result = { run: task.run, step: task.step, attempt: task.attempt, ok: true, answer: { text: JSON.stringify(task.input) } };
  await js.publish(SUBJECTS.result, JSON.stringify(result), { msgID: `result/${task.run}/${task.step}/${task.attempt}` });
  message.ack();
}
