import type { TaskSpecInput } from '@cadre/contracts';
import { EngineRig, reservation, result, RUN_ID, settlement, startBody, task } from '../testing/engine-rig.js';

const held = { taskId: 'a', attempt: 1, workerId: 'w1' };
function started(rest: Parameters<typeof task>[1] = {}): EngineRig {
  const rig = new EngineRig();
  rig.start([task('a', rest)], { summarize: false });
  rig.begin('a');
  return rig;
}

describe('starting a run', () => {
  test('a submitted plan runs at once, with the answer task after it', () => {
    const rig = new EngineRig();
    expect(rig.start([task('a'), task('b', { dependsOn: ['a'] })])).toMatchObject({ outcome: 'accepted', result: { runId: RUN_ID } });
    expect(rig.statuses()).toBe('a:ready b:waiting answer:waiting');
    expect(rig.run()).toMatchObject({ status: 'running', planSource: 'submitted', seq: 1, deadlineAt: rig.now + 30 * 60_000 });
    expect(rig.task('answer').spec).toMatchObject({ require: 'settled', dependsOn: ['a', 'b'], skills: ['synthesis'] });
  });

  test('without a plan there is first a planning task', () => {
    const rig = new EngineRig();
    rig.start();
    expect(rig.statuses()).toBe('plan:ready');
    expect(rig.run().status).toBe('planning');
    expect(rig.task('plan').spec).toMatchObject({ skills: ['planning'], timeoutMs: 60_000, retry: { maxAttempts: 2 } });
  });

  test('the same request again is a duplicate, another one a conflict, also after the end', () => {
    const rig = new EngineRig();
    const body = startBody([task('a')], { summarize: false });
    rig.send(body);
    expect(rig.send(body)).toEqual({ outcome: 'duplicate', result: { runId: RUN_ID } });
    expect(rig.send({ ...body, fingerprint: 'f2' })).toMatchObject({ outcome: 'rejected', code: 'run-conflict' });
    rig.complete('a');
    expect(rig.run().status).toBe('completed');
    expect(rig.send(body)).toMatchObject({ outcome: 'duplicate' });
    expect(rig.send({ ...body, fingerprint: 'f2' })).toMatchObject({ code: 'run-conflict' });
    expect(rig.send({ ...body, tenant: 'other' })).toMatchObject({ code: 'run-conflict' });
  });

  test('a plan that cannot run is refused with its faults', () => {
    const rig = new EngineRig();
    const decision = rig.start([task('a', { dependsOn: ['b'] }), task('b', { dependsOn: ['a'] })]);
    expect(decision).toMatchObject({ outcome: 'rejected', code: 'invalid-plan', message: expect.stringContaining('a → b → a') });
    expect(rig.blocks).toEqual([]);
  });

  test('any other command for an unknown run is refused', () => {
    const rig = new EngineRig();
    expect(rig.send({ type: 'ExpireRun' })).toMatchObject({ code: 'unknown-run' });
  });
});

describe('starting an attempt', () => {
  test('the first worker gets it, with the assignment; asking again gets the same; others are refused', () => {
    const rig = new EngineRig();
    rig.start([task('a', { timeoutMs: 5000 })], { summarize: false });
    const start = { type: 'StartAttempt' as const, ...held, agent: 'generalist' };
    const first = rig.send(start);
    expect(first).toMatchObject({ outcome: 'accepted', result: { taskId: 'a', attempt: 1, kind: 'work', deadlineAt: rig.now + 5000 } });
    expect(rig.send(start)).toEqual({ ...first, outcome: 'duplicate', events: undefined });
    expect(rig.send({ ...start, workerId: 'w2' })).toMatchObject({ code: 'attempt-taken' });
    expect(rig.send({ ...start, attempt: 2 })).toMatchObject({ code: 'attempt-closed' });
    expect(rig.send({ ...start, taskId: 'constructor' })).toMatchObject({ code: 'unknown-task' });
  });

  test('another life of the same worker cannot go on with it: what the first has reserved may be on its way', () => {
    const rig = new EngineRig();
    rig.start([task('a')]);
    const start = { type: 'StartAttempt' as const, ...held, agent: 'generalist', tools: ['tool'], life: 'one' };
    expect(rig.send(start)).toMatchObject({ outcome: 'accepted' });
    expect(rig.send(start)).toMatchObject({ outcome: 'duplicate' });
    expect(rig.send({ ...start, life: 'two' })).toMatchObject({ code: 'attempt-taken' });
  });

  test('a deadline of the run comes before the longest time of the attempt, and nothing starts after it', () => {
    const rig = new EngineRig();
    rig.start([task('a', { timeoutMs: 60_000 })], { summarize: false, deadlineMs: 1000 });
    rig.now += 400;
    expect(rig.begin('a').deadlineAt).toBe(rig.now + 600);
    const late = new EngineRig();
    late.start([task('a')], { summarize: false, deadlineMs: 1000 });
    late.now += 1000;
    expect(late.send({ type: 'StartAttempt', ...held, agent: 'generalist' })).toMatchObject({ code: 'attempt-closed' });
  });

  test('not before its time, and only by the agent that it is for', () => {
    const rig = started({ agent: 'generalist', fallbackAgents: ['second'], retry: { backoffMs: 1000 } });
    const error = { code: 'x-broke', message: 'x', retriable: true };
    rig.send({ type: 'FailAttempt', ...held, error });
    const again = { type: 'StartAttempt' as const, ...held, attempt: 2, agent: 'second' };
    expect(rig.send(again)).toMatchObject({ code: 'not-yet' });
    rig.now += 1000;
    expect(rig.send({ ...again, agent: 'generalist' })).toMatchObject({ code: 'invalid-command' });
    expect(rig.send(again)).toMatchObject({ outcome: 'accepted', result: { previousError: 'x' } });
  });
});

describe('ending an attempt', () => {
  test('a result counts once, for the attempt and the worker that hold it', () => {
    const rig = new EngineRig();
    rig.start([task('a'), task('b')], { summarize: false });
    const complete = { type: 'CompleteAttempt' as const, ...held, result: result() };
    expect(rig.send(complete)).toMatchObject({ code: 'attempt-closed', message: expect.stringContaining('StartAttempt') });
    rig.begin('a');
    expect(rig.send({ ...complete, workerId: 'w2' })).toMatchObject({ code: 'attempt-taken' });
    expect(rig.send({ ...complete, attempt: 2 })).toMatchObject({ code: 'attempt-closed' });
    expect(rig.send(complete)).toMatchObject({ outcome: 'accepted' });
    expect(rig.send(complete)).toEqual({ outcome: 'duplicate' });
    expect(rig.send({ ...complete, workerId: 'w2' })).toMatchObject({ code: 'attempt-closed' });
    expect(rig.send({ type: 'LoseAttempt', ...held, reason: 'silent' })).toMatchObject({ code: 'attempt-closed' });
    expect(rig.statuses()).toBe('a:completed b:ready');
  });

  test('a failure that may pass is tried again after a growing delay, as often as the policy says', () => {
    const rig = started({ retry: { maxAttempts: 3, backoffMs: 100, factor: 3, jitter: 0.5 } });
    const error = { code: 'x-broke', message: 'x', retriable: true };
    const fail = { type: 'FailAttempt' as const, ...held, error };
    expect(rig.send(fail)).toMatchObject({ outcome: 'accepted' });
    expect(rig.send(fail)).toEqual({ outcome: 'duplicate' });
    expect(rig.task('a')).toMatchObject({ status: 'ready', attempt: 2, counted: 1, notBefore: rig.now + 100 });
    rig.begin('a');
    rig.random = 0.999;
    expect(rig.send(fail)).toEqual({ outcome: 'duplicate' });
    rig.send({ ...fail, attempt: 2 });
    expect(rig.send(fail)).toEqual({ outcome: 'duplicate' });
    expect(rig.task('a').notBefore - rig.now).toBe(151);
    rig.begin('a');
    rig.send({ ...fail, attempt: 3 });
    expect(rig.run()).toMatchObject({ status: 'failed', error: { code: 'task-failed', message: 'Task a (a) failed: x' } });
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('a failure that cannot pass fails the task at once', () => {
    const rig = new EngineRig();
    rig.start([task('a', { fallbackAgents: ['second'] })], { summarize: false });
    rig.fail('a', false);
    expect(rig.task('a')).toMatchObject({ status: 'failed', attempt: 1 });
  });

  test('fallback agents take later attempts in order', () => {
    const rig = new EngineRig();
    rig.start([task('a', { agent: 'first', fallbackAgents: ['second', 'third'], retry: { maxAttempts: 5 } })], { summarize: false });
    const agents = [rig.task('a').wantedAgent];
    for (let n = 0; n < 4; n += 1) {
      rig.fail('a', true);
      agents.push(rig.task('a').wantedAgent);
    }
    expect(agents).toEqual(['first', 'second', 'third', 'third', 'third']);
  });

  test('a result below the wanted confidence goes to the fallback agents while there are any', () => {
    const rig = new EngineRig();
    rig.start([task('a', { minConfidence: 0.8, fallbackAgents: ['second'] })], { summarize: false });
    const unsure = result('maybe', { confidence: 0.5 });
    rig.complete('a', unsure);
    expect(rig.task('a')).toMatchObject({ status: 'ready', attempt: 2, wantedAgent: 'second', error: { code: 'low-confidence' } });
    expect(rig.send({ type: 'CompleteAttempt', ...held, result: unsure })).toEqual({ outcome: 'duplicate' });
    rig.complete('a', unsure);
    expect(rig.task('a')).toMatchObject({ status: 'completed', result: { confidence: 0.5 } });
  });

  test('a result of unknown confidence is below any that is wanted, unless the task says otherwise', () => {
    const { confidence: _, ...unknown } = result('maybe');
    const tried = (rest: Partial<TaskSpecInput>) => {
      const rig = new EngineRig();
      rig.start([task('a', { minConfidence: 0.1, fallbackAgents: ['second'], ...rest })], { summarize: false });
      rig.complete('a', unknown);
      return rig.task('a');
    };
    expect(tried({})).toMatchObject({ status: 'ready', wantedAgent: 'second', error: { code: 'low-confidence' } });
    expect(tried({}).error?.message).toBe('The result does not say how sure it is; 0.1 is asked for.');
    expect(tried({ unknownConfidence: 'pass' })).toMatchObject({ status: 'completed', result: unknown });
    expect(tried({ minConfidence: 0 })).toMatchObject({ status: 'completed' });
  });

  test('an earlier result may stand for that of the first attempt only', () => {
    const rig = new EngineRig();
    rig.start([task('a', { cache: { ttlMs: 500 }, minConfidence: 0.5 }), task('b', { cache: { ttlMs: 700 } }), task('c')], {
      summarize: false,
    });
    expect([rig.begin('a').cache, rig.begin('b').cache, rig.begin('c').cache]).toEqual([
      { ttlMs: 500, minConfidence: 0.5 },
      { ttlMs: 700 },
      undefined,
    ]);
    const cachedFrom = { runId: RUN_ID, taskId: 'z' };
    rig.finish('b', result('kept', { cachedFrom }));
    expect(rig.task('b').result).toEqual(result('kept', { cachedFrom }));
    rig.send({ type: 'FailAttempt', ...held, error: { code: 'broken', message: 'it broke', retriable: true } });
    rig.now = rig.task('a').notBefore;
    expect(rig.begin('a')).not.toHaveProperty('cache');
  });

  test('an attempt handed back does not count; a lost one does', () => {
    const rig = started({ retry: { maxAttempts: 2 } });
    const release = { type: 'ReleaseAttempt' as const, ...held };
    expect(rig.send({ ...release, workerId: 'w2' })).toMatchObject({ code: 'attempt-taken' });
    rig.send(release);
    expect(rig.send(release)).toEqual({ outcome: 'duplicate' });
    expect(rig.task('a')).toMatchObject({ status: 'ready', attempt: 2, counted: 0, notBefore: rig.now });
    const lose = { type: 'LoseAttempt' as const, ...held, attempt: 2, reason: 'silent' };
    expect(rig.send(lose)).toMatchObject({ code: 'attempt-closed' });
    rig.begin('a');
    rig.send(lose);
    expect(rig.send(lose)).toEqual({ outcome: 'duplicate' });
    expect(rig.task('a')).toMatchObject({ attempt: 3, counted: 1 });
    rig.begin('a');
    rig.send({ ...lose, attempt: 3 });
    expect(rig.run()).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('silent') } });
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('time runs out only when it has', () => {
    const rig = started({ timeoutMs: 1000 });
    const expire = { type: 'ExpireAttempt' as const, taskId: 'a', attempt: 1 };
    rig.now += 999;
    expect(rig.send(expire)).toMatchObject({ code: 'not-yet' });
    rig.now += 1;
    expect(rig.send(expire)).toMatchObject({ outcome: 'accepted' });
    expect(rig.task('a')).toMatchObject({ attempt: 2, counted: 1, error: { code: 'attempt-timeout' } });
    expect(rig.send(expire)).toEqual({ outcome: 'duplicate' });
  });
});

describe('ending a run early', () => {
  function busy(): EngineRig {
    const rig = new EngineRig();
    rig.start([task('a'), task('b'), task('c', { dependsOn: ['a'] }), task('d')], { deadlineMs: 10_000 });
    rig.complete('d', result('d', { artifacts: [{ name: 'd.md', sha256: 'a'.repeat(64), size: 1, mediaType: 'text/markdown' }] }));
    rig.begin('a');
    rig.record('a', [], [reservation('x')]);
    rig.record('a', [settlement('x')], [reservation('y')]);
    return rig;
  }

  test('a deadline fails the run, not earlier', () => {
    const rig = busy();
    rig.now += 9_999;
    expect(rig.send({ type: 'ExpireRun' })).toMatchObject({ code: 'not-yet' });
    rig.now += 1;
    expect(rig.send({ type: 'ExpireRun' })).toMatchObject({ outcome: 'accepted' });
    expect(rig.run()).toMatchObject({ status: 'failed', error: { code: 'deadline-exceeded' } });
    expect(rig.send({ type: 'CancelRun', tenant: 'default', reason: '' })).toMatchObject({ code: 'run-ended' });
    expect(rig.violations({ finished: true })).toEqual([]);
  });
});

describe('what agents think', () => {
  const thinking = { ref: { sha256: 'a'.repeat(64), size: 9, mediaType: 'application/json' }, preview: '{}' };
  const completed = (options: { collectThinking?: boolean }) => {
    const rig = new EngineRig();
    rig.start([task('a'), task('b', { dependsOn: ['a'], condition: '!has(results.a.thinking)' })], { summarize: false, ...options });
    const begun = rig.begin('a');
    rig.finish('a', result('done', { thinking }));
    return { rig, begun };
  };

  test('is kept beside the result when the run collects it, and no later task sees it', () => {
    const { rig, begun } = completed({ collectThinking: true });
    expect(begun).toMatchObject({ collectThinking: true });
    expect(rig.task('a').result).toEqual({ ...result('done'), thinking });
    expect(rig.statuses()).toBe('a:completed b:ready');
    expect(JSON.stringify(rig.begin('b'))).not.toContain('thinking"');
    expect(rig.violations()).toEqual([]);
  });

  test.each([{}, { collectThinking: false }])('is left out by a run with %j, whatever the worker sends', (options) => {
    const { rig, begun } = completed(options);
    expect(begun).not.toHaveProperty('collectThinking');
    expect(rig.task('a').result).toEqual(result('done'));
  });
});
