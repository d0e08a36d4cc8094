import type { StartAttempt } from '@cadre/contracts';
import { EngineRig, result, task } from '../testing/engine-rig.js';

function rigOf(): EngineRig {
  const rig = new EngineRig();
  rig.start([task('a', { agent: 'reader' }), task('b')]);
  return rig;
}

const start = (rig: EngineRig, taskId: string, by: Pick<StartAttempt, 'agent' | 'insteadOf' | 'queuedMs'>) =>
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

describe('a task that has waited too long for a slot', () => {
  test.each([
    ['a', 'reader'],
    ['b', 'reader'],
  ])('%s is done by another agent, and log, task and result tell that it was for load', (taskId, insteadOf) => {
    const rig = rigOf();
    expect(start(rig, taskId, { agent: 'writer', insteadOf, queuedMs: 31_000 })).toMatchObject({
      ...{ outcome: 'accepted', result: { taskId, queuedMs: 31_000 } },
    });
    expect(started(rig)).toMatchObject({ agent: 'writer', insteadOf, queuedMs: 31_000 });
    expect(rig.task(taskId)).toMatchObject({ agent: 'writer', insteadOf, queuedMs: 31_000 });
    // Whatever a worker says of it.
    rig.finish(taskId, result('done', { insteadOf: 'nobody', queuedMs: 1 }));
    expect(rig.task(taskId).result).toMatchObject({ insteadOf, queuedMs: 31_000 });
    rig.complete(taskId === 'a' ? 'b' : 'a');
    expect(rig.violations()).toEqual([]);
  });

  test('is nothing to speak of where its own agent has done it as ever', () => {
    const rig = rigOf();
    start(rig, 'a', { agent: 'reader', queuedMs: 31_000 });
    rig.finish('a');
    expect(rig.task('a').result).not.toHaveProperty('queuedMs');
    start(rig, 'b', { agent: 'writer', queuedMs: 31_000 });
    rig.finish('b', result('done', { reducedTo: { effort: 'low' } }));
    expect(rig.task('b').result).toMatchObject({ queuedMs: 31_000, reducedTo: { effort: 'low' } });
    expect(rig.violations()).toEqual([]);
  });

  test('asks for its own agent again when its stand-in has failed, and that one tells of no load any more', () => {
    const rig = rigOf();
    start(rig, 'a', { agent: 'writer', insteadOf: 'reader', queuedMs: 31_000 });
    rig.send({
      type: 'FailAttempt',
      taskId: 'a',
      attempt: 1,
      workerId: 'w1',
      settle: [],
      error: { code: 'tool-failed', message: 'm', retriable: true },
    });
    expect(rig.task('a')).toMatchObject({ status: 'ready', attempt: 2, wantedAgent: 'reader' });
    rig.now += 10_000;
    rig.send({ type: 'StartAttempt', taskId: 'a', attempt: 2, workerId: 'w1', tools: [], agent: 'reader' });
    rig.finish('a');
    expect(rig.task('a').result).not.toHaveProperty('insteadOf');
    expect(rig.task('a').result).not.toHaveProperty('queuedMs');
    expect(rig.violations()).toEqual([]);
  });

  test.each([
    ['a task', { underLoad: 'never' as const }, {}],
    ['a run', {}, { underLoad: 'never' as const }],
  ])('is given up nothing for where %s forbids it', (_, spec, options) => {
    const rig = new EngineRig();
    rig.start([task('a', { agent: 'reader', ...spec })], options);
    const message = 'Attempt 1 of task a is done as it was asked for, however long it waits.';
    expect(start(rig, 'a', { agent: 'writer', insteadOf: 'reader', queuedMs: 9 })).toMatchObject({ outcome: 'rejected', message });
    expect(start(rig, 'a', { agent: 'reader' })).toMatchObject({ outcome: 'accepted', result: { underLoad: 'never' } });
  });

  test('leaves whoever did it instead nothing to go on with', () => {
    const rig = new EngineRig();
    rig.start([task('a', { skills: ['s'] }), task('b', { skills: ['s'], dependsOn: ['a'] })]);
    const next = { agent: 'writer', tools: [], slots: 1 };
    const complete = (by: object) => {
      rig.send({ type: 'StartAttempt', taskId: 'a', attempt: 1, workerId: 'w1', tools: [], agent: 'writer', ...by });
      return rig.send({ type: 'CompleteAttempt', taskId: 'a', attempt: 1, workerId: 'w1', settle: [], result: result(), next });
    };
    expect(complete({ insteadOf: 'reader', queuedMs: 9 })).not.toHaveProperty('result');
    expect(rig.task('b').status).toBe('ready');
  });
});
