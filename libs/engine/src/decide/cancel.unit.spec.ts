import { EngineRig, reservation, result, settlement, task } from '../testing/engine-rig.js';

const held = { taskId: 'a', attempt: 1, workerId: 'w1' };
const cancel = { type: 'CancelRun' as const, tenant: 'default', reason: 'enough' };

/** `a` and `b` run, `c` waits for `a`, `d` has ended, `e` is ready. */
function busy(options: Parameters<EngineRig['start']>[1] = {}): EngineRig {
  const rig = new EngineRig();
  const tasks = [task('a'), task('b'), task('c', { dependsOn: ['a'] }), task('d'), task('e')];
  rig.start(tasks, { deadlineMs: 60_000, cancelGraceMs: 2000, ...options });
  rig.complete('d', result('d', { artifacts: [{ name: 'd.md', sha256: 'a'.repeat(64), size: 1, mediaType: 'text/markdown' }] }));
  rig.begin('a');
  rig.begin('b');
  rig.ask('a', reservation('x'));
  return rig;
}

test('what does not run ends at once; what runs has the grace time to wind up', () => {
  const rig = busy();
  expect(rig.send({ ...cancel, tenant: 'other' })).toMatchObject({ code: 'forbidden' });
  expect(rig.send(cancel)).toMatchObject({ outcome: 'accepted' });
  expect(rig.statuses()).toBe('a:running b:running c:cancelled d:completed e:cancelled answer:cancelled');
  expect(rig.run()).toMatchObject({ status: 'cancelling', cancelReason: 'enough', deadlineAt: rig.now + 2000 });
  expect(rig.send({ ...cancel, reason: 'again' })).toEqual({ outcome: 'duplicate' });
  expect(rig.send({ type: 'StartAttempt', ...held, taskId: 'e', agent: 'generalist' })).toMatchObject({ code: 'attempt-closed' });
  expect(rig.violations()).toEqual([]);
});

test('calls are settled, results and failures counted; nothing follows from them, and the last one ends the run', () => {
  const rig = busy();
  rig.send(cancel);
  expect(rig.record('a', [settlement('x')], [])).toMatchObject({ outcome: 'accepted' });
  rig.finish('a');
  expect(rig.statuses()).toBe('a:completed b:running c:cancelled d:completed e:cancelled answer:cancelled');
  const error = { code: 'cancelled', message: 'stopped', retriable: true };
  rig.send({ type: 'FailAttempt', ...held, taskId: 'b', error });
  expect(rig.task('b')).toMatchObject({ status: 'cancelled', counted: 0 });
  expect(rig.run()).toMatchObject({ status: 'cancelled', artifacts: [{ name: 'd.md' }], usage: { modelCalls: 1, costMicros: 40 } });
  expect(rig.send(cancel)).toEqual({ outcome: 'duplicate' });
  expect(rig.send({ ...cancel, tenant: 'other' })).toMatchObject({ code: 'forbidden' });
  expect(rig.finish('b')).toMatchObject({ code: 'run-ended' });
  expect(rig.violations({ finished: true })).toEqual([]);
});

test('no call is granted any more: asking for one ends the attempt', () => {
  const rig = busy();
  rig.send(cancel);
  expect(rig.grants('a', [settlement('x')], [reservation('y')])).toMatchObject({ grants: [], ended: { code: 'run-cancelled' } });
  expect(rig.task('a')).toMatchObject({ status: 'cancelled', spent: { settledMicros: 40, reservedMicros: 0 } });
  expect(rig.run().status).toBe('cancelling');
  expect(rig.send({ type: 'RecordCalls', ...held, reserve: [reservation('y')] })).toMatchObject({
    outcome: 'duplicate',
    result: { ended: {} },
  });
  rig.send({ type: 'LoseAttempt', ...held, taskId: 'b', reason: 'silent' });
  expect(rig.run().status).toBe('cancelled');
  expect(rig.violations({ finished: true })).toEqual([]);
});

test('a plan that comes now is not adopted', () => {
  const rig = new EngineRig();
  rig.start();
  rig.begin('plan');
  rig.send(cancel);
  rig.finish('plan');
  expect(rig.run()).toMatchObject({ status: 'cancelled' });
  expect(rig.statuses()).toBe('plan:completed');
  expect(rig.violations({ finished: true })).toEqual([]);
});

test('after the grace time the rest is closed, and its open calls are billed', () => {
  const rig = busy();
  rig.send(cancel);
  rig.now += 1999;
  expect(rig.send({ type: 'ExpireRun' })).toMatchObject({ code: 'not-yet' });
  rig.now += 1;
  expect(rig.send({ type: 'ExpireRun' })).toMatchObject({ outcome: 'accepted' });
  expect(rig.run()).toMatchObject({ status: 'cancelled', usage: { costMicros: 100 } });
  expect(rig.violations({ finished: true, graceMs: 0 })).toEqual([]);
});

test('the grace time does not reach past the deadline, and none at all ends the run at once', () => {
  const rig = busy();
  rig.now += 59_000;
  rig.send(cancel);
  expect(rig.run().deadlineAt - rig.now).toBe(1000);
  const none = busy({ cancelGraceMs: 0 });
  none.send(cancel);
  expect(none.run()).toMatchObject({ status: 'cancelled', usage: { costMicros: 100 } });
  expect(none.violations({ finished: true })).toEqual([]);
});

test('a run with nothing running ends with the request, questions and all', () => {
  const rig = new EngineRig();
  rig.start([task('a')], { summarize: false, budget: { runMicros: 1, onLimit: 'ask' } });
  rig.begin('a');
  rig.ask('a', reservation('x'));
  rig.send(cancel);
  expect(rig.run()).toMatchObject({ status: 'cancelled', questions: {} });
  expect(rig.violations({ finished: true })).toEqual([]);
});

test('a deadline closes all, and bills what is open', () => {
  const rig = busy();
  rig.now += 60_000;
  rig.send({ type: 'ExpireRun' });
  expect(rig.run()).toMatchObject({ status: 'failed', error: { code: 'deadline-exceeded' }, usage: { costMicros: 100 } });
  expect(rig.violations({ finished: true })).toEqual([]);
});
