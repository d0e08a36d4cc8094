import { Plan } from '@cadre/contracts';
import type { TaskSpecInput } from '@cadre/contracts';
import { EngineRig, task } from '../testing/engine-rig.js';
import { describeProblems, validatePlan } from './validate-plan.js';

const problemsOf = (...tasks: TaskSpecInput[]) => validatePlan(Plan.parse({ tasks }).tasks);

test('a plan without faults', () => {
  expect(
    problemsOf(
      task('a'),
      task('b', { dependsOn: ['a'], condition: 'results["a"].confidence > 0.5 || has(results.a.answer)' }),
      task('c', { alternativeTo: 'b', dependsOn: ['a', 'a'], require: 1 }),
      task('constructor', { dependsOn: ['b'], condition: 'results.a.status != results.c.status && results.exists(r, r == "b")' }),
    ),
  ).toEqual([]);
});

test.each<[string, TaskSpecInput[], object]>([
  ['a name used twice', [task('a'), task('a')], { code: 'duplicate-id', taskId: 'a' }],
  ['a name of the engine', [task('plan')], { code: 'reserved-id', taskId: 'plan' }],
  ['an unknown dependency', [task('a', { dependsOn: ['x'] })], { code: 'unknown-dependency', taskId: 'a', dependency: 'x' }],
  ['a dependency on itself', [task('a', { dependsOn: ['a'] })], { code: 'self-dependency', taskId: 'a' }],
  ['more required than there is', [task('a'), task('b', { dependsOn: ['a', 'a'], require: 2 })], { code: 'require-too-many', require: 2 }],
  ['an alternative to nothing', [task('a', { alternativeTo: 'x' })], { code: 'unknown-alternative', alternativeTo: 'x' }],
  [
    'a scope that is to be kept',
    [task('a', { cache: { ttlMs: 1 }, scope: { body: [task('b', { cache: { ttlMs: 1 } })] } })],
    { code: 'bad-cache', taskId: 'a', message: expect.stringContaining('the tasks of its body') },
  ],
  ['what is there already', [task('a', { cache: { ttlMs: 1 }, given: { answer: { text: 'x' } } })], { code: 'bad-cache', taskId: 'a' }],
  ['a wait that is to be kept', [task('a', { cache: { ttlMs: 1 }, wait: { delayMs: 5 } })], { code: 'bad-cache', taskId: 'a' }],
  ['an alternative to itself', [task('a', { alternativeTo: 'a' })], { code: 'self-alternative' }],
  [
    'an alternative that needs what failed',
    [task('a'), task('b', { alternativeTo: 'a', dependsOn: ['a'] })],
    { code: 'alternative-needs-original' },
  ],
  [
    'a result that is not there',
    [task('a'), task('b', { condition: 'results.a.confidence > 0.5' })],
    { code: 'unknown-result', name: 'a' },
  ],
  ['its own result', [task('b', { condition: 'results.b.confidence > 0.5' })], { code: 'unknown-result', name: 'b' }],
])('%s', (_name, tasks, problem) => {
  expect(problemsOf(...tasks)).toEqual([expect.objectContaining(problem)]);
});

test('cycles are named', () => {
  const problems = problemsOf(
    task('x'),
    task('a', { dependsOn: ['x', 'b'] }),
    task('b', { dependsOn: ['c'] }),
    task('c', { dependsOn: ['a'] }),
  );
  expect(problems).toMatchObject([
    { code: 'cycle', cycle: ['a', 'b', 'c', 'a'], message: 'These tasks wait for each other: a → b → c → a.' },
  ]);
});

test('two alternatives to each other are a cycle', () => {
  const problems = problemsOf(task('a', { alternativeTo: 'b' }), task('b', { alternativeTo: 'a' }));
  expect(problems).toMatchObject([{ code: 'cycle', cycle: ['a', 'b', 'a'] }]);
});

test('so is a stand-in that waits for one who waits for what it stands in for', () => {
  const problems = problemsOf(task('a'), task('y', { dependsOn: ['a'] }), task('b', { alternativeTo: 'a', dependsOn: ['y'] }));
  expect(problems).toMatchObject([{ code: 'cycle', cycle: ['y', 'b', 'y'] }]);
});

test.each([
  ['1 +', 'Unexpected token: EOF', 3],
  ['unknown > 1', 'Unknown variable: unknown', 0],
  ['1 + 2', 'it gives int, but a condition is true or false', 0],
  ['"a" + 1 == "a1"', 'no such overload: string + int', 0],
  ['goal.matches("(a+)+$")', 'the function matches is not allowed', 0],
  ['timestamp("2020-01-01T00:00:00Z") > timestamp("2019-01-01T00:00:00Z")', 'the function timestamp is not allowed', 0],
  ['cel.bind(a, goal + goal, a == "")', 'the function bind is not allowed', 0],
  ['results.all(a, results.all(b, a == b))', 'all may not stand within another loop', 15],
])('the condition %s', (condition, message, position) => {
  const [problem, ...others] = problemsOf(task('a', { condition }));
  expect(others).toEqual([]);
  expect(problem).toMatchObject({ code: 'bad-condition', position, message: expect.stringContaining(message) });
  expect(problem?.message).toContain(`(at character ${position + 1})`);
});

test('deep nesting is refused, not followed', () => {
  expect(problemsOf(task('a', { condition: `${'('.repeat(400)}true${')'.repeat(400)}` }))).toMatchObject([{ code: 'bad-condition' }]);
});

/** A chain in which each stands in for the one before; none can start without x. */
const standIns = (count: number) => [
  task('x', { retry: { maxAttempts: 1 } }),
  ...Array.from({ length: count + 1 }, (_, i) => task(`t${i}`, { dependsOn: ['x'], ...(i > 0 && { alternativeTo: `t${i - 1}` }) })),
];

test('alternatives of alternatives have an end: each decision looks at all of them', () => {
  expect(problemsOf(...standIns(101))).toMatchObject([{ code: 'too-many-alternatives', taskId: 't0' }]);
  expect(problemsOf(...standIns(3000))[0]).toMatchObject({ code: 'too-many-alternatives' });
  const rig = new EngineRig();
  expect(rig.start(standIns(100), { continueOnFailure: true }).outcome).toBe('accepted');
  rig.fail('x');
  expect(rig.run().error?.code).toBe('no-results');
});

test('a dense plan of a thousand tasks with conditions is checked quickly', () => {
  const tasks = Array.from({ length: 1000 }, (_, i) =>
    task(`t${i}`, {
      dependsOn: Array.from({ length: Math.min(i, 250) }, (_, j) => `t${i - j - 1}`),
      ...(i > 0 && { condition: 'results.t0.confidence > 0.1' }),
    }),
  );
  const { tasks: specs } = Plan.parse({ tasks });
  const before = performance.now();
  expect(validatePlan(specs)).toEqual([]);
  expect(performance.now() - before).toBeLessThan(15_000);
});

test('problems as one text', () => {
  const problems = problemsOf(...Array.from({ length: 7 }, (_, i) => task(`t${i}`, { dependsOn: [`t${i}`] })));
  expect(describeProblems(problems)).toMatch(/^Task t0 depends on itself\. .*t4 depends on itself\. And 2 more\.$/);
});

test('conditions that look at all results are limited in large plans; those that name results are not', () => {
  const plan = (condition: string) => [
    task('a'),
    ...Array.from({ length: 999 }, (_, n) => task(`b${n}`, { dependsOn: ['a'], ...(n < 201 && { condition }) })),
  ];
  const all = 'results.exists(name, results[name].confidence > 0.5)';
  expect(problemsOf(...plan(all))).toMatchObject([
    { code: 'costly-conditions', taskId: 'b0', message: expect.stringContaining('at most 200') },
  ]);
  expect(problemsOf(...plan('results.a.confidence > 0.5'))).toEqual([]);
  expect(problemsOf(...plan(all).slice(0, 900))).toEqual([]);
});

test('a specialist is an agent that is named, and nobody stands in for it', () => {
  const specialist = { name: 'poet', description: 'd', skills: ['verse'], instructions: 'i' };
  expect(problemsOf(task('a', { specialist, agent: 'writer' }))).toEqual([]);
  for (const rest of [{}, { agentFrom: '"writer"' }, { agent: 'writer', fallbackAgents: ['other'] }])
    expect(problemsOf(task('a', { specialist, ...rest }))).toMatchObject([{ code: 'bad-specialist' }]);
});

test('what no agent answers cannot be checked', () => {
  const resultSchema = { type: 'object' };
  const body = [task('b', { resultSchema })];
  expect(problemsOf(task('a', { resultSchema, scope: { body } }))).toMatchObject([
    { code: 'bad-wish', taskId: 'a', message: expect.stringContaining('cannot have resultSchema: put it into the tasks of its body') },
  ]);
  expect(problemsOf(task('a', { resultSchema, wait: { delayMs: 5 } }))).toMatchObject([{ code: 'bad-wish' }]);
  expect(problemsOf(task('a', { resultSchema, skills: ['x'], scope: { body, combine: { by: 'custom' } } }))).toEqual([]);
});
