/** The evaluation itself, on the deterministic model, as `npm run eval` has it: all tasks. */
import { jest } from '@jest/globals';
import { EvalSystem } from './evaluation/eval-system.js';
import { runTasks, type Verdict } from './evaluation/run-tasks.js';
import { EVAL_TASKS } from './evaluation/tasks.js';
import { verdictTable } from './evaluation/verdict-table.js';

jest.setTimeout(900_000);

/** As many as the deterministic model has to be right in. */
const LEAST = 27;

let verdicts: Verdict[];
beforeAll(async () => {
  const system = await EvalSystem.start({ ...process.env, OPENAI_BASE_URL: '' });
  try {
    verdicts = await runTasks(system.client, system.proxy, EVAL_TASKS, { width: 4 });
  } finally {
    await system.stop();
  }
});

test(`${LEAST} of the 30 tasks at least are right`, () => {
  expect(verdicts).toHaveLength(30);
  const wrong = verdicts.filter(({ ok }) => !ok).map(({ id, faults }) => ({ id, faults }));
  // Which ones are wrong stands in the message when there are too many.
  expect(wrong.length > 30 - LEAST ? wrong : []).toEqual([]);
});

test('the table says how many were right, and what was wrong', () => {
  const [first] = verdicts;
  const wrong: Verdict = { ...first!, id: 'x', ok: false, faults: { 'rows right': 'the number of rows is 5, and that is not said' } };
  const table = verdictTable({ 'cadre-sim-1': verdicts, other: [wrong] });
  expect(table).toMatch(/^agent +cadre-sim-1 +other\n/);
  expect(table).toMatch(/\nall +(?:2[7-9]|30)\/30 +0\/1\n/);
  expect(table).toContain('Wrong with other:\n  x: rows right: the number of rows is 5, and that is not said');
});
