/** An agent asks others, gives them tasks, or hands its own over. */
import { TaskSpec, placeOf } from '@cadre/contracts';
import type { Delegated, TaskSpecInput } from '@cadre/contracts';
import { callKey, result, settlement, task, toolCall, type EngineRig } from '../testing/engine-rig.js';
import { started, statuses, work } from '../testing/scope-steps.js';

const KEY = 'ask';
const ASK = toolCall(KEY, 'none', { name: 'ask_agent' });

/** A task at work that has asked whether it may give these tasks to others. */
function asking(tasks: TaskSpecInput[] = [task('boss')], options: Parameters<typeof started>[1] = {}): EngineRig {
  const rig = started(tasks, options);
  rig.tools = ['tool', 'ask_agent', 'delegate', 'hand_off'];
  rig.begin('boss');
  rig.record('boss', [], [ASK]);
  return rig;
}

function delegate(rig: EngineRig, id: string, tasks: TaskSpecInput[], more: { key?: string; handOff?: true; workerId?: string } = {}) {
  const { key = KEY, handOff, workerId = 'w1' } = more;
  const { attempt } = rig.task(id);
  const specs = tasks.map((spec) => TaskSpec.parse(spec));
  return rig.send({ type: 'DelegateWork', taskId: id, attempt, workerId, key: callKey(key), tasks: specs, ...(handOff && { handOff }) });
}

/** What the waiting call is answered with, to the attempt that goes on. */
function answered(rig: EngineRig, id = 'boss', call = ASK): { ok: boolean; results: Delegated['results'] } {
  const [grant] = rig.grants(id, [], [call]).grants;
  if (grant?.grant !== 'recorded' || !grant.body || !('text' in grant.body)) throw new Error(JSON.stringify(grant));
  return { ok: grant.ok, ...(JSON.parse(grant.body.text) as Delegated) };
}

const expectSound = (rig: EngineRig) => expect(rig.violations()).toEqual([]);

test('who asks has no attempt while the other works, and goes on with the answer', () => {
  const rig = asking();
  expect(delegate(rig, 'boss', [task('peer', { agent: 'expert' })]).outcome).toBe('accepted');
  expect(statuses(rig)).toEqual({ boss: 'open', 'boss~0~peer': 'ready' });
  expect(rig.task('boss')).toMatchObject({ counted: 0, attempt: 1 });
  rig.complete('boss~0~peer', result('forty-two', { confidence: 0.7 }));
  expect(rig.task('boss')).toMatchObject({ status: 'ready', attempt: 2, wantedAgent: 'generalist' });
  expect(rig.task('boss').spec.scope).toBeUndefined();
  const { results } = rig.begin('boss');
  expect(results.map(({ taskId }) => taskId)).toEqual(['boss~0~peer']);
  const answer = { task: 'peer', status: 'completed', agent: 'expert', answer: 'forty-two', confidence: 0.7, artifacts: [] };
  expect(answered(rig, 'boss')).toEqual({ ok: true, results: [answer] });
  rig.finish('boss');
  expect(rig.run()).toMatchObject({ status: 'completed', usage: { toolCalls: 1 } });
  expectSound(rig);
});

test('tasks that depend on each other go in order; one that fails costs those after it, and the asker sees all', () => {
  const rig = asking();
  delegate(rig, 'boss', [task('a'), task('b', { dependsOn: ['a'] }), task('c')]);
  expect(statuses(rig)).toMatchObject({ 'boss~0~a': 'ready', 'boss~0~b': 'waiting', 'boss~0~c': 'ready' });
  rig.fail('boss~0~a');
  expect(statuses(rig)).toMatchObject({ boss: 'open', 'boss~0~b': 'skipped', 'boss~0~c': 'ready' });
  rig.complete('boss~0~c', result('c did it'));
  rig.begin('boss');
  const { ok, results } = answered(rig);
  expect(ok).toBe(true);
  expect(results.map(({ task: name, status, answer, error }) => [name, status, answer ?? error])).toEqual([
    ['a', 'failed', 'it broke'],
    ['b', 'skipped', 'It needs all its dependencies, but boss~0~a did not succeed.'],
    ['c', 'completed', 'c did it'],
  ]);
  rig.finish('boss');
  expect(rig.run().status).toBe('completed');
  expectSound(rig);
});

test('it may give work to others again and again; each time has tasks of its own', () => {
  const rig = asking();
  delegate(rig, 'boss', [task('peer')]);
  rig.complete('boss~0~peer');
  rig.begin('boss');
  rig.record('boss', [], [toolCall('again', 'none', { name: 'delegate' })]);
  delegate(rig, 'boss', [task('peer')], { key: 'again' });
  expect(statuses(rig)).toEqual({ boss: 'open', 'boss~0~peer': 'completed', 'boss~1~peer': 'ready' });
  rig.complete('boss~1~peer', result('better'));
  const { results } = rig.begin('boss');
  expect(results.map(({ taskId }) => taskId)).toEqual(['boss~0~peer', 'boss~1~peer']);
  expect(answered(rig, 'boss', toolCall('again', 'none', { name: 'delegate' })).results).toMatchObject([{ answer: 'better' }]);
  rig.finish('boss');
  expectSound(rig);
});

test('two levels deep: who was given work gives some of it to others', () => {
  const rig = asking();
  delegate(rig, 'boss', [task('lead')]);
  rig.begin('boss~0~lead');
  rig.record('boss~0~lead', [], [ASK]);
  delegate(rig, 'boss~0~lead', [task('hand')]);
  expect(statuses(rig)).toEqual({ boss: 'open', 'boss~0~lead': 'open', 'boss~0~lead~0~hand': 'ready' });
  work(rig);
  expect(rig.run().status).toBe('completed');
  expectSound(rig);
});

describe('a task that is handed over', () => {
  const HAND = toolCall(KEY, 'none', { name: 'hand_off' });
  function handing(): EngineRig {
    const rig = started([task('boss'), task('next', { dependsOn: ['boss'] })]);
    rig.tools = ['hand_off'];
    rig.begin('boss');
    rig.record('boss', [], [HAND]);
    delegate(rig, 'boss', [task('heir', { agent: 'expert' })], { handOff: true });
    return rig;
  }

  test('has the result of who took it', () => {
    const rig = handing();
    rig.complete('boss~0~heir', result('the heir did it'));
    expect(rig.task('boss')).toMatchObject({ status: 'completed', result: { answer: { text: 'the heir did it' } } });
    expect(rig.begin('next').results.map(({ taskId }) => taskId)).toContain('boss');
    rig.finish('next');
    expectSound(rig);
  });

  test('comes back when that one fails', () => {
    const rig = handing();
    rig.fail('boss~0~heir');
    rig.begin('boss');
    expect(answered(rig, 'boss', HAND)).toMatchObject({ ok: false, results: [{ status: 'failed', error: 'it broke' }] });
    rig.finish('boss', result('myself then'));
    work(rig);
    expect(rig.run().status).toBe('completed');
    expectSound(rig);
  });
});

test('long answers are shortened to what one call may tell', () => {
  const rig = asking();
  delegate(
    rig,
    'boss',
    Array.from({ length: 20 }, (_, n) => task(`t${n}`)),
  );
  work(rig, (id) => (id === 'boss' ? undefined : 'ü'.repeat(9000)));
  const settled = rig.blocks
    .flatMap(({ block }) => block.commits.flatMap(({ events }) => events))
    .filter(({ type }) => type === 'CallsSettled');
  const body = settled
    .flatMap((event) => (event.type === 'CallsSettled' ? event.calls : []))
    .find(({ outcome }) => outcome === 'done')?.body;
  expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(16 * 1024);
  expectSound(rig);
});

describe('the end of the run', () => {
  test('a cancel closes who waits and who works for it', () => {
    const rig = asking();
    delegate(rig, 'boss', [task('a'), task('b')]);
    rig.begin('boss~0~a');
    rig.send({ type: 'CancelRun', tenant: 'default', reason: 'enough' });
    expect(statuses(rig)).toEqual({ boss: 'cancelled', 'boss~0~a': 'running', 'boss~0~b': 'cancelled' });
    rig.finish('boss~0~a');
    expect(rig.run().status).toBe('cancelled');
    expectSound(rig);
  });

  test('a task beside it that fails ends the run, and with it all that waits', () => {
    const rig = asking([task('boss'), task('other')]);
    delegate(rig, 'boss', [task('a')]);
    rig.begin('boss~0~a');
    rig.fail('other');
    expect(rig.run().status).toBe('failed');
    expectSound(rig);
  });

  test('within a scope that has enough without it', () => {
    const rig = started([task('race', { scope: { branches: true, join: { need: 'any' }, body: [task('slow'), task('fast')] } })]);
    rig.tools = ['ask_agent'];
    rig.begin('race~0~slow');
    rig.record('race~0~slow', [], [ASK]);
    delegate(rig, 'race~0~slow', [task('a')]);
    rig.begin('race~0~slow~0~a');
    rig.complete('race~1~fast');
    expect(statuses(rig)).toMatchObject({ race: 'completed', 'race~0~slow': 'cancelled', 'race~0~slow~0~a': 'cancelled' });
    expectSound(rig);
  });
});

describe('repetitions and late messages', () => {
  test('the same command again is a repetition, also when the work has ended', () => {
    const rig = asking();
    const command = { key: KEY };
    delegate(rig, 'boss', [task('peer')], command);
    expect(delegate(rig, 'boss', [task('peer')], command).outcome).toBe('duplicate');
    rig.complete('boss~0~peer');
    const late = {
      type: 'DelegateWork' as const,
      taskId: 'boss',
      attempt: 1,
      workerId: 'w1',
      key: callKey(KEY),
      tasks: [TaskSpec.parse(task('peer'))],
    };
    expect(rig.send(late).outcome).toBe('duplicate');
    expect(Object.keys(rig.run().tasks)).toHaveLength(2);
    expectSound(rig);
  });

  test('a worker that was given up gives nothing away', () => {
    const rig = asking();
    rig.send({ type: 'LoseAttempt', taskId: 'boss', attempt: 1, workerId: 'w1', reason: 'silence' });
    rig.begin('boss', 'w2');
    const late = {
      type: 'DelegateWork' as const,
      taskId: 'boss',
      attempt: 1,
      workerId: 'w1',
      key: callKey(KEY),
      tasks: [TaskSpec.parse(task('peer'))],
    };
    rig.send(late);
    expect(statuses(rig)).toEqual({ boss: 'running' });
    // Its successor asks anew.
    rig.record('boss', [], [{ ...ASK, try: 2 }], 'w2');
    expect(delegate(rig, 'boss', [task('peer')], { workerId: 'w2' }).outcome).toBe('accepted');
    rig.complete('boss~0~peer');
    rig.begin('boss');
    expect(answered(rig)).toMatchObject({ ok: true });
    rig.finish('boss');
    expectSound(rig);
  });
});

describe('what is refused, and the agent goes on', () => {
  const refused = (rig: EngineRig, tasks: TaskSpecInput[], more: Parameters<typeof delegate>[3] = {}, id = 'boss') => {
    const decision = delegate(rig, id, tasks, more);
    if (decision.outcome !== 'rejected') throw new Error(decision.outcome);
    return `${decision.code}: ${decision.message}`;
  };

  test('tasks that make no plan, or that are handed over in parts', () => {
    const rig = asking();
    expect(refused(rig, [task('a', { dependsOn: ['a'] })])).toMatch(/^invalid-plan: Task a depends on itself/);
    expect(refused(rig, [task('a'), task('b')], { handOff: true })).toMatch(/^invalid-plan: .*as one task/);
    rig.finish('boss');
    expect(rig.run().status).toBe('completed');
    expectSound(rig);
  });

  test('others than those whom the task may speak to', () => {
    const rig = asking([task('boss', { peers: ['expert', 'other'] })]);
    const only = /^invalid-plan: This task may give work only to expert, other/;
    for (const stranger of [
      task('a', { agent: 'stranger' }),
      task('a', { skills: ['any'] }),
      task('a', { agent: 'expert', fallbackAgents: ['stranger'] }),
      task('a', { agentFrom: '"stranger"' }),
      task('a', { scope: { body: [task('b', { agent: 'stranger' })] } }),
    ])
      expect(refused(rig, [task('ok', { agent: 'expert' }), stranger])).toMatch(only);
    expect(refused(asking([task('boss', { peers: [] })]), [task('a', { agent: 'expert' })])).toMatch(/do it yourself/);
    expect(delegate(rig, 'boss', [task('a', { agent: 'other' })]).outcome).toBe('accepted');
    expectSound(rig);
  });

  test('results that it makes up, and what it combines of others', () => {
    const forged = delegate(asking(), 'boss', [task('a', { given: { answer: { text: 'so it is' } } })]);
    expect(forged).toMatchObject({ outcome: 'rejected', code: 'invalid-plan', message: expect.stringContaining('given result') });
    const scope = { over: '[1]', body: [task('t')], combine: { by: 'custom' as const } };
    const rig = started([task('boss', { agent: 'weigher', scope })]);
    rig.tools = ['ask_agent'];
    rig.complete('boss~0~t');
    rig.begin('boss');
    rig.record('boss', [], [ASK]);
    const refused = delegate(rig, 'boss', [task('peer')]);
    expect(refused).toMatchObject({ outcome: 'rejected', code: 'invalid-plan', message: expect.stringContaining('do it yourself') });
    rig.finish('boss');
    expect(rig.run().status).toBe('completed');
    expectSound(rig);
  });

  test('a call that did not ask for it, is not open, or has others beside it', () => {
    const rig = asking();
    expect(refused(rig, [task('a')], { key: 'unheard' })).toMatch(/^invalid-command: Call .* waits for the work of others/);
    rig.record('boss', [], [toolCall('other')]);
    expect(refused(rig, [task('a')], { key: 'other' })).toMatch(/^invalid-command/);
    expect(refused(rig, [task('a')])).toMatch(/Other calls of the attempt are on their way/);
    rig.record('boss', [settlement('other', { costMicros: 0 })], []);
    expect(delegate(rig, 'boss', [task('a')]).outcome).toBe('accepted');
    expectSound(rig);
  });

  test('work that was handed on eight times', () => {
    const rig = asking();
    let id = 'boss';
    for (let depth = 0; depth < 8; depth += 1) {
      expect(delegate(rig, id, [task('t')]).outcome).toBe('accepted');
      id = `${id}~0~t`;
      rig.begin(id);
      rig.record(id, [], [ASK]);
    }
    expect(placeOf(id)).toBeDefined();
    expect(refused(rig, [task('t')], {}, id)).toMatch(/^invalid-plan: .*8 times/);
    rig.finish(id);
    work(rig);
    expect(rig.run().status).toBe('completed');
    expectSound(rig);
  });

  test('more than a run may hold: the names of all tasks have to fit into one message', () => {
    const long = (n: number) => `${n}`.padStart(64, 'x');
    const rig = asking([task('boss'), ...Array.from({ length: 5100 }, (_, n) => task(long(n)))]);
    expect(
      refused(
        rig,
        Array.from({ length: 50 }, (_, n) => task(long(n))),
      ),
    ).toMatch(/^invalid-plan: .*more than 327680 bytes/);
    expect(delegate(rig, 'boss', [task('a')]).outcome).toBe('accepted');
  });

  test('a run that is being cancelled', () => {
    const rig = asking();
    rig.send({ type: 'CancelRun', tenant: 'default', reason: 'enough' });
    expect(refused(rig, [task('a')])).toMatch(/being cancelled/);
    expectSound(rig);
  });
});
