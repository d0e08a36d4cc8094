/** How long attempts may take whose tasks do not say it. */
import { PLAN_TASK } from '@cadre/contracts';
import { EngineRig, task } from '../testing/engine-rig.js';

const MINUTE = 60_000;

function start(rig: EngineRig, id: string, modelTimeoutMs?: number): number {
  const { attempt, notBefore } = rig.task(id);
  rig.now = Math.max(rig.now, notBefore);
  const given = modelTimeoutMs === undefined ? {} : { modelTimeoutMs };
  rig.send({ type: 'StartAttempt', taskId: id, attempt, workerId: 'w1', agent: 'generalist', ...given });
  return rig.task(id).deadlineAt! - rig.now;
}

function late(rig: EngineRig, id: string): void {
  const { attempt } = rig.task(id);
  const error = { code: 'time-limit', message: 'Late.', retriable: true };
  rig.send({ type: 'FailAttempt', taskId: id, attempt, workerId: 'w1', error, cause: 'time' });
}

test('ten minutes, or four calls of a model that takes long; what the task says stays', () => {
  const rig = new EngineRig();
  const day = { summarize: false, deadlineMs: 24 * 60 * MINUTE };
  rig.start([task('a'), task('b'), task('c'), task('d', { timeoutMs: 5000 })], day);
  expect(start(rig, 'a')).toBe(10 * MINUTE);
  expect(start(rig, 'b', 2 * MINUTE)).toBe(10 * MINUTE);
  expect(start(rig, 'c', 10 * MINUTE)).toBe(40 * MINUTE);
  expect(start(rig, 'd', 10 * MINUTE)).toBe(5000);
  expect(['a', 'b', 'c', 'd'].map((id) => rig.task(id).defaultLimitMs)).toEqual([10 * MINUTE, 10 * MINUTE, 40 * MINUTE, undefined]);
  expect(rig.violations()).toEqual([]);
});

test('planning and the answer get as much, from workers that tell how long their models may take', () => {
  const rig = new EngineRig();
  rig.start();
  expect(start(rig, PLAN_TASK)).toBe(MINUTE);
  const other = new EngineRig();
  other.start(undefined, { deadlineMs: 60 * MINUTE });
  expect(start(other, PLAN_TASK, 10 * MINUTE)).toBe(40 * MINUTE);
});

test('an attempt that its default limit has ended is followed by one that may take twice as long, up to the deadline of the run', () => {
  const rig = new EngineRig();
  rig.start([task('a', { retry: { maxAttempts: 5, backoffMs: 0 } })], { summarize: false, deadlineMs: 25 * MINUTE });
  expect(start(rig, 'a', 1000)).toBe(10 * MINUTE);
  late(rig, 'a');
  expect(start(rig, 'a', 1000)).toBe(20 * MINUTE);
  late(rig, 'a');
  expect(start(rig, 'a', 1000)).toBe(25 * MINUTE);
  rig.send({ type: 'FailAttempt', taskId: 'a', attempt: 3, workerId: 'w1', error: { code: 'x-broke', message: 'x', retriable: true } });
  expect(start(rig, 'a', 1000)).toBe(10 * MINUTE);
  expect(rig.task('a').counted).toBe(3);
  expect(rig.violations()).toEqual([]);
});

test('the scheduler that ends it says which limit it was, and the next one is longer, too', () => {
  const rig = new EngineRig();
  rig.start([task('a'), task('b', { timeoutMs: 5000 })], { summarize: false });
  start(rig, 'a', 1000);
  start(rig, 'b', 1000);
  rig.now += 10 * MINUTE;
  rig.send({ type: 'ExpireAttempt', taskId: 'a', attempt: 1 });
  rig.send({ type: 'ExpireAttempt', taskId: 'b', attempt: 1 });
  expect(rig.task('a').error?.message).toMatch(
    /^The attempt did not end within 600 s\. That is the default limit: timeoutMs .*CADRE_MODEL_TIMEOUT_MS/,
  );
  expect(rig.task('b').error?.message).toBe('The attempt did not end within 5 s.');
  expect(start(rig, 'a', 1000)).toBe(20 * MINUTE - 500);
  expect(start(rig, 'b', 1000)).toBe(5000);
});
