import type { StartAttempt } from '@cadre/contracts';
import { EngineRig, task } from '../testing/engine-rig.js';

function rigOf(): EngineRig {
  const rig = new EngineRig();
  rig.start([task('a', { agent: 'reader' }), task('b')]);
  return rig;
}

const start = (rig: EngineRig, taskId: string, by: Pick<StartAttempt, 'agent' | 'insteadOf'>) =>
  rig.send({ type: 'StartAttempt', taskId, attempt: 1, workerId: 'w1', tools: [], ...by });
const started = (rig: EngineRig) =>
  rig.blocks.flatMap(({ block }) => block.commits.flatMap(({ events }) => events)).findLast(({ type }) => type === 'AttemptStarted');

describe('a task that asks for an agent by name', () => {
  test('is started by that agent, and by nobody else', () => {
    const rig = rigOf();
    const message = 'Attempt 1 of task a is for agent reader, not writer.';
    expect(start(rig, 'a', { agent: 'writer' })).toMatchObject({ outcome: 'rejected', code: 'invalid-command', message });
    expect(start(rig, 'a', { agent: 'writer', insteadOf: 'other' })).toMatchObject({ outcome: 'rejected', message });
    expect(start(rig, 'a', { agent: 'reader' })).toMatchObject({ outcome: 'accepted' });
    expect(started(rig)).not.toHaveProperty('insteadOf');
  });

  test('is started by one that stands in for it, and the log tells so', () => {
    const rig = rigOf();
    expect(start(rig, 'a', { agent: 'writer', insteadOf: 'reader' })).toMatchObject({ outcome: 'accepted', result: { taskId: 'a' } });
    expect(started(rig)).toMatchObject({ agent: 'writer', insteadOf: 'reader' });
    expect(rig.task('a')).toMatchObject({ status: 'running', agent: 'writer', wantedAgent: 'reader' });
    // Said again, it is the same start.
    expect(start(rig, 'a', { agent: 'writer', insteadOf: 'reader' })).toMatchObject({ outcome: 'duplicate' });
    rig.finish('a');
    rig.complete('b');
    expect(rig.violations()).toEqual([]);
  });

  test('nobody is told to be stood in for who was not asked for', () => {
    const rig = rigOf();
    expect(start(rig, 'b', { agent: 'writer', insteadOf: 'reader' })).toMatchObject({ outcome: 'accepted' });
    expect(started(rig)).not.toHaveProperty('insteadOf');
    const same = rigOf();
    expect(start(same, 'a', { agent: 'reader', insteadOf: 'reader' })).toMatchObject({ outcome: 'accepted' });
    expect(started(same)).not.toHaveProperty('insteadOf');
    expect([...rig.violations(), ...same.violations()]).toEqual([]);
  });

  test('handed back by its stand-in it asks for the same agent again', () => {
    const rig = rigOf();
    start(rig, 'a', { agent: 'writer', insteadOf: 'reader' });
    rig.send({ type: 'ReleaseAttempt', taskId: 'a', attempt: 1, workerId: 'w1', settle: [] });
    expect(rig.task('a')).toMatchObject({ status: 'ready', attempt: 2, wantedAgent: 'reader', counted: 0 });
    expect(rig.violations()).toEqual([]);
  });
});
