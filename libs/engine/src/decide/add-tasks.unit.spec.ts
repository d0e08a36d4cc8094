import { Plan } from '@cadre/contracts';
import type { TaskSpec, TaskSpecInput } from '@cadre/contracts';
import { BlockDraft } from '../block-draft.js';
import { planParts } from '../plan/plan-parts.js';
import { EngineRig, reservation, startBody, task } from '../testing/engine-rig.js';

const specs = (tasks: TaskSpecInput[]): TaskSpec[] => Plan.parse({ tasks }).tasks;

function begun(first: TaskSpecInput[], options: Parameters<typeof startBody>[1] = {}): EngineRig {
  const rig = new EngineRig();
  expect(rig.send({ ...startBody(first, options), morePlan: true }).outcome).toBe('accepted');
  return rig;
}

const add = (rig: EngineRig, part: number, tasks: TaskSpecInput[], last = false, tenant = 'default') =>
  rig.send({ type: 'AddTasks', tenant, part, tasks: specs(tasks), last });

test('nothing starts before the last part; a task may depend on one of a later part', () => {
  const rig = begun([task('a', { dependsOn: ['c'] })]);
  expect(rig.run()).toMatchObject({ status: 'planning', morePlan: true });
  add(rig, 2, [task('b', { dependsOn: ['a'] })]);
  expect(rig.statuses()).toBe('a:waiting b:waiting');
  expect(add(rig, 3, [task('c')], true)).toMatchObject({ outcome: 'accepted', result: { runId: expect.any(String) } });
  expect(rig.statuses()).toBe('a:waiting b:waiting c:ready answer:waiting');
  expect(rig.run()).toMatchObject({ status: 'running', planSource: 'submitted' });
  for (const id of ['c', 'a', 'b', 'answer']) rig.complete(id);
  expect(rig.run().status).toBe('completed');
  expect(rig.violations({ finished: true })).toEqual([]);
});

test('parts come in order, each once, from the same tenant, and none after the last', () => {
  const rig = begun([task('a')]);
  expect(add(rig, 3, [task('c')])).toMatchObject({ code: 'not-yet' });
  expect(add(rig, 2, [task('b')], false, 'other')).toMatchObject({ code: 'forbidden' });
  add(rig, 2, [task('b')]);
  expect(add(rig, 2, [task('b')])).toMatchObject({ outcome: 'duplicate' });
  add(rig, 3, [task('c')], true);
  expect(add(rig, 3, [task('c')], true)).toMatchObject({ outcome: 'duplicate' });
  expect(add(rig, 4, [task('d')])).toMatchObject({ code: 'invalid-command' });
  const whole = new EngineRig();
  whole.start([task('a')]);
  expect(add(whole, 2, [task('b')])).toMatchObject({ code: 'invalid-command' });
  expect(whole.send({ ...startBody(), morePlan: true })).toMatchObject({ outcome: 'duplicate' });
  expect(new EngineRig().send({ ...startBody(), morePlan: true })).toMatchObject({ code: 'invalid-command' });
});

test('a plan that turns out wrong fails the run: at once for an id that comes twice, with the last part for the rest', () => {
  const twice = begun([task('a')]);
  expect(add(twice, 2, [task('a')])).toMatchObject({ outcome: 'accepted', result: { invalidPlan: expect.stringContaining('id a') } });
  expect(twice.run()).toMatchObject({ status: 'failed', error: { code: 'invalid-plan' } });
  const lost = begun([task('a', { dependsOn: ['nowhere'] })]);
  add(lost, 2, [task('b')], true);
  expect(lost.run()).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('depends on nowhere') } });
  expect([...twice.violations({ finished: true }), ...lost.violations({ finished: true })]).toEqual([]);
});

test('a run whose parts do not come ends at its deadline, or with a cancel', () => {
  const rig = begun([task('a')], { deadlineMs: 1000 });
  expect(rig.violations()).toEqual([]);
  rig.now += 1000;
  rig.send({ type: 'ExpireRun' });
  expect(rig.run()).toMatchObject({ status: 'failed', error: { code: 'deadline-exceeded' } });
  const cancelled = begun([task('a')]);
  cancelled.send({ type: 'CancelRun', tenant: 'default', reason: '' });
  expect(cancelled.run().status).toBe('cancelled');
  expect([...rig.violations({ finished: true }), ...cancelled.violations({ finished: true })]).toEqual([]);
});

/** What the largest commit of the log takes in the log's form. */
function largest(rig: EngineRig): number {
  const sizes = rig.blocks.map(({ block }) => {
    const draft = new BlockDraft();
    expect(draft.add(block.commits[0]!)).toBe('taken');
    return draft.jsonOf(block).length;
  });
  return Math.max(...sizes);
}

function inParts(tasks: TaskSpecInput[], options: Parameters<typeof startBody>[1]): EngineRig {
  const [first, ...rest] = planParts(specs(tasks)) as [TaskSpec[], ...TaskSpec[][]];
  const rig = begun(first, options);
  rest.forEach((part, i) => expect(add(rig, i + 2, part, i === rest.length - 1).outcome).toBe('accepted'));
  return rig;
}

test('ten thousand tasks beside each other: opened, cancelled, and each commit fits into one message', () => {
  const many = Array.from({ length: 10_000 }, (_, n) => task(`task-with-a-long-name-${n}`));
  const rig = inParts(many, {});
  expect(rig.run()).toMatchObject({ status: 'running', openTasks: 10_001 });
  rig.complete('task-with-a-long-name-7');
  expect(rig.task('answer').spec.dependsOn).toEqual([]);
  rig.send({ type: 'CancelRun', tenant: 'default', reason: '' });
  expect(rig.run().status).toBe('cancelled');
  // A whole part, and the ids of all tasks that open with the last one.
  expect(largest(rig)).toBeLessThan(760 * 1024);
  expect(rig.violations({ finished: true })).toEqual([]);
});

test('thousands of attempts at work, hundreds in the middle of a call: the end of their run fits into one message', () => {
  const many = Array.from({ length: 5000 }, (_, n) => task(`task-with-a-long-name-${n}`));
  const rig = inParts(many, { deadlineMs: 100_000 });
  for (const { id } of many) rig.begin(id);
  for (const { id } of many.slice(0, 800)) rig.ask(id, reservation('x'));
  rig.now += 100_000;
  expect(rig.send({ type: 'ExpireRun' }).outcome).toBe('accepted');
  expect(largest(rig)).toBeLessThan(600 * 1024);
  expect(rig.violations({ finished: true })).toEqual([]);
});

test('ten thousand tasks in a chain: the failure of the first skips them in one commit', () => {
  const chain = Array.from({ length: 9999 }, (_, n) =>
    task(`task-with-a-long-name-${n}`, n === 0 ? {} : { dependsOn: [`task-with-a-long-name-${n - 1}`] }),
  );
  const rig = inParts([...chain, task('other')], { continueOnFailure: true });
  rig.fail('task-with-a-long-name-0');
  expect(rig.run().openTasks).toBe(2);
  expect(largest(rig)).toBeLessThan(600 * 1024);
  rig.complete('other');
  const { results } = rig.begin('answer');
  expect(JSON.stringify(results).length).toBeLessThan(500 * 1024);
  expect(results[0]).toMatchObject({ taskId: 'task-with-a-long-name-0', status: 'failed' });
});

test('at the end of a long chain only the nearest results are told, but all of the direct ones', () => {
  const chain = Array.from({ length: 400 }, (_, n) => task(`t${n}`, n === 0 ? {} : { dependsOn: [`t${n - 1}`] }));
  const wide = task('wide', { dependsOn: chain.map(({ id }) => id) });
  const rig = new EngineRig();
  rig.start([...chain, wide], { summarize: false });
  for (const { id } of chain.slice(0, 399)) rig.complete(id);
  const told = rig.begin('t399').results.map(({ taskId }) => taskId);
  expect([told.length, told[0], told.at(-1)]).toEqual([256, 't143', 't398']);
  rig.finish('t399');
  expect(rig.begin('wide').results).toHaveLength(400);
});

test('a plan with too many tasks, or with too much in their names, is refused', () => {
  const over = begun(Array.from({ length: 6000 }, (_, n) => task(`t${n}`)));
  add(
    over,
    2,
    Array.from({ length: 4001 }, (_, n) => task(`u${n}`)),
    true,
  );
  expect(over.run()).toMatchObject({ error: { message: expect.stringContaining('at most 10000') } });
  const wordy = new EngineRig();
  expect(wordy.start(Array.from({ length: 6000 }, (_, n) => task(`t${'x'.repeat(55)}${n}`)))).toMatchObject({ code: 'invalid-plan' });
});
