import type { QuestionChoice, TaskSpecInput } from '@cadre/contracts';
import { callKey, EngineRig, reservation, settlement, task, toolCall } from '../testing/engine-rig.js';

const held = { taskId: 'a', attempt: 1, workerId: 'w1' };
const once = (name: string, number = 1) => toolCall(name, 'once', { try: number });

function started(rest: Partial<TaskSpecInput> = {}): EngineRig {
  const rig = new EngineRig();
  rig.start([task('a', rest), task('b')], { summarize: false, continueOnFailure: true });
  rig.begin('a');
  return rig;
}

function lostWith(...calls: ReturnType<typeof toolCall>[]): EngineRig {
  const rig = started();
  rig.ask('a', ...calls);
  rig.send({ type: 'LoseAttempt', ...held, reason: 'silent' });
  return rig;
}

const answer = (rig: EngineRig, choice: QuestionChoice, rest: object = {}) =>
  rig.send({ type: 'AnswerQuestion', tenant: 'default', questionId: 'q1', choice, by: 'kim', ...rest });

test('a call that must happen once and was open when its attempt closed becomes a question', () => {
  const rig = lostWith(once('pay'));
  expect(rig.task('a')).toMatchObject({ status: 'asking', counted: 1 });
  expect(rig.run().questions['q1']).toMatchObject({
    kind: 'effect',
    key: callKey('pay'),
    tool: 'tool',
    choices: ['done', 'repeat', 'deny'],
    worker: held.workerId,
    text: expect.stringContaining(`make sure that it does not run before you answer repeat`),
  });
  expect(rig.violations()).toEqual([]);
});

test('and so does one that its worker gives up on, without waiting for the end of the attempt', () => {
  const rig = started();
  rig.ask('a', once('pay'), reservation('x'));
  const unknown = settlement('pay', { outcome: 'unknown' });
  expect(rig.grants('a', [unknown], [reservation('y')])).toMatchObject({ grants: [], ended: { code: 'waiting-for-answer' } });
  expect(rig.task('a')).toMatchObject({ status: 'asking', counted: 0 });
  // It has said all that it knows: nobody is left who might still do it.
  expect(rig.run().questions['q1']).not.toHaveProperty('worker');
  expect(rig.record('a', [unknown], [reservation('y')])).toMatchObject({
    outcome: 'duplicate',
    result: { ended: { code: 'waiting-for-answer' } },
  });
  expect(rig.violations()).toEqual([]);
});

test('done: its record is what the person says, and it is not made again', () => {
  const rig = lostWith(once('pay'));
  expect(answer(rig, 'done', { result: { receipt: 7 } })).toMatchObject({ outcome: 'accepted' });
  expect(answer(rig, 'done')).toEqual({ outcome: 'duplicate' });
  rig.begin('a');
  expect(rig.grants('a', [], [once('pay')]).grants).toEqual([
    { key: callKey('pay'), grant: 'recorded', ok: true, body: { text: '{"receipt":7}' } },
  ]);
  expect(rig.run().usage.toolCalls).toBe(1);
  const plain = lostWith(once('pay'));
  answer(plain, 'done');
  plain.begin('a');
  expect(plain.grants('a', [], [once('pay')]).grants).toMatchObject([{ body: { text: '{"done":true,"by":"kim"}' } }]);
  expect(answer(lostWith(once('pay')), 'done', { result: 'x'.repeat(20_000) })).toMatchObject({ code: 'invalid-command' });
  expect([...rig.violations(), ...plain.violations()]).toEqual([]);
});

test('repeat: it may be made once more', () => {
  const rig = lostWith(once('pay'));
  answer(rig, 'repeat');
  rig.begin('a');
  expect(rig.grants('a', [], [once('pay')]).grants).toEqual([{ key: callKey('pay'), grant: 'retry', try: 2 }]);
  expect(rig.ask('a', once('pay', 2))).toBe('granted');
  rig.record('a', [settlement('pay', { try: 2 })], []);
  expect(rig.ask('a', once('pay', 3))).toBe('recorded');
  expect(rig.violations()).toEqual([]);
});

test('deny: the task fails', () => {
  const rig = lostWith(once('pay'));
  answer(rig, 'deny');
  expect(rig.task('a')).toMatchObject({ status: 'failed', error: { code: 'effect-unknown', retriable: false } });
  expect(rig.violations()).toEqual([]);
});

test('with several in doubt the task waits for every answer', () => {
  const rig = lostWith(once('pay'), once('mail'));
  answer(rig, 'done');
  expect(rig.task('a')).toMatchObject({ status: 'asking', openQuestions: ['q2'] });
  answer(rig, 'repeat', { questionId: 'q2' });
  expect(rig.task('a')).toMatchObject({ status: 'ready', attempt: 2 });
  rig.begin('a');
  expect(rig.ask('a', once('pay'), once('mail', 2))).toBe('recorded granted');
  const denied = lostWith(once('pay'), once('mail'));
  answer(denied, 'deny');
  expect(denied.task('a').status).toBe('failed');
  expect(Object.keys(denied.run().questions)).toEqual(['q1']);
  expect(answer(denied, 'done', { questionId: 'q2' })).toMatchObject({ code: 'unknown-question' });
  expect([...rig.violations(), ...denied.violations()]).toEqual([]);
});

test('no attempts left: the task fails and says that the effect is in doubt', () => {
  const rig = started({ retry: { maxAttempts: 1 } });
  rig.ask('a', once('pay'));
  rig.send({ type: 'LoseAttempt', ...held, reason: 'silent' });
  expect(rig.task('a')).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('not known') } });
  expect(rig.violations()).toEqual([]);
});

test('a fresh start does not do an effect again', () => {
  const rig = started();
  rig.ask('a', once('pay'), toolCall('look'));
  const error = { code: 'malformed-output', message: 'x', retriable: true };
  rig.send({ type: 'FailAttempt', ...held, settle: [settlement('pay'), settlement('look')], error, fresh: true });
  rig.begin('a');
  expect(rig.ask('a', once('pay'), toolCall('look'))).toBe('recorded granted');
  expect(rig.violations()).toEqual([]);
});

test('an idempotent call of unknown outcome is simply made again, under the same key', () => {
  const rig = lostWith(toolCall('put', 'idempotent'));
  rig.begin('a');
  expect(rig.ask('a', toolCall('put', 'idempotent'))).toBe('retry');
  expect(rig.ask('a', toolCall('put', 'idempotent', { try: 2 }))).toBe('granted');
  expect(rig.violations()).toEqual([]);
});

test('a result counts even if an effect stays in doubt: nothing of the task will be repeated', () => {
  const rig = started();
  rig.ask('a', once('pay'));
  rig.finish('a');
  expect(rig.task('a')).toMatchObject({ status: 'completed' });
  expect(rig.run().questions).toEqual({});
  expect(rig.violations()).toEqual([]);
});

test("what a person says was done does not take a fallback agent's turn", () => {
  const rig = started({ agent: 'clerk', fallbackAgents: ['deputy'], timeoutMs: 1000 });
  rig.ask('a', once('pay'));
  rig.now += 1000;
  rig.send({ type: 'ExpireAttempt', taskId: 'a', attempt: 1 });
  answer(rig, 'done');
  expect(rig.task('a')).toMatchObject({ status: 'ready', round: 2, wantedAgent: 'deputy' });
});

test('an answer does not make the next attempt come before the time that a server has named', () => {
  const rig = started();
  rig.ask('a', once('pay'));
  const error = { code: 'model-rate-limited', message: 'slow down', retriable: true, retryAfterMs: 5000 };
  rig.send({ type: 'FailAttempt', ...held, error });
  const failedAt = rig.now;
  rig.now += 1000;
  answer(rig, 'repeat');
  expect(rig.task('a').notBefore).toBe(failedAt + 5000);
  expect(rig.violations()).toEqual([]);
});
