/** A model server that limits, loads or cannot be reached does not use up a task's attempts. */
import { PLAN_TASK } from '@cadre/contracts';
import type { TaskSpecInput } from '@cadre/contracts';
import { EngineRig, reservation, settlement, task } from '../testing/engine-rig.js';

const LOADING = 'The model server answered 503: Loading model';

function trouble(rig: EngineRig, id: string, retryAfterMs?: number): number {
  rig.begin(id);
  const { attempt } = rig.task(id);
  const error = { code: 'model-loading', message: LOADING, retriable: true, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  rig.send({ type: 'FailAttempt', taskId: id, attempt, workerId: 'w1', error, cause: 'server' });
  return rig.task(id).notBefore - rig.now;
}

function started(rest: Partial<TaskSpecInput> = {}, options: Parameters<EngineRig['start']>[1] = {}): EngineRig {
  const rig = new EngineRig();
  rig.start([task('a', rest)], { summarize: false, ...options });
  return rig;
}

describe('a task whose model server is in trouble', () => {
  test('waits longer each time, up to a minute, and none of its attempts count', () => {
    const rig = started({ retry: { maxAttempts: 1 } });
    const waits = Array.from({ length: 9 }, () => trouble(rig, 'a'));
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(rig.task('a')).toMatchObject({ status: 'ready', counted: 0, attempt: 10, error: { message: LOADING } });
    rig.complete('a');
    expect(rig.run().status).toBe('completed');
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('waits are spread, but never end before the time that the server has named', () => {
    const rig = started();
    rig.random = 0.5;
    expect([trouble(rig, 'a', 20_000), trouble(rig, 'a', 20_000), trouble(rig, 'a'), trouble(rig, 'a', 10)]).toEqual([
      20_500, 20_500, 3000, 6000,
    ]);
    expect(rig.violations()).toEqual([]);
  });

  test('a call that was answered begins the waits anew, and the next attempt resumes from it', () => {
    const rig = started();
    trouble(rig, 'a');
    expect(rig.begin('a').waited).toBe(1);
    rig.record('a', [], [reservation('x')]);
    rig.record('a', [settlement('x')], []);
    const { attempt } = rig.task('a');
    const error = { code: 'model-rate-limited', message: 'Later.', retriable: true };
    rig.send({ type: 'FailAttempt', taskId: 'a', attempt, workerId: 'w1', error, cause: 'server' });
    expect(rig.task('a')).toMatchObject({
      notBefore: rig.now + 1000,
      round: 1,
      resumable: true,
      serverWait: { attempts: 1, since: rig.now },
    });
    expect(rig.violations()).toEqual([]);
  });

  test('other failures count as ever', () => {
    const rig = started({ retry: { maxAttempts: 2, jitter: 0 } });
    trouble(rig, 'a');
    rig.fail('a', true);
    expect(rig.task('a')).toMatchObject({ counted: 1, notBefore: rig.now + 500, serverWait: undefined });
    trouble(rig, 'a');
    rig.fail('a', true);
    expect(rig.task('a')).toMatchObject({ status: 'failed', counted: 2 });
    expect(rig.violations()).toEqual([]);
  });

  test('who does not want to wait says so, for a task or for the run', () => {
    const impatient = started({ retry: { maxAttempts: 2, maxServerWaitMs: 0, jitter: 0 } });
    expect(trouble(impatient, 'a')).toBe(500);
    trouble(impatient, 'a');
    expect(impatient.task('a')).toMatchObject({ status: 'failed', error: { message: LOADING } });

    const limited = started({ retry: { maxAttempts: 1 } }, { maxServerWaitMs: 3000 });
    expect([trouble(limited, 'a'), trouble(limited, 'a')]).toEqual([1000, 2000]);
    trouble(limited, 'a');
    expect(limited.task('a').status).toBe('failed');
    expect([...impatient.violations(), ...limited.violations()]).toEqual([]);
  });

  test('goes to its fallback agents first, at once, and waits with the last of them', () => {
    const rig = started({ agent: 'first', fallbackAgents: ['second'], retry: { maxAttempts: 2 } });
    expect(trouble(rig, 'a')).toBe(0);
    expect(rig.task('a')).toMatchObject({ wantedAgent: 'second', round: 2, counted: 0 });
    expect(trouble(rig, 'a')).toBe(1000);
    expect(rig.task('a')).toMatchObject({ wantedAgent: 'second', round: 2, counted: 0 });
    expect(rig.violations()).toEqual([]);
  });

  test('what the server asks for is not waited for when the run ends before it', () => {
    const rig = started({}, { deadlineMs: 60_000 });
    trouble(rig, 'a', 60_000);
    expect(rig.task('a').status).toBe('failed');
    expect(rig.task('a').error?.message).toBe(`${LOADING} It is to be asked again in 60 s, and the run has 60 s left (its deadline).`);
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test("the run's deadline ends the waiting, with the last that the server said", () => {
    const rig = started({}, { deadlineMs: 5000 });
    trouble(rig, 'a');
    trouble(rig, 'a');
    trouble(rig, 'a');
    rig.now += 5000;
    rig.send({ type: 'ExpireRun' });
    expect(rig.run().error?.message).toBe(
      `The run did not end within its deadline of 5 s; start it again with a longer one. Task a (a) waited for its model server: ${LOADING}`,
    );
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('a cancel ends it', () => {
    const rig = started();
    trouble(rig, 'a');
    rig.send({ type: 'CancelRun', tenant: 'default', reason: 'enough' });
    expect(rig.run().status).toBe('cancelled');
    expect(rig.violations({ finished: true })).toEqual([]);
  });
});

test('planning waits too, and no template takes the place of a plan', () => {
  const rig = new EngineRig();
  rig.start();
  for (let i = 0; i < 5; i += 1) trouble(rig, PLAN_TASK);
  expect(rig.statuses()).toBe('plan:ready');
  expect(rig.violations()).toEqual([]);
});
