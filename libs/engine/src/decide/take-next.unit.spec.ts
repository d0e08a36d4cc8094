import type { CompletionReply, Continuation, TaskSpecInput } from '@cadre/contracts';
import { EngineRig, result } from '../testing/index.js';

const task = (id: string, rest: Partial<TaskSpecInput> = {}): TaskSpecInput => ({ id, title: id, instructions: 'do it', ...rest });
const grant: Continuation = { agent: 'generalist', tools: ['tool', 'other'], life: 'l1', slots: 1 };

function rigOf(tasks: TaskSpecInput[]): EngineRig {
  const rig = new EngineRig();
  rig.start(tasks);
  return rig;
}

/** Completes a running task by a worker that would go on. @returns `accepted b/1`: what it goes on with */
function goOn(rig: EngineRig, id: string, next: Continuation = grant, workerId = 'w1', confidence = 0.9): string {
  const decision = rig.finish(id, result(id, { confidence }), workerId, next);
  const reply = 'result' in decision ? (decision.result as unknown as CompletionReply | undefined) : undefined;
  return [decision.outcome, ...(reply?.next ?? []).map(({ taskId, attempt }) => `${taskId}/${attempt}`)].join(' ');
}

test('a worker goes on with the task that its result makes ready, in the commit of the result', () => {
  const rig = rigOf([task('a'), task('b', { dependsOn: ['a'], tools: ['tool'] }), task('c', { dependsOn: ['b'] })]);
  rig.begin('a');
  expect(goOn(rig, 'a')).toBe('accepted b/1');
  expect(rig.blocks.at(-1)?.block.commits[0]?.events.map(({ type }) => type)).toEqual([
    'TaskCompleted',
    'AttemptScheduled',
    'AttemptStarted',
  ]);
  expect(rig.task('b')).toMatchObject({ status: 'running', workerId: 'w1', life: 'l1', agent: 'generalist', tools: ['tool'], after: 'a' });
  expect(rig.task('b').deadlineAt).toBe(rig.now + 600_000);
  expect(goOn(rig, 'b')).toBe('accepted c/1');
  expect(goOn(rig, 'c')).toBe('accepted');
  expect(rig.statuses()).toBe('a:completed b:completed c:completed answer:ready');
  expect(rig.violations()).toEqual([]);
});

test('the assignment holds what came before', () => {
  const rig = rigOf([task('a'), task('b', { dependsOn: ['a'] })]);
  rig.begin('a');
  const decision = rig.finish('a', result('from a'), 'w1', grant);
  expect(decision).toMatchObject({ result: { next: [{ taskId: 'b', results: [{ taskId: 'a', answer: { text: 'from a' } }] }] } });
});

test('it gets as many tasks as it would take, the most urgent ones, the others are left to the scheduler', () => {
  const rig = rigOf([
    task('a'),
    ...['b', 'c', 'd'].map((id) => task(id, { dependsOn: ['a'], priority: id === 'd' ? 'critical' : 'medium' })),
  ]);
  rig.begin('a');
  expect(goOn(rig, 'a', { ...grant, slots: 2 })).toBe('accepted d/1 b/1');
  expect(rig.statuses()).toBe('a:completed b:running c:ready d:running answer:waiting');
  expect(goOn(rig, 'a', { ...grant, slots: 2 })).toBe('duplicate b/1 d/1');
  expect(rig.violations()).toEqual([]);
});

test('an answer holds no more than fits into a message with others', () => {
  const parts = Array.from({ length: 20 }, (_, n) => task(`b${n}`, { dependsOn: ['a'], instructions: 'x'.repeat(8000) }));
  const rig = rigOf([task('a'), ...parts]);
  rig.begin('a');
  const decision = rig.finish('a', result('a'), 'w1', { ...grant, slots: 100 });
  const { length } = JSON.stringify('result' in decision && decision.result);
  expect(length).toBeGreaterThan(64_000);
  expect(length).toBeLessThan(100_000);
});

test.each<[string, Partial<TaskSpecInput>, Partial<TaskSpecInput>, Continuation, string]>([
  ['other skills', { skills: ['coding'] }, { skills: ['testing'] }, grant, 'accepted'],
  ['more skills', { skills: ['coding'] }, { skills: ['coding', 'testing'] }, grant, 'accepted'],
  ['the same skills in another order', { skills: ['x', 'y'] }, { skills: ['y', 'x'] }, grant, 'accepted b/1'],
  ['a label more', { labels: { gpu: true } }, { labels: { gpu: true, region: 'eu' } }, grant, 'accepted'],
  ['labels that were asked for before', { labels: { gpu: true, region: 'eu' } }, { labels: { gpu: 'true' } }, grant, 'accepted b/1'],
  ['a label, by name', { agent: 'generalist' }, { agent: 'generalist', labels: { gpu: true } }, grant, 'accepted'],
  ['another agent', {}, { agent: 'reviewer' }, grant, 'accepted'],
  ['this very agent', { skills: ['x'] }, { agent: 'generalist' }, grant, 'accepted b/1'],
  ['any agent, after one for a named agent', { agent: 'generalist' }, {}, grant, 'accepted'],
])('a task that asks for %s', (_what, first, second, next, outcome) => {
  const rig = rigOf([task('a', first), task('b', { dependsOn: ['a'], ...second })]);
  rig.begin('a');
  expect(goOn(rig, 'a', next)).toBe(outcome);
  expect(rig.task('b').status).toBe(outcome === 'accepted' ? 'ready' : 'running');
});

test('a repeated command is answered with the same assignment, as long as that attempt runs', () => {
  const rig = rigOf([task('a'), task('b', { dependsOn: ['a'], retry: { maxAttempts: 3, backoffMs: 0 } }), task('c', { dependsOn: ['b'] })]);
  rig.begin('a');
  expect(goOn(rig, 'a')).toBe('accepted b/1');
  expect(goOn(rig, 'a')).toBe('duplicate b/1');
  expect(goOn(rig, 'a', { ...grant, life: 'l2' })).toBe('duplicate');
  rig.send({ type: 'LoseAttempt', taskId: 'b', attempt: 1, workerId: 'w1', reason: 'gone' });
  expect(goOn(rig, 'a')).toBe('duplicate');
  rig.begin('b');
  expect(goOn(rig, 'a')).toBe('duplicate');
  expect(rig.violations()).toEqual([]);
});

test('nobody goes on in a run that is being cancelled or whose time is up, or from a result that did not count', () => {
  const chain = [task('a', { minConfidence: 0.5, fallbackAgents: ['reviewer'], retry: { backoffMs: 0 } }), task('b', { dependsOn: ['a'] })];
  const cancelled = rigOf(chain);
  cancelled.begin('a');
  cancelled.send({ type: 'CancelRun', tenant: 'default', reason: 'enough' });
  expect(goOn(cancelled, 'a')).toBe('accepted');
  const late = rigOf(chain);
  late.begin('a');
  late.now = late.run().deadlineAt;
  expect(goOn(late, 'a')).toBe('accepted');
  const unsure = rigOf(chain);
  unsure.begin('a');
  expect(goOn(unsure, 'a', grant, 'w1', 0.1)).toBe('accepted');
  expect(unsure.task('a')).toMatchObject({ status: 'ready', wantedAgent: 'reviewer' });
  const again = rigOf([task('a', { minConfidence: 0.5, fallbackAgents: ['generalist'], retry: { backoffMs: 0 } })]);
  again.begin('a');
  expect(goOn(again, 'a', grant, 'w1', 0.1)).toBe('accepted');
  expect(again.task('a')).toMatchObject({ status: 'ready', wantedAgent: 'generalist' });
});
