/** Given results, gates, and scopes whose items an agent combines. */
import { Plan } from '@cadre/contracts';
import type { RunEvent, TaskSpecInput } from '@cadre/contracts';
import { checkInvariants } from '../invariants/check-invariants.js';
import { validatePlan, validatePlannedTasks } from '../plan/validate-plan.js';
import { result, task, type EngineRig } from '../testing/engine-rig.js';
import { answerOf, scope, started, statuses, wake, work, type ScopeInput } from '../testing/scope-steps.js';

const expectSound = (rig: EngineRig) => expect(rig.violations()).toEqual([]);
const lastEvents = (rig: EngineRig): RunEvent[] => rig.blocks.at(-1)!.block.commits[0]!.events;
const given = (id: string, text: string, confidence = 1): TaskSpecInput => task(id, { given: { answer: { text }, confidence } });
const missing = (id: string): TaskSpecInput =>
  task(id, { given: { error: { code: 'run-failed', message: 'it had failed', retriable: false } } });

describe('a given result', () => {
  test('is there at once, without an attempt, and others go on from it', () => {
    const rig = started([given('a', '{"n": 3}', 0.4), task('b', { dependsOn: ['a'], templated: true, input: '${{ results.a.value.n }}' })]);
    expect(rig.run().tasks['a']).toMatchObject({ status: 'completed', attempt: 0, result: { confidence: 0.4 } });
    expect(rig.begin('b')).toMatchObject({ input: 3, results: [{ taskId: 'a', answer: { text: '{"n": 3}' } }] });
    rig.finish('b');
    expect(rig.run().status).toBe('completed');
    expectSound(rig);
  });

  test('may be that there is none: then it has failed, and counts so', () => {
    const rig = started([given('a', '"x"'), missing('b'), task('c', { dependsOn: ['a', 'b'], require: 'any' })], {
      continueOnFailure: true,
    });
    work(rig);
    expect(statuses(rig)).toEqual({ a: 'completed', b: 'failed', c: 'completed' });
    expect(rig.run()).toMatchObject({ status: 'completed', partial: true });
    expectSound(rig);
  });

  test('a run of nothing else is over in the commit that starts it: results are combined by the engine alone', () => {
    const body = [
      given('one', '{"choice": "tea"}'),
      given('two', '{"choice": "Tea"}', 0.2),
      missing('three'),
      given('four', '{"choice": "rum"}'),
    ];
    const rig = started([
      scope('all', { branches: true, body, join: { need: 'any', until: 'ended' }, combine: { by: 'vote', quorum: 0.75 } }),
    ]);
    expect(rig.blocks).toHaveLength(1);
    expect(rig.run()).toMatchObject({ status: 'completed', partial: true });
    expect(answerOf(rig, 'all')).toMatchObject({ choice: 'tea', votes: 3, voters: 4, for: [{ by: 'one' }, { by: 'two' }] });
    expectSound(rig);
  });

  test('that is partial makes what is made of it partial', () => {
    const part = task('part', { given: { answer: { text: '1' }, partial: true } });
    const rig = started([scope('all', { branches: true, body: [part, given('whole', '2')] })]);
    expect(rig.run()).toMatchObject({ status: 'completed', partial: true });
    expectSound(rig);
  });

  test('a planner cannot say what has been found', () => {
    const { tasks } = Plan.parse({ tasks: [scope('s', { body: [given('a', 'x')] })] });
    expect(validatePlan(tasks)).toEqual([]);
    expect(validatePlannedTasks(tasks)).toMatchObject([{ code: 'forged-result', taskId: 'a' }]);
  });

  test('is nobody else’s work', () => {
    const { tasks } = Plan.parse({ tasks: [{ ...given('a', 'x'), wait: { delayMs: 5 } }] });
    expect(validatePlan(tasks)).toMatchObject([{ code: 'bad-given', message: expect.stringContaining('cannot have wait') }]);
  });
});

describe('a gate', () => {
  const body = [given('sure', '5', 0.9), given('unsure', '7', 0.3), given('small', '1', 0.8)];
  const gated = (gate: ScopeInput['gate'], rest: Partial<ScopeInput> = {}) =>
    started([scope('all', { branches: true, body, gate, join: { need: 'any', until: 'ended' }, ...rest })]);

  test.each<[string, ScopeInput['gate'], unknown]>([
    ['confidence', { minConfidence: 0.8 }, [5, 1]],
    ['an expression', { where: 'value > 3.0' }, [5, 7]],
    ['both', { minConfidence: 0.5, where: 'value > 3.0 && index == 0' }, [5]],
  ])('by %s lets only what passes it count', (_, gate, passed) => {
    const rig = gated(gate);
    expect(answerOf(rig, 'all')).toEqual(passed);
    expect(rig.run()).toMatchObject({ status: 'completed', partial: true });
    expectSound(rig);
  });

  test.each<[ScopeInput['gate'], string]>([
    [
      { minConfidence: 0.5 },
      '1 of 3 items of all failed; 3 had to succeed. The first failure: item 1: its result has a confidence of 0.3, and the gate asks for 0.5',
    ],
    [{ where: 'value > 6.0' }, 'item 0: its result does not pass the gate: value > 6.0'],
    [{ where: 'value.size > 6' }, 'could not be evaluated'],
  ])('that too few pass (%j) fails the scope, and says why', (gate, why) => {
    const rig = gated(gate, { join: { need: 'all' } });
    expect(rig.run()).toMatchObject({ status: 'failed', error: { message: expect.stringContaining(why) } });
    expectSound(rig);
  });

  test('with a need for fewer ends the scope as soon as so many have passed', () => {
    const rig = started([scope('s', { over: '[1, 2, 3]', body: [task('t')], gate: { minConfidence: 0.5 }, join: { need: 1 } })]);
    rig.complete('s~1~t', result('"no"', { confidence: 0.2 }));
    expect(statuses(rig)).toMatchObject({ s: 'open' });
    rig.complete('s~2~t', result('"yes"'));
    expect(statuses(rig)).toMatchObject({ s: 'completed', 's~0~t': 'cancelled' });
    expect(answerOf(rig, 's')).toEqual(['yes']);
    expectSound(rig);
  });

  test.each<[string, Partial<ScopeInput>, string]>([
    ['rounds', { repeat: { max: 2 }, gate: { minConfidence: 1 } }, 'a gate is for items'],
    ['a faulty expression', { gate: { where: 'value >' } }, 'The gate of task s is wrong'],
  ])('is refused with %s', (_, more, why) => {
    const { tasks } = Plan.parse({ tasks: [scope('s', { body: [task('a')], ...more })] });
    expect(validatePlan(tasks)).toMatchObject([{ message: expect.stringContaining(why) }]);
  });
});

describe('combined by an agent', () => {
  const custom = (more: Partial<ScopeInput> = {}, rest: Partial<TaskSpecInput> = {}) =>
    scope(
      's',
      { over: '[1, 2]', body: [task('t')], combine: { by: 'custom' }, ...more },
      { agent: 'weigher', instructions: 'Weigh them.', ...rest },
    );

  test('who is given the results of the items once the join rule is met, and whose result is that of the scope', () => {
    const rig = started([custom(), task('next', { dependsOn: ['s'] })]);
    rig.complete('s~0~t', result('"a"'));
    expect(statuses(rig)).toMatchObject({ s: 'open' });
    rig.complete('s~1~t', result('"b"'));
    expect(lastEvents(rig)).toMatchObject([
      { type: 'TaskCompleted', taskId: 's~1~t' },
      { type: 'ItemEnded', taskId: 's', item: 1, ok: true },
      { type: 'AttemptScheduled', taskId: 's', attempt: 1, agent: 'weigher', joined: 'whole' },
    ]);
    const assignment = rig.begin('s');
    expect(assignment).toMatchObject({ taskId: 's', kind: 'work', instructions: 'Weigh them.' });
    expect(assignment.results.map(({ taskId, answer }) => [taskId, answer])).toEqual([
      ['s~0~t', { text: '"a"' }],
      ['s~1~t', { text: '"b"' }],
    ]);
    rig.finish('s', result('"ab"', { confidence: 0.7 }));
    expect(rig.run().tasks['s']?.result).toEqual({ answer: { text: '"ab"' }, confidence: 0.7, artifacts: [] });
    expect(statuses(rig)).toMatchObject({ s: 'completed', next: 'ready' });
    work(rig);
    expect(rig.run()).toMatchObject({ status: 'completed', partial: false });
    expectSound(rig);
  });

  test('and who is not shown what the gate has kept out', () => {
    const rig = started([custom({ gate: { minConfidence: 0.5 }, join: { need: 'any', until: 'ended' } })]);
    rig.complete('s~0~t', result('"a"', { confidence: 0.2 }));
    rig.complete('s~1~t', result('"b"'));
    expect(rig.begin('s').results.map(({ taskId }) => taskId)).toEqual(['s~1~t']);
    rig.finish('s');
    expect(rig.run()).toMatchObject({ status: 'completed', partial: true });
    expectSound(rig);
  });

  test('is tried again, by another agent too, as any task', () => {
    const rig = started([custom({}, { fallbackAgents: ['other'], retry: { backoffMs: 0 } })]);
    rig.complete('s~0~t');
    rig.complete('s~1~t');
    rig.fail('s', true);
    expect(rig.run().tasks['s']).toMatchObject({ status: 'ready', attempt: 2, wantedAgent: 'other' });
    rig.complete('s', result('"done"'));
    expect(rig.run()).toMatchObject({ status: 'completed' });
    expectSound(rig);
  });

  test('when it fails for good, the scope has, and an alternative stands in for it', () => {
    const rig = started([custom({}, { retry: { maxAttempts: 1 } }), task('spare', { alternativeTo: 's' })]);
    rig.complete('s~0~t');
    rig.complete('s~1~t');
    rig.fail('s');
    expect(statuses(rig)).toMatchObject({ s: 'failed', spare: 'ready' });
    work(rig);
    expect(rig.run().status).toBe('completed');
    expectSound(rig);
  });

  test('of a scope that did not get what it needs nobody is asked', () => {
    const rig = started([custom()]);
    rig.fail('s~0~t');
    expect(rig.run().tasks['s']).toMatchObject({ status: 'failed', attempt: 0 });
    expectSound(rig);
  });

  test('what is not the whole is marked, by a failed item as by the deadline; nothing else is at work then, and the deadline is over', () => {
    const rig = started([custom({ join: { need: 1, until: 'ended', deadlineMs: 1000 } })]);
    rig.complete('s~0~t', result('"a"'));
    rig.now += 1000;
    wake(rig, 's');
    expect(statuses(rig)).toMatchObject({ s: 'ready', 's~1~t': 'cancelled' });
    expect(rig.run().tasks['s']).toMatchObject({ scope: { partial: true } });
    expect(wake(rig, 's')).toMatchObject({ outcome: 'rejected', code: 'not-yet' });
    rig.complete('s', result('"only a"'));
    expect(rig.run()).toMatchObject({ status: 'completed', partial: true });
    expectSound(rig);
  });

  test('within another scope it is cancelled with it', () => {
    const inner = { ...custom(), id: 'inner' };
    const rig = started([scope('outer', { branches: true, body: [inner, task('other')], join: { need: 1 } })]);
    rig.complete('outer~0~inner~0~t');
    rig.complete('outer~0~inner~1~t');
    rig.begin('outer~0~inner');
    rig.complete('outer~1~other');
    expect(statuses(rig)).toMatchObject({ outer: 'completed', 'outer~0~inner': 'cancelled' });
    expectSound(rig);
  });

  test('rounds: the agent sees what each of them brought', () => {
    const rig = started([custom({ over: undefined, repeat: { max: 2 } } as Partial<ScopeInput>)]);
    rig.complete('s~0~t', result('1'));
    rig.complete('s~1~t', result('2'));
    expect(rig.begin('s').results).toHaveLength(2);
    rig.finish('s');
    expectSound(rig);
  });

  test('needs to know whose work it is', () => {
    const { tasks } = Plan.parse({ tasks: [custom({}, { agent: undefined })] });
    expect(validatePlan(tasks)).toMatchObject([{ code: 'bad-scope', message: expect.stringContaining('say which one by agent') }]);
  });
});

describe('the checker sees', () => {
  /** The clauses that are found broken in the log of a run with events of one type changed. */
  function faults<T extends RunEvent['type']>(rig: EngineRig, type: T, change: (event: Extract<RunEvent, { type: T }>) => void): string[] {
    const blocks = structuredClone(rig.blocks);
    const events = blocks.flatMap(({ block }) => block.commits.flatMap((commit) => commit.events));
    for (const event of events) if (event.type === type) change(event as Extract<RunEvent, { type: T }>);
    return [...new Set(checkInvariants({ blocks }).map(({ invariant, clause }) => `${invariant} ${clause}`))];
  }

  test('an agent that is given a scope which nobody has joined, or that is another’s to combine', () => {
    const rig = started([scope('s', { over: '[1, 2]', body: [task('t')], combine: { by: 'custom' } }, { agent: 'weigher' })]);
    work(rig);
    const unmark = ({ joined: _, ...event }: Extract<RunEvent, { type: 'AttemptScheduled' }>) => event;
    const blocks = structuredClone(rig.blocks);
    for (const { block } of blocks) {
      const [commit] = block.commits;
      commit!.events = commit!.events.map((event) => (event.type === 'AttemptScheduled' ? unmark(event) : event));
    }
    expect(checkInvariants({ blocks })).toMatchObject([{ clause: 'joined-wrongly' }]);
    expect(faults(rig, 'TasksAdded', ({ tasks }) => void (tasks[0]!.scope && (tasks[0]!.scope.combine = { by: 'list' })))).toContain(
      '5 joined-wrongly',
    );
    expect(faults(rig, 'TasksAdded', ({ tasks }) => void (tasks[0]!.scope && (tasks[0]!.scope.join.need = 3)))).toContain('5 joined-early');
  });

  test('an item that is let through, or kept out, against its gate', () => {
    const body = [given('sure', '5', 0.9), given('unsure', '7', 0.3)];
    const gate = { minConfidence: 0.5 };
    const rig = started([scope('all', { branches: true, body, gate, join: { need: 'any', until: 'ended' } })]);
    for (const item of [0, 1]) {
      expect(faults(rig, 'ItemEnded', (event) => void (event.item === item && (event.ok = !event.ok)))).toContain('4 item-misjudged');
    }
  });
});
