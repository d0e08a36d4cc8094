/** For each check of each task: a right outcome passes, and a planted wrong one is caught by that very check. */
import { nothingInvented } from './checks.js';
import { factsOf, NOTES, TABLES } from './data.js';
import type { Outcome } from './outcome.js';
import { EVAL_TASKS, type EvalTask } from './tasks.js';

const rightTests = { name: 'run_tests', result: '{"ok":true,"passed":3,"failed":0}' };

/** All that any task of the data could ask for. */
function rightOutcome(task: EvalTask): Outcome {
  const inputs = Object.fromEntries(task.files.map(({ name, data }) => [name, data]));
  const table = Object.keys(TABLES).find((name) => task.files.some((file) => file.name.startsWith(`${name}.`)));
  const rows = table === undefined ? [] : TABLES[table]!;
  const columns = Object.keys(rows[0] ?? {}).filter((column) => rows.some((row) => typeof row[column] === 'number'));
  const facts = columns.map((column) => {
    const { rows: count, missing, min, max, mean } = factsOf(rows, column);
    return `${column}: ${count} rows, ${missing} missing, ${min} to ${max}, mean ${mean.toFixed(3)}`;
  });
  const words = NOTES.trim().split(/\s+/).length;
  const told = [
    'The revenue is rising.',
    'The kwh is falling.',
    'Outliers: some.',
    'Verdict: no objections.',
    'The harbour opens at dawn.',
  ];
  return {
    ...{ runId: 'r', goal: task.request.goal, status: 'completed', inputs, costMicros: 0, ms: 0 },
    answer: [...facts, ...told, ...(table === undefined ? [`${words} words`] : [])].join('\n'),
    plan: ['data-analysis', 'code-generation', 'testing', 'documentation', 'code-review'].map((skill) => ({
      ...{ title: skill, instructions: skill, skills: [skill] },
    })),
    files: { 'src/report.ts': 'x', 'src/report.test.ts': 'test(x)', 'docs/API.md': '```ts\n```', 'report.md': 'About the data.' },
    tools: [
      { name: 'profile_data', result: JSON.stringify({ facts, words }) },
      ...['describe_api', 'static_checks', 'read_file'].map((name) => ({ name, result: '{}' })),
      { name: 'check_types', result: '{"ok":true}' },
      rightTests,
    ],
  };
}

/** What is planted for a check, by its name. */
function planted(check: string, right: Outcome): Outcome {
  const without = (tool: string): Outcome => ({ ...right, tools: right.tools.filter(({ name }) => name !== tool) });
  const withoutFile = (pattern: RegExp): Outcome => ({
    ...right,
    files: Object.fromEntries(Object.entries(right.files).filter(([name]) => !pattern.test(name))),
  });
  const wrongFigures = { ...right, answer: right.answer.replace(/\d+(\.\d+)?/g, (number) => String(Number(number) * 3 + 7000)) };
  if (/ right$/.test(check)) return wrongFigures;
  if (/ said$|quoted$/.test(check)) return { ...right, answer: 'All is well.' };
  const byName: Record<string, Outcome> = {
    completed: { ...right, status: 'failed', error: 'x' },
    'nothing invented': { ...right, answer: `${right.answer}\nRevenue grew to 4711.13.` },
    'data profiled': without('profile_data'),
    'exports looked up': without('describe_api'),
    'checked by rules': without('static_checks'),
    'file read': without('read_file'),
    'types hold': { ...right, tools: [{ name: 'check_types', result: '{"ok":false}' }] },
    'tests pass': { ...right, tools: [...right.tools, { name: 'run_tests', result: '{"ok":false,"passed":2,"failed":1}' }] },
    'code there': withoutFile(/\.ts$/),
    'tests there': withoutFile(/\.test\.ts$/),
    'documents there': withoutFile(/\.md$/),
    'report there': withoutFile(/\.md$/),
  };
  return byName[check] ?? { ...right, plan: [{ title: 'Do it', instructions: '', skills: ['general'] }] };
}

test('there are thirty, over all built-in agents', () => {
  expect(EVAL_TASKS).toHaveLength(30);
  expect(new Set(EVAL_TASKS.map(({ id }) => id)).size).toBe(30);
  const agents = [
    'code-reviewer',
    'code-writer',
    'data-analyst',
    'documentation-writer',
    'generalist',
    'planner',
    'synthesizer',
    'test-writer',
  ];
  expect([...new Set(EVAL_TASKS.map(({ agent }) => agent))].sort()).toEqual(agents);
});

describe.each(EVAL_TASKS.map((task) => [task.id, task] as const))('%s', (_, task) => {
  const right = rightOutcome(task);
  test.each(Object.entries(task.checks))('%s', (name, check) => {
    expect(check(right)).toBeUndefined();
    expect(check(planted(name, right))).toEqual(expect.any(String));
  });
});

test('tests that never ran, or ran to an error, are no tests', () => {
  const [task] = EVAL_TASKS.filter(({ checks }) => checks['tests pass']);
  const right = rightOutcome(task!);
  const check = task!.checks['tests pass']!;
  expect(check({ ...right, tools: [], answer: '3 tests passed, 0 failed' })).toBe('no tests were run');
  expect(check({ ...right, tools: [{ name: 'run_tests', result: '{"error":"no such file"}' }] })).toBe('no tests were run');
});

describe('nothing invented', () => {
  const groups = '{"columns":["grp","members","mean1"],"rows":[["bolt",16,413.0625],["screw",48,634.5]],"truncated":false}';
  const outcome = (answer: string): Outcome => ({
    ...{ runId: 'r', goal: 'Analyze', status: 'completed', answer, plan: [], costMicros: 0, ms: 0 },
    files: { 'src/rows.ts': `${'x\n'.repeat(126)}` },
    inputs: { 'stock.csv': `quantity\n${'5\n'.repeat(64)}` },
    tools: [{ name: 'query_data', result: groups }],
  });

  test.each([
    'highest for screw (634.5), lowest for bolt (413.06), in 64 rows',
    'screw has 48 rows (75 % of the rows), bolt 25 %',
    'src/rows.ts, 126 lines',
  ])('%s', (answer) => expect(nothingInvented(outcome(answer))).toBeUndefined());

  test.each([
    ['a mean that is a little off', 'highest for screw (653.5)', '653.5'],
    ['two values next to each other as one number', 'the largest is 16,413', '16,413'],
    ['a share of nothing that was counted', 'screw has 71.4 % of the rows', '71.4'],
    ['a share as a figure of its own', 'the mean of bolt is 33.75', '33.75'],
    ['lines that nobody wrote', 'src/rows.ts, 226 lines', '226'],
    ['a mean in the wrong place of the point', 'highest for screw (6.345e4)', '6.345e4'],
  ])('%s is caught', (_, answer, named) => expect(nothingInvented(outcome(answer))).toContain(named));
});
