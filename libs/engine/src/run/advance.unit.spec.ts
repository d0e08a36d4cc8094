import { EngineRig, result, task } from '../testing/engine-rig.js';
import type { TaskSpecInput } from '@cadre/contracts';

const GO_ON = { summarize: false, continueOnFailure: true };

function rigWith(tasks: TaskSpecInput[], options: Parameters<EngineRig['start']>[1] = GO_ON): EngineRig {
  const rig = new EngineRig();
  const decision = rig.start(tasks, options);
  if (decision.outcome !== 'accepted') throw new Error(JSON.stringify(decision));
  return rig;
}

describe('what a task requires of its dependencies', () => {
  const three = ['a', 'b', 'c'].map((id) => task(id));
  const needing = (require: TaskSpecInput['require']) => [...three, task('z', { dependsOn: ['a', 'b', 'c'], ...(require && { require }) })];

  test('all: each succeeded', () => {
    const rig = rigWith(needing('all'));
    rig.complete('a');
    rig.complete('b');
    expect(rig.task('z').status).toBe('waiting');
    rig.complete('c');
    expect(rig.task('z').status).toBe('ready');
  });

  test('all: one failure skips it at once', () => {
    const rig = rigWith(needing('all'));
    rig.fail('b');
    expect(rig.task('z')).toMatchObject({ status: 'skipped', skipped: { cause: 'dependency', reason: expect.stringContaining('b') } });
  });

  test('any: the first success is enough; without one it is skipped', () => {
    const rig = rigWith(needing('any'));
    rig.fail('a');
    rig.complete('b');
    expect(rig.statuses()).toBe('a:failed b:completed c:ready z:ready');
    const none = rigWith(needing('any'));
    for (const id of ['a', 'b', 'c']) none.fail(id);
    expect(none.run()).toMatchObject({ status: 'failed', error: { code: 'no-results' } });
    expect(none.task('z').status).toBe('skipped');
  });

  test('a number: so many successes; skipped as soon as they cannot come', () => {
    const rig = rigWith(needing(2));
    rig.complete('a');
    expect(rig.task('z').status).toBe('waiting');
    rig.complete('c');
    expect(rig.task('z').status).toBe('ready');
    const none = rigWith(needing(2));
    none.fail('a');
    expect(none.task('z').status).toBe('waiting');
    none.fail('b');
    expect(none.task('z').status).toBe('skipped');
  });

  test('settled: each has ended, whatever came of it', () => {
    const rig = rigWith(needing('settled'));
    rig.fail('a');
    rig.complete('b');
    expect(rig.task('z').status).toBe('waiting');
    rig.fail('c');
    expect(rig.task('z').status).toBe('ready');
  });

  test('a chain of skips runs down in one commit', () => {
    const chain = Array.from({ length: 900 }, (_, i) => task(`t${i}`, i === 0 ? {} : { dependsOn: [`t${i - 1}`] }));
    const rig = rigWith([task('other'), ...chain]);
    const before = rig.blocks.length;
    rig.fail('t0');
    expect(rig.task('t899').status).toBe('skipped');
    expect(rig.blocks.length - before).toBe(2);
    rig.complete('other');
    expect(rig.run()).toMatchObject({ status: 'completed', partial: true });
  });
});

describe('conditions', () => {
  const conditional = (condition: string) => [task('a'), task('b', { dependsOn: ['a'], condition }), task('c', { dependsOn: ['b'] })];

  test('false skips the task, which then counts as not needed', () => {
    const rig = rigWith(conditional('results.a.confidence < 0.5'));
    rig.complete('a');
    expect(rig.statuses()).toBe('a:completed b:skipped c:ready');
    rig.complete('c');
    expect(rig.run()).toMatchObject({ status: 'completed', partial: false });
  });

  test('true starts it', () => {
    const rig = rigWith(conditional('results.a.status == "completed" && results["a"].answer.contains("done") && goal == "a goal"'));
    rig.complete('a');
    expect(rig.task('b').status).toBe('ready');
  });

  test('one that cannot be evaluated fails the task with the reason', () => {
    const rig = rigWith(conditional('int(results.a.answer) > 3'));
    rig.complete('a', result('many'));
    expect(rig.task('b')).toMatchObject({ status: 'failed', error: { code: 'condition-error', retriable: false } });
    expect(rig.task('c').status).toBe('skipped');
    const strict = rigWith(conditional('int(results.a.answer) > 3'), { summarize: false });
    strict.complete('a', result('many'));
    expect(strict.run()).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('condition of task b') } });
  });

  test('a first task with a false condition can end the run with its first commit', () => {
    const rig = rigWith([task('a', { condition: 'goal == "other"' })]);
    expect(rig.run()).toMatchObject({ status: 'completed', seq: 1, answer: { text: 'No task had anything to do.' } });
    expect(rig.violations({ finished: true })).toEqual([]);
  });
});

describe('alternatives', () => {
  const plan = [
    task('a'),
    task('b', { alternativeTo: 'a' }),
    task('c', { dependsOn: ['a'], condition: 'results.a.status == "completed"' }),
  ];

  test('stands in for the task that failed, also where a failure would end the run', () => {
    const rig = rigWith(plan, { summarize: false });
    rig.fail('a');
    expect(rig.statuses()).toBe('a:failed b:ready c:waiting');
    rig.complete('b');
    expect(rig.task('c').status).toBe('ready');
    expect(rig.begin('c').results.map(({ taskId, status }) => `${taskId}:${status}`)).toEqual(['a:failed', 'b:completed']);
    rig.finish('c');
    expect(rig.run()).toMatchObject({ status: 'completed', partial: false });
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('is skipped when it is not needed', () => {
    const rig = rigWith(plan);
    rig.complete('a');
    expect(rig.task('b')).toMatchObject({ status: 'skipped', skipped: { cause: 'alternative' } });
  });

  test('when it fails too, so does the run', () => {
    const rig = rigWith(plan, { summarize: false });
    rig.fail('a');
    rig.fail('b');
    expect(rig.run()).toMatchObject({ status: 'failed', error: { message: 'Task b (b) failed: it broke' } });
    expect(rig.statuses()).toBe('a:failed b:failed c:cancelled');
  });

  test('when its own condition rules it out, what it would stand in for has failed', () => {
    const rig = rigWith([task('a'), task('b', { alternativeTo: 'a', condition: 'goal == "x"' })], { summarize: false });
    rig.fail('a');
    expect(rig.run()).toMatchObject({ status: 'failed', error: { message: 'Task a (a) failed: it broke' } });
  });

  test('may have an alternative of its own', () => {
    const chain = [task('a'), task('b', { alternativeTo: 'a' }), task('c', { alternativeTo: 'b' }), task('z', { dependsOn: ['a'] })];
    const rig = rigWith(chain, { summarize: false });
    rig.fail('a');
    rig.fail('b');
    expect(rig.statuses()).toBe('a:failed b:failed c:ready z:waiting');
    rig.complete('c');
    expect(rig.task('z').status).toBe('ready');
    const unneeded = rigWith(chain);
    unneeded.complete('a');
    expect(unneeded.statuses()).toBe('a:completed b:skipped c:skipped z:ready');
  });

  test('also stands in for a task that cannot start any more', () => {
    const rig = rigWith([task('x'), task('a', { dependsOn: ['x'] }), task('b', { alternativeTo: 'a' }), task('z', { dependsOn: ['a'] })]);
    rig.fail('x');
    expect(rig.statuses()).toBe('x:failed a:skipped b:ready z:waiting');
    rig.complete('b');
    expect(rig.task('z').status).toBe('ready');
  });
});

describe('failures', () => {
  test('without continueOnFailure a failed task fails the run and cancels the rest, in one commit', () => {
    const rig = rigWith([task('a'), task('b'), task('c', { dependsOn: ['a'] })], {});
    rig.begin('b', 'w2');
    const before = rig.blocks.length;
    rig.fail('a');
    expect(rig.blocks.length - before).toBe(2);
    expect(rig.statuses()).toBe('a:failed b:cancelled c:cancelled answer:cancelled');
    expect(rig.finish('b', result(), 'w2')).toMatchObject({ code: 'run-ended' });
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('with it the others go on and the answer is partial', () => {
    const rig = rigWith([task('a'), task('b'), task('c', { dependsOn: ['a'] })], { continueOnFailure: true });
    rig.fail('a');
    expect(rig.statuses()).toBe('a:failed b:ready c:skipped answer:waiting');
    rig.complete('b');
    const { results } = rig.begin('answer');
    expect(results.map(({ taskId, status }) => `${taskId}:${status}`)).toEqual(['a:failed', 'b:completed', 'c:skipped']);
    rig.finish('answer', result('the answer'));
    expect(rig.run()).toMatchObject({ status: 'completed', partial: true, answer: { text: 'the answer' } });
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('with nothing to show the run fails before an answer is asked for', () => {
    const rig = rigWith([task('a')], { continueOnFailure: true });
    rig.fail('a');
    expect(rig.run()).toMatchObject({ status: 'failed', error: { code: 'no-results' } });
    expect(rig.task('answer')).toMatchObject({ status: 'cancelled', attempt: 0 });
  });
});

test('thousands that fail at once are not each counted by a task that needs some of them: the owner has a lease to renew', () => {
  const rig = new EngineRig();
  const many = Array.from({ length: 8000 }, (_, i) => task(`t${i}`, i % 2 === 0 ? {} : { dependsOn: ['gate'] }));
  const some = task('some', { dependsOn: many.map(({ id }) => id), require: 'any' });
  rig.start([task('gate', { retry: { maxAttempts: 1 } }), some, ...many], { continueOnFailure: true });
  const before = performance.now();
  rig.fail('gate');
  expect(performance.now() - before).toBeLessThan(15_000);
  expect(rig.task('some').status).toBe('waiting');
  rig.complete('t0');
  expect(rig.task('some').status).toBe('ready');
});

test('nor do thousands of conditions walk thousands of tasks for a result that they name', () => {
  const rig = new EngineRig();
  const before = Array.from({ length: 4000 }, (_, i) => task(`a${i}`));
  const after = Array.from({ length: 4000 }, (_, i) => task(`b${i}`, { dependsOn: ['gate'], condition: 'results.gate.confidence > 0.5' }));
  rig.start([...before, task('gate', { dependsOn: before.map(({ id }) => id), require: 'any' }), ...after]);
  rig.complete('a0');
  rig.begin('gate');
  const began = performance.now();
  rig.finish('gate');
  expect(performance.now() - began).toBeLessThan(15_000);
  expect(rig.task('b3999').status).toBe('ready');
});

test.each([
  ['any', 'skipped'],
  [2, 'skipped'],
  [1, 'skipped'],
] as const)('a task that needs %s of those that fail is %s with the last that could have mattered', (require, status) => {
  const rig = new EngineRig();
  const tasks = ['a', 'b', 'c'].map((id) => task(id, { retry: { maxAttempts: 1 } }));
  rig.start([...tasks, task('some', { dependsOn: ['a', 'b', 'c'], require })], { continueOnFailure: true });
  const enough = require === 2 ? 2 : 3;
  for (const [index, id] of ['a', 'b', 'c'].slice(0, enough).entries()) {
    expect([index, rig.task('some').status]).toEqual([index, 'waiting']);
    rig.fail(id);
  }
  expect(rig.task('some').status).toBe(status);
  expect(rig.violations()).toEqual([]);
});
