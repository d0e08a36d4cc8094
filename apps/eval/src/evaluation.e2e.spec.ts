/** The evaluation itself, on the deterministic model: a third of its tasks, from each agent. `npm run eval` has them all. */
import { jest } from '@jest/globals';
import { EvalSystem } from './evaluation/eval-system.js';
import { runTasks, type Verdict } from './evaluation/run-tasks.js';
import { EVAL_TASKS } from './evaluation/tasks.js';
import { verdictTable } from './evaluation/verdict-table.js';

jest.setTimeout(900_000);

const IN_CI = ['analyse-sales-csv', 'analyse-clinic-ndjson', 'code-sales', 'test-energy', 'docs-sales', 'review-stock', 'plan-team'].concat(
  ['plan-rest', 'text-words', 'whole-energy'],
);

let verdicts: Verdict[];
beforeAll(async () => {
  const system = await EvalSystem.start({ ...process.env, OPENAI_BASE_URL: '' });
  try {
    const tasks = EVAL_TASKS.filter(({ id }) => IN_CI.includes(id));
    verdicts = await runTasks(system.client, system.proxy, tasks, { width: 3 });
  } finally {
    await system.stop();
  }
});

test.each(IN_CI)('%s', (id) => {
  const verdict = verdicts.find((each) => each.id === id);
  expect(verdict?.faults).toEqual({});
});

test('the table says how many were right, and what was wrong', () => {
  const [first] = verdicts;
  const wrong: Verdict = { ...first!, id: 'x', ok: false, faults: { 'rows right': 'the number of rows is 5, and that is not said' } };
  const table = verdictTable({ 'cadre-sim-1': verdicts, other: [wrong] });
  expect(table).toMatch(/^agent +cadre-sim-1 +other\n/);
  expect(table).toMatch(/\nall +10\/10 +0\/1\n/);
  expect(table).toContain('Wrong with other:\n  x: rows right: the number of rows is 5, and that is not said');
});
