/**
 * Fifty tasks of an agent that batches, over the wire: the same answers as alone, in fewer calls, and a smaller bill that is split to the
 * last token.
 */
import { BatchingModel, runAttempt } from '@cadre/agents';
import type { ModelPort } from '@cadre/agents';
import { plainDigest, sampleAgent, sampleAssignment, sampleOutcome, soloWork } from '@cadre/agents/testing';
import { RemoteModel } from '@cadre/models';
import type { CallReport } from './call-witness.js';
import { startModelSim, type RunningModelSim } from './start-model-sim.js';

const COUNT = 50;
const clock = {
  now: () => Date.now(),
  soon: (run: () => void) => void setImmediate(run),
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

let server: RunningModelSim;
beforeAll(async () => {
  server = await startModelSim({ LOG_LEVEL: 'silent' });
});
afterAll(() => server.stop());

const bill = async () => ((await (await fetch(`${server.url}/sim/calls`)).json()) as CallReport).total;

/** What the tasks of a map over a list come to. */
async function worked(count: number, thinking?: { reflect: number }) {
  const before = await bill();
  const agent = sampleAgent({ tools: [], batch: { maxTasks: 20, waitMs: 100 }, ...(thinking && { thinking }) });
  const plain: ModelPort = new RemoteModel({ baseUrl: `${server.url}/v1`, defaultModel: 'cadre-sim-1' });
  const run = async (model: ModelPort, batches: boolean) => {
    const { batch, ...single } = agent;
    const solos = Array.from({ length: count }, (_, n) => {
      const results = [sampleOutcome({ taskId: 'before', answer: { text: `Of text ${n} there are ${n} words.` } })];
      const assignment = sampleAssignment({ taskId: `map~${n}~sum`, title: `Sum up text ${n}`, tools: [], results });
      return soloWork({ assignment, agent: batches ? { ...single, batch } : single, clock });
    });
    const readContent = async (content: object) => ('text' in content ? String(content.text) : '');
    const means = { model, tools: [], clock, chance: { random: () => 0.5 }, readContent };
    const answers = await Promise.all(solos.map(async ({ work }) => (await runAttempt(work, means)).answer));
    const settled = (await Promise.all(solos.map((solo) => solo.settled()))).flat();
    return { answers, settled };
  };
  const alone = await run(plain, false);
  const between = await bill();
  const together = await run(new BatchingModel(plain, { clock, most: count, digest: plainDigest }), true);
  const after = await bill();
  const spent = (a: typeof after, b: typeof after) => ({
    calls: b.done - a.done,
    inputTokens: b.inputTokens - a.inputTokens,
    outputTokens: b.outputTokens - a.outputTokens,
    costMicros: b.costMicros - a.costMicros,
  });
  return { alone: { ...alone, bill: spent(before, between) }, together: { ...together, bill: spent(between, after) } };
}

test('without reviews: three calls in place of fifty', async () => {
  const { alone, together } = await worked(COUNT);
  expect(together.answers).toEqual(alone.answers);
  expect(new Set(together.answers).size).toBe(COUNT);
  expect([alone.bill.calls, together.bill.calls]).toEqual([50, 3]);
  expect(together.settled).toHaveLength(COUNT);
  for (const count of ['inputTokens', 'outputTokens', 'costMicros'] as const) {
    expect(together.settled.reduce((sum, call) => sum + call[count], 0)).toBe(together.bill[count]);
  }
  expect(together.bill.inputTokens).toBeLessThan(alone.bill.inputTokens / 3);
  expect(together.bill.costMicros).toBeLessThan(alone.bill.costMicros * 0.7);
});

test('a thinking agent thinks of each by itself; reviews are calls of their own', async () => {
  const { alone, together } = await worked(8, { reflect: 1 });
  expect(together.answers).toEqual(alone.answers);
  expect([alone.bill.calls, together.bill.calls]).toEqual([16, 9]);
});
