import type { TaskSpecInput } from '@cadre/contracts';
import { callKey, EngineRig, reservation, result, settlement, task, toolCall } from '../testing/engine-rig.js';

const held = { taskId: 'a', attempt: 1, workerId: 'w1' };

function started(rest: Partial<TaskSpecInput> = {}, options: Parameters<EngineRig['start']>[1] = {}): EngineRig {
  const rig = new EngineRig();
  rig.start([task('a', rest)], { summarize: false, ...options });
  rig.begin('a');
  return rig;
}

describe('reserving and settling', () => {
  test('a call is granted, and settled with the reservation of the next one in one commit', () => {
    const rig = started();
    expect(rig.ask('a', reservation('x'))).toBe('granted');
    expect(rig.run().spent).toEqual({ settledMicros: 0, reservedMicros: 100 });
    const blocks = rig.blocks.length;
    expect(rig.grants('a', [settlement('x')], [toolCall('y')])).toEqual({ grants: [{ key: callKey('y'), grant: 'granted' }] });
    expect(rig.blocks).toHaveLength(blocks + 1);
    expect(rig.run().spent).toEqual({ settledMicros: 40, reservedMicros: 0 });
    expect(rig.run().usage).toEqual({ modelCalls: 1, toolCalls: 0, inputTokens: 10, outputTokens: 1, costMicros: 40 });
    expect(rig.task('a').openCalls).toEqual([callKey('y')]);
  });

  test('the last calls are settled with the result, and what is left open counts as unknown, at its reservation', () => {
    const rig = started();
    rig.ask('a', reservation('x'), reservation('y'));
    rig.send({ type: 'CompleteAttempt', ...held, settle: [settlement('x')], result: result() });
    expect(rig.run()).toMatchObject({
      status: 'completed',
      spent: { settledMicros: 140, reservedMicros: 0 },
      usage: { modelCalls: 2, costMicros: 140 },
    });
    expect(rig.run().calls).toEqual({});
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('what a repetition or a late message says changes nothing', () => {
    const rig = started();
    rig.ask('a', reservation('x'));
    expect(rig.record('a', [], [reservation('x')])).toMatchObject({ outcome: 'duplicate', result: { grants: [{ grant: 'granted' }] } });
    rig.record('a', [settlement('x')], []);
    expect(rig.record('a', [settlement('x', { costMicros: 90 })], [])).toMatchObject({ outcome: 'duplicate' });
    expect(rig.run().spent.settledMicros).toBe(40);
    expect(rig.record('a', [], [reservation('x')])).toEqual({
      outcome: 'duplicate',
      result: { grants: [{ key: callKey('x'), grant: 'recorded', ok: true, body: { text: 'x answered' } }] },
    });
    expect(rig.grants('a', [], [reservation('z', { try: 7 })]).grants).toEqual([{ key: callKey('z'), grant: 'retry', try: 1 }]);
  });

  test('a try that came to nothing is followed by the next one, and only by that', () => {
    const rig = started();
    rig.ask('a', reservation('x'));
    rig.record('a', [settlement('x', { outcome: 'failed', ok: false, costMicros: 0 })], []);
    expect(rig.grants('a', [], [reservation('x')]).grants).toEqual([{ key: callKey('x'), grant: 'retry', try: 2 }]);
    expect(rig.ask('a', reservation('x', { try: 3 }))).toBe('retry');
    expect(rig.ask('a', reservation('x', { try: 2 }))).toBe('granted');
    expect(rig.grants('a', [], [reservation('x')]).grants).toEqual([{ key: callKey('x'), grant: 'retry', try: 2 }]);
    expect(rig.record('a', [settlement('x', { outcome: 'failed' })], [])).toMatchObject({ outcome: 'duplicate' });
    rig.record('a', [settlement('x', { try: 2 })], []);
    expect(rig.run().usage).toMatchObject({ modelCalls: 2, costMicros: 40 });
  });

  test('an unknown outcome is billed at the reservation, an overcharge counts and is named', () => {
    const rig = started();
    rig.ask('a', reservation('x'), reservation('y'));
    rig.record('a', [settlement('x', { outcome: 'unknown', costMicros: 3 }), settlement('y', { costMicros: 130 })], []);
    expect(rig.run()).toMatchObject({ spent: { settledMicros: 230, reservedMicros: 0 }, usage: { costMicros: 230, overrunMicros: 30 } });
    expect(rig.violations()).toEqual([]);
  });

  test('a call that was never reserved cannot be settled, and nothing of its command counts', () => {
    const rig = started();
    rig.ask('a', reservation('x'));
    expect(rig.record('a', [settlement('x'), settlement('stray')], [])).toMatchObject({ outcome: 'rejected', code: 'invalid-command' });
    expect(rig.send({ type: 'CompleteAttempt', ...held, settle: [settlement('stray')], result: result() })).toMatchObject({
      code: 'invalid-command',
    });
    expect(rig.run().usage.modelCalls).toBe(0);
  });

  test('only for the open attempt and its worker', () => {
    const rig = started();
    rig.ask('a', reservation('x'));
    expect(rig.record('a', [settlement('x')], [], 'w2')).toMatchObject({ code: 'attempt-taken' });
    rig.send({ type: 'LoseAttempt', ...held, reason: 'silent' });
    expect(rig.send({ type: 'RecordCalls', ...held, settle: [settlement('x')], reserve: [] })).toMatchObject({ code: 'attempt-closed' });
    expect(rig.run().spent).toEqual({ settledMicros: 100, reservedMicros: 0 });
  });

  test('a tool outside of the grant is refused', () => {
    const rig = new EngineRig();
    rig.tools = ['tool', 'other'];
    rig.start([task('a', { tools: ['other', 'third'] })], { summarize: false });
    expect(rig.begin('a').tools).toEqual(['other']);
    expect(rig.record('a', [], [toolCall('x')])).toMatchObject({ outcome: 'rejected', code: 'not-granted' });
    expect(rig.ask('a', toolCall('x', 'none', { name: 'other' }))).toBe('granted');
  });
});

describe('resuming', () => {
  test('the next attempt of the round is given the record, in the same words, and pays nothing again', () => {
    const rig = started();
    rig.ask('a', reservation('x'));
    rig.record('a', [settlement('x', { ok: false, files: [] })], [reservation('y')]);
    rig.send({ type: 'LoseAttempt', ...held, reason: 'silent' });
    expect(rig.task('a')).toMatchObject({ round: 1, wantedAgent: 'generalist', usage: { modelCalls: 2, costMicros: 140 } });
    const assignment = rig.begin('a', 'w2');
    expect(assignment).toMatchObject({ attempt: 2, round: 1 });
    expect(assignment).not.toHaveProperty('previousError');
    expect(rig.record('a', [], [reservation('x')], 'w2')).toEqual({
      outcome: 'duplicate',
      result: { grants: [{ key: callKey('x'), grant: 'recorded', ok: false, body: { text: 'x answered' }, files: [] }] },
    });
    expect(rig.record('a', [], [reservation('y')], 'w2')).toMatchObject({ result: { grants: [{ grant: 'retry', try: 2 }] } });
    expect(rig.record('a', [], [reservation('y', { try: 2 })], 'w2')).toMatchObject({ outcome: 'accepted' });
    rig.record('a', [settlement('y', { try: 2 })], [], 'w2');
    rig.finish('a', result(), 'w2');
    expect(rig.run().usage).toMatchObject({ modelCalls: 3, costMicros: 180 });
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('a handed-back attempt settles what it knows and resumes at once', () => {
    const rig = started();
    rig.ask('a', reservation('x'));
    rig.send({ type: 'ReleaseAttempt', ...held, settle: [settlement('x')] });
    rig.begin('a');
    expect(rig.ask('a', reservation('x'))).toBe('recorded');
  });

  test('a failure of the content starts anew: only effects are remembered, and the reason is told', () => {
    const rig = started();
    rig.ask('a', reservation('x'), toolCall('read'), toolCall('put', 'idempotent'));
    const done = ['x', 'read', 'put'].map((name) => settlement(name));
    const error = { code: 'malformed-output', message: 'not JSON', retriable: true };
    rig.send({ type: 'FailAttempt', ...held, settle: done, error, fresh: true });
    expect(rig.begin('a')).toMatchObject({ round: 2, previousError: 'not JSON' });
    expect(rig.ask('a', reservation('x'), toolCall('read'), toolCall('put', 'idempotent'))).toBe('granted granted recorded');
    expect(rig.violations()).toEqual([]);
  });

  test('so does the turn of a fallback agent, but not the loss of a worker', () => {
    const rig = started({ agent: 'first', fallbackAgents: ['second'], retry: { maxAttempts: 5, backoffMs: 0 } });
    rig.ask('a', reservation('x'));
    rig.record('a', [settlement('x')], []);
    rig.send({ type: 'LoseAttempt', ...held, reason: 'silent' });
    expect(rig.task('a')).toMatchObject({ round: 1, wantedAgent: 'first' });
    rig.begin('a');
    const error = { code: 'model-unavailable', message: 'down', retriable: true };
    rig.send({ type: 'FailAttempt', ...held, attempt: 2, error });
    expect(rig.task('a')).toMatchObject({ round: 2, wantedAgent: 'second' });
    rig.begin('a');
    rig.send({ type: 'FailAttempt', ...held, attempt: 3, error });
    expect(rig.task('a')).toMatchObject({ round: 2, wantedAgent: 'second' });
    expect(rig.violations()).toEqual([]);
  });

  test('what the server asked for is waited for, where the policy asks for less', () => {
    const rig = started({ retry: { backoffMs: 100, jitter: 0 } });
    const error = { code: 'rate-limited', message: 'slow down', retriable: true, retryAfterMs: 5000 };
    rig.send({ type: 'FailAttempt', ...held, error });
    expect(rig.task('a').notBefore - rig.now).toBe(5000);
    rig.begin('a');
    rig.send({ type: 'FailAttempt', ...held, attempt: 2, error: { ...error, retryAfterMs: 1 } });
    expect(rig.task('a').notBefore - rig.now).toBe(200);
  });
});

test('a run of a thousand calls keeps its log and its fold small', () => {
  const rig = started();
  rig.ask('a', reservation('0'));
  for (let n = 1; n <= 1000; n += 1) rig.record('a', [settlement(`${n - 1}`)], [reservation(`${n}`)]);
  rig.finish('a');
  const bytes = JSON.stringify(rig.blocks.map(({ block }) => block.commits)).length;
  expect(bytes / 1000).toBeLessThan(700);
  expect(JSON.stringify(rig.run()).length).toBeLessThan(3000);
  expect(rig.violations({ finished: true })).toEqual([]);
});
