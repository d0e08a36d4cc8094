/** Tasks that wait for time or for an event. */
import { result, task, type EngineRig } from '../testing/engine-rig.js';
import { scope, started, statuses, wake, work } from '../testing/scope-steps.js';

const expectSound = (rig: EngineRig) => expect(rig.violations()).toEqual([]);

describe('waits', () => {
  test('a delay ends with its time, never before', () => {
    const rig = started([task('later', { wait: { delayMs: 500 } }), task('next', { dependsOn: ['later'] })]);
    rig.now += 499;
    expect(wake(rig, 'later')).toMatchObject({ outcome: 'rejected', code: 'not-yet' });
    rig.now += 1;
    expect(wake(rig, 'later').outcome).toBe('accepted');
    expect(wake(rig, 'later').outcome).toBe('duplicate');
    expect(statuses(rig)).toEqual({ later: 'completed', next: 'ready' });
    work(rig);
    expectSound(rig);
  });

  const event = (data: object, type = 'price') => ({ id: 'e', type, source: '/t', data: data as never });

  test('an event of the type that its filter lets through', () => {
    const rig = started([
      task('tick', { wait: { event: 'price', where: 'event.data.value > 10' } }),
      task('next', { dependsOn: ['tick'], templated: true, input: '${{ results.tick.value.data.value }}' }),
    ]);
    expect(wake(rig, 'tick', event({ value: 5 }))).toMatchObject({ outcome: 'rejected', code: 'not-awaited' });
    expect(wake(rig, 'tick', event({ value: 50 }, 'other'))).toMatchObject({ code: 'not-awaited' });
    expect(wake(rig, 'tick', event({}))).toMatchObject({ code: 'not-awaited' });
    expect(wake(rig, 'tick', event({ value: 11 })).outcome).toBe('accepted');
    expect(rig.run().tasks['next']?.spec.input).toBe(11);
    work(rig);
    expectSound(rig);
  });

  test('an event that comes twice does not wake what waits for the next one', () => {
    const rig = started([scope('twice', { repeat: { max: 2 }, body: [task('tick', { wait: { event: 'price' } })] })]);
    expect(wake(rig, 'twice~0~tick', event({ value: 1 })).outcome).toBe('accepted');
    expect(wake(rig, 'twice~1~tick', event({ value: 1 })).outcome).toBe('duplicate');
    expect(statuses(rig)).toMatchObject({ 'twice~1~tick': 'open' });
    expect(wake(rig, 'twice~1~tick', event({ value: 2 })).outcome).toBe('accepted');
    expect(rig.run().status).toBe('completed');
    expectSound(rig);
  });

  test('in a round, the one before it is seen', () => {
    const rig = started([scope('rounds', { repeat: { max: 2 }, body: [task('draft')] })]);
    rig.complete('rounds~0~draft', result('first'));
    expect(rig.begin('rounds~1~draft').results).toMatchObject([{ taskId: 'rounds~0~draft', answer: { text: 'first' } }]);
  });

  test('in vain', () => {
    const rig = started([task('tick', { wait: { event: 'price', timeoutMs: 100 } }), task('else', { alternativeTo: 'tick' })]);
    rig.now += 100;
    wake(rig, 'tick');
    expect(statuses(rig)).toEqual({ tick: 'failed', else: 'ready' });
    work(rig);
    expect(rig.run().status).toBe('completed');
    expectSound(rig);
  });
});
