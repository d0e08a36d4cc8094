/** Goals, plans and requests: limits and defaults. */
import { Goal, MAX_GOAL_BYTES, Plan, Require, RetryPolicy, RunOptions, RunRequest, TaskSpec } from './plan.js';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) => schema.safeParse(value).success;
const task = { id: 'a', title: 'A', instructions: 'Do a.' };
const retry = { maxAttempts: 3, backoffMs: 500, factor: 2, maxBackoffMs: 30_000, jitter: 0.5 };

describe('a goal', () => {
  test.each(['', ' ', '\n\t', '\u00a0\u3000'])('%j is empty', (goal) => {
    expect(Goal.safeParse(goal).error?.issues[0]?.message).toContain('empty');
  });

  test.each([
    ['one byte each', 'a'.repeat(MAX_GOAL_BYTES)],
    ['two bytes each', 'é'.repeat(MAX_GOAL_BYTES / 2)],
    ['three bytes each', `${'€'.repeat(5461)}a`],
    ['four bytes each', '😀'.repeat(MAX_GOAL_BYTES / 4)],
  ])('of exactly 16 KiB is accepted, one byte more is not: %s', (_what, goal) => {
    expect(Buffer.byteLength(goal)).toBe(MAX_GOAL_BYTES);
    expect(Goal.parse(goal)).toBe(goal);
    expect(Goal.safeParse(`${goal}a`).error?.issues[0]?.message).toContain('longer than 16384 bytes');
  });

  test('keeps its text as it is', () => expect(Goal.parse('  Say hello\n')).toBe('  Say hello\n'));
  test('is a text', () => expect([7, null, undefined, ['a']].some((value) => accepts(Goal, value))).toBe(false));
});

describe('a task', () => {
  test('needs an id, a title and instructions; the rest has defaults', () => {
    expect(TaskSpec.parse(task)).toEqual({
      ...task,
      skills: [],
      fallbackAgents: [],
      dependsOn: [],
      require: 'all',
      priority: 'medium',
      retry,
    });
    for (const field of ['id', 'title', 'instructions']) expect(accepts(TaskSpec, { ...task, [field]: undefined })).toBe(false);
  });

  test('defaults are not shared between tasks', () => {
    expect(TaskSpec.parse(task).skills).not.toBe(TaskSpec.parse(task).skills);
  });

  test.each([
    [{ title: '' }],
    [{ title: 'x'.repeat(201) }],
    [{ instructions: 'x'.repeat(8001) }],
    [{ skills: Array.from({ length: 11 }, (_, n) => `s${n}`) }],
    [{ skills: ['Data Analysis'] }],
    [{ dependsOn: ['a.b'] }],
    [{ dependsOn: 'b' }],
    [{ fallbackAgents: ['a', 'b', 'c', 'd', 'e', 'f'] }],
    [{ timeoutMs: 99 }],
    [{ timeoutMs: 3_600_001 }],
    [{ minConfidence: 1.01 }],
    [{ condition: '' }],
    [{ priority: 'urgent' }],
    [{ deadline: 5 }],
    [{ input: undefined, retry: { tries: 3 } }],
  ])('%j is refused', (change) => expect(accepts(TaskSpec, { ...task, ...change })).toBe(false));

  test('what must hold before it starts', () => {
    expect(['all', 'any', 'settled', 1, 10_000].every((value) => accepts(Require, value))).toBe(true);
    expect(['none', 0, 10_001, 1.5, '2', null].some((value) => accepts(Require, value))).toBe(false);
  });
});

describe('a retry policy', () => {
  test('has defaults, each by itself', () => {
    expect(RetryPolicy.parse({})).toEqual(retry);
    expect(RetryPolicy.parse({ maxAttempts: 1 })).toEqual({ ...retry, maxAttempts: 1 });
  });

  test.each([
    ['maxAttempts', 1, 20],
    ['backoffMs', 0, 600_000],
    ['factor', 1, 10],
    ['maxBackoffMs', 0, 3_600_000],
    ['jitter', 0, 1],
  ])('%s goes from %d to %d', (field, min, max) => {
    expect([min, max].every((value) => accepts(RetryPolicy, { [field]: value }))).toBe(true);
    expect(
      [min - 1, max + 1, Number.NaN, Number.POSITIVE_INFINITY, String(min)].some((value) => accepts(RetryPolicy, { [field]: value })),
    ).toBe(false);
  });

  test('attempts and times are whole numbers', () => {
    expect(accepts(RetryPolicy, { maxAttempts: 1.5 })).toBe(false);
    expect(accepts(RetryPolicy, { backoffMs: 0.5 })).toBe(false);
    expect(accepts(RetryPolicy, { factor: 1.5 })).toBe(true);
  });
});

describe('a request', () => {
  test('needs a goal only', () => {
    expect(RunRequest.parse({ goal: 'Say hello' })).toEqual({
      goal: 'Say hello',
      inputs: [],
      options: {
        priority: 'medium',
        continueOnFailure: false,
        deadlineMs: 1_800_000,
        summarize: true,
        budget: { agentMicros: {}, onLimit: 'stop', unpricedModels: 'if-uncapped' },
        cancelGraceMs: 5000,
        labels: {},
      },
    });
  });

  test('an unknown field is refused and named, at every level', () => {
    const faults = (request: object) =>
      RunRequest.safeParse({ goal: 'g', ...request }).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    expect(faults({ gaol: 1 })).toEqual([': Unrecognized key: "gaol"']);
    expect(faults({ options: { speed: 1 } })).toEqual(['options: Unrecognized key: "speed"']);
    expect(faults({ plan: { tasks: [{ ...task, needs: [] }] } })).toEqual(['plan.tasks.0: Unrecognized key: "needs"']);
    expect(faults({ plan: { tasks: [{ ...task, retry: { max: 1 } }] } })).toEqual(['plan.tasks.0.retry: Unrecognized key: "max"']);
  });

  test('a plan has 1 to 10,000 tasks', () => {
    const plan = (count: number) => ({ tasks: Array.from({ length: count }, (_, n) => ({ ...task, id: `t${n}` })) });
    expect([1, 10_000].every((count) => accepts(Plan, plan(count)))).toBe(true);
    expect([0, 10_001].some((count) => accepts(Plan, plan(count)))).toBe(false);
  });

  test('a budget holds whole millionths of a dollar; degrading needs the model to degrade to', () => {
    const budget = (value: object) => RunOptions.safeParse({ budget: value });
    for (const right of [
      { runMicros: 0 },
      { runMicros: 1_000_000, taskMicros: 5, agentMicros: { planner: 1 } },
      { onLimit: 'ask' },
      { onLimit: 'degrade', degradeTo: 'small' },
    ])
      expect(budget(right).success).toBe(true);
    for (const wrong of [
      { runMicros: -1 },
      { runMicros: 0.5 },
      { runMicros: '1' },
      { runMicros: 1e15 + 1 },
      { runUsd: 1 },
      { agentMicros: { 'Not A Name': 1 } },
      { onLimit: 'wait' },
      { onLimit: 'degrade', degradeTo: '' },
      { unpricedModels: 'free' },
    ])
      expect(budget(wrong).success).toBe(false);
    expect(budget({ onLimit: 'degrade' }).error?.issues).toMatchObject([
      { path: ['budget', 'degradeTo'], message: expect.stringContaining('needs degradeTo') },
    ]);
  });

  test('grace after a cancel is at most a minute, a question stays open from a second to a week', () => {
    expect([0, 60_000].every((cancelGraceMs) => accepts(RunOptions, { cancelGraceMs }))).toBe(true);
    expect([-1, 60_001, 1.5].some((cancelGraceMs) => accepts(RunOptions, { cancelGraceMs }))).toBe(false);
    expect([1000, 7 * 86_400_000].every((questionTimeoutMs) => accepts(RunOptions, { questionTimeoutMs }))).toBe(true);
    expect([999, 7 * 86_400_000 + 1].some((questionTimeoutMs) => accepts(RunOptions, { questionTimeoutMs }))).toBe(false);
  });

  test('a deadline is from one second to a week, labels are short', () => {
    expect([1000, 7 * 86_400_000].every((deadlineMs) => accepts(RunOptions, { deadlineMs }))).toBe(true);
    expect([999, 7 * 86_400_000 + 1, 1000.5].some((deadlineMs) => accepts(RunOptions, { deadlineMs }))).toBe(false);
    expect(accepts(RunOptions, { labels: { team: 'x'.repeat(200) } })).toBe(true);
    expect(accepts(RunOptions, { labels: { team: 'x'.repeat(201) } })).toBe(false);
    expect(accepts(RunOptions, { labels: { ['x'.repeat(61)]: 'a' } })).toBe(false);
  });
});
