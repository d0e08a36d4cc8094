/**
 * Cadre's worker, as any worker is made with `worker-kit`; its agents are code. `echo` returns the task's input, `payer` makes one recorded
 * call first.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startWorker } from '@cadre/worker-kit';
import { answerQuestions } from '../harness/children.mjs';
import { StepGaps } from '../harness/step-gaps.mjs';

const gaps = new StepGaps();
const agent = (name, tools) => ({
  name,
  description: 'For measurements',
  skills: ['bench'],
  instructions: 'None: this agent is code.',
  tools,
});

await startWorker({
  specialty: 'bench',
  agents: [agent('echo', []), agent('payer', ['pay'])],
  performers: {
    echo: ({ assignment }) => perform(assignment),
    payer: async ({ assignment, calls }) => {
      await calls.call({ name: 'pay', input: assignment.input, maxCostMicros: 10, costOf: () => 7, run: async () => null });
      return perform(assignment);
    },
  },
});
answerQuestions({ ready: () => true, gaps: () => gaps.take() });

async function perform({ runId, input }) {
  gaps.seen(runId);
  if (input.sleepMs) await sleep(input.sleepMs);
  return { answer: JSON.stringify(input), confidence: 1 };
}
