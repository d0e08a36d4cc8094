import type { RunOptions, TaskSpecInput } from '@cadre/contracts';
import type { z } from 'zod';
import { callKey, EngineRig, reservation, RUN_ID, settlement, task, toolCall } from '../testing/engine-rig.js';

type BudgetInput = NonNullable<z.input<typeof RunOptions>['budget']>;

/** Two tasks that run side by side; each call may cost 100. */
function under(budget: BudgetInput, rest: Partial<TaskSpecInput> = {}, prepare: (rig: EngineRig) => void = () => undefined): EngineRig {
  const rig = new EngineRig();
  prepare(rig);
  rig.start([task('a', rest), task('b', { agent: 'other' })], { summarize: false, continueOnFailure: true, budget });
  rig.begin('a');
  rig.begin('b');
  return rig;
}

const unpriced = reservation('x', { unpriced: true, maxCostMicros: 0 });

describe('which cap a call does not fit under', () => {
  const limitOf = (rig: EngineRig, ...calls: Parameters<typeof reservation>[0][]): string => {
    rig.ask('a', ...calls.map((name) => reservation(name)));
    const events = rig.blocks.flatMap(({ block }) => block.commits.flatMap((commit) => commit.events));
    return events.flatMap((event) => (event.type === 'CallRefused' ? [event.limit] : [])).join();
  };

  test('the run, over all its tasks', () => {
    const rig = under({ runMicros: 250 });
    expect(rig.ask('b', reservation('x'))).toBe('granted');
    expect(limitOf(rig, 'y')).toBe('');
    expect(limitOf(rig, 'z')).toBe('run');
    expect(rig.violations()).toEqual([]);
  });

  test('the task, whose own figure goes before that of all tasks', () => {
    expect(limitOf(under({ taskMicros: 100 }), 'x')).toBe('');
    expect(limitOf(under({ taskMicros: 100 }), 'x', 'y')).toBe('task');
    expect(limitOf(under({ taskMicros: 100 }, { budgetMicros: 200 }), 'x', 'y')).toBe('');
    expect(limitOf(under({ taskMicros: 100 }, { budgetMicros: 50 }), 'x')).toBe('task');
  });

  test('the agent, the smaller of what the run and its definition say', () => {
    expect(limitOf(under({ agentMicros: { generalist: 99 } }), 'x')).toBe('agent');
    expect(limitOf(under({ agentMicros: { other: 1 } }), 'x')).toBe('');
    expect(
      limitOf(
        under({ agentMicros: { generalist: 1000 } }, {}, (rig) => (rig.agentCapMicros = 99)),
        'x',
      ),
    ).toBe('agent');
  });

  test('the tenant, less what the very command frees and binds', () => {
    const rig = under({});
    rig.tenantRoomMicros = 100;
    expect(rig.ask('a', reservation('x'))).toBe('granted');
    rig.tenantRoomMicros = 0;
    expect(rig.grants('a', [settlement('x')], [reservation('y', { maxCostMicros: 60 })]).ended).toBeUndefined();
    expect(limitOf(rig, 'z')).toBe('tenant');
  });

  test('the price, where it is not known and the run does not allow that', () => {
    const rig = under({ unpricedModels: 'refuse' });
    expect(rig.ask('a', unpriced)).toBe('ended model-unpriced');
    expect(rig.task('a')).toMatchObject({ status: 'failed', error: { code: 'model-unpriced' } });
    expect(under({ runMicros: 1, unpricedModels: 'allow' }).ask('a', unpriced)).toBe('granted');
  });

  test('the price, where it is not known and a cap applies to the call', () => {
    expect(under({}).ask('a', unpriced)).toBe('granted');
    expect(under({ agentMicros: { other: 1 } }).ask('a', unpriced)).toBe('granted');
    const own = under({}, {}, (rig) => (rig.agentCapMicros = 99));
    expect(own.ask('a', unpriced)).toBe('ended model-unpriced');
    for (const budget of [{ runMicros: 1000 }, { taskMicros: 1000 }, { agentMicros: { generalist: 1000 } }]) {
      const rig = under(budget);
      expect(rig.ask('a', unpriced)).toBe('ended model-unpriced');
      expect(rig.task('a').error?.message).toMatch(/price of the model m is not known.*CADRE_PRICES.*--allow-unpriced/);
      expect(rig.violations()).toEqual([]);
    }
    const tenants = under({});
    tenants.tenantRoomMicros = 1000;
    expect(tenants.ask('a', unpriced)).toBe('ended model-unpriced');
    tenants.tenantCapped = false;
    expect(tenants.ask('b', unpriced)).toBe('granted');
  });
});

describe('stop', () => {
  test('the task fails for good in the same commit, whatever its policy says; nothing is reserved with the refusal', () => {
    const rig = under({ taskMicros: 150 }, { fallbackAgents: ['second'] });
    const blocks = rig.blocks.length;
    expect(rig.ask('a', reservation('x'), reservation('y'))).toBe('ended budget-exceeded');
    expect(rig.blocks).toHaveLength(blocks + 1);
    expect(rig.task('a')).toMatchObject({ status: 'failed', attempt: 1, spent: { settledMicros: 0, reservedMicros: 0 } });
    const again = { type: 'RecordCalls' as const, taskId: 'a', attempt: 1, workerId: 'w1', reserve: [reservation('x'), reservation('y')] };
    expect(rig.send(again)).toMatchObject({ outcome: 'duplicate', result: { grants: [], ended: { code: 'budget-exceeded' } } });
    expect(rig.send({ ...again, workerId: 'w2' })).toMatchObject({ code: 'attempt-closed' });
    rig.finish('b');
    expect(rig.run()).toMatchObject({ status: 'completed', partial: true });
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('what ended before still counts, and so does what was open', () => {
    const rig = under({ taskMicros: 250 });
    rig.ask('a', reservation('x'), reservation('y'));
    expect(rig.grants('a', [settlement('x')], [reservation('z', { maxCostMicros: 111 })]).ended?.code).toBe('budget-exceeded');
    expect(rig.run().spent).toEqual({ settledMicros: 140, reservedMicros: 0 });
    expect(rig.violations()).toEqual([]);
  });
});

describe('degrade', () => {
  const budget: BudgetInput = { taskMicros: 150, onLimit: 'degrade', degradeTo: 'cheap' };
  const cheap = (name: string) => reservation(name, { name: 'cheap', maxCostMicros: 20 });

  test('the task goes on with the cheaper model, to its end, which says so', () => {
    const rig = under(budget);
    rig.ask('a', reservation('x'));
    expect(rig.grants('a', [], [reservation('y')]).grants).toEqual([{ key: callKey('y'), grant: 'degrade', model: 'cheap' }]);
    expect(rig.record('a', [], [reservation('y')])).toMatchObject({ outcome: 'duplicate', result: { grants: [{ grant: 'degrade' }] } });
    expect(rig.ask('a', cheap('z'))).toBe('granted');
    rig.record('a', [settlement('x'), settlement('z', { costMicros: 10 })], []);
    expect(rig.ask('a', reservation('small', { maxCostMicros: 1 }))).toBe('degrade');
    rig.send({ type: 'LoseAttempt', taskId: 'a', attempt: 1, workerId: 'w1', reason: 'silent' });
    expect(rig.begin('a')).toMatchObject({ degradedTo: 'cheap' });
    expect(rig.ask('a', reservation('x'))).toBe('recorded');
    rig.finish('a');
    expect(rig.task('a').result).toMatchObject({ degradedTo: 'cheap' });
    expect(rig.violations()).toEqual([]);
  });

  test('what does not fit even so, or is no model call, stops the task', () => {
    const rig = under(budget);
    rig.ask('a', reservation('x'), reservation('y'));
    expect(rig.ask('a', cheap('z1'), cheap('z2'), cheap('z3'))).toBe('ended budget-exceeded');
    const tool = under(budget);
    expect(tool.ask('a', toolCall('x', 'none', { maxCostMicros: 200 }))).toBe('ended budget-exceeded');
    expect([...rig.violations(), ...tool.violations()]).toEqual([]);
  });
});

test('a call that the attempt can do without is not made when it does not fit, and nothing follows', () => {
  const optional = (name: string, maxCostMicros: number) => reservation(name, { optional: true, maxCostMicros });
  for (const onLimit of ['stop', 'degrade', 'ask'] as const) {
    const rig = under({ taskMicros: 150, onLimit, ...(onLimit === 'degrade' && { degradeTo: 'cheap' }) });
    const blocks = rig.blocks.length;
    expect(rig.ask('a', optional('x', 200))).toBe('unaffordable');
    expect(rig.blocks).toHaveLength(blocks);
    expect(rig.ask('a', optional('y', 100))).toBe('granted');
    rig.record('a', [settlement('y')], []);
    expect(rig.ask('a', optional('y', 100))).toBe('recorded');
    rig.finish('a');
    expect(rig.task('a').result?.degradedTo).toBeUndefined();
    expect(rig.violations()).toEqual([]);
  }
  const optionalUnpriced = { ...unpriced, optional: true as const };
  expect(under({ unpricedModels: 'refuse' }).ask('a', optionalUnpriced)).toBe('unaffordable');
});

describe('ask', () => {
  const asking = (budget: BudgetInput = { taskMicros: 150 }): EngineRig => {
    const rig = under({ ...budget, onLimit: 'ask' });
    rig.ask('a', reservation('x'));
    expect(rig.grants('a', [settlement('x', { costMicros: 90 })], [reservation('y')]).ended?.code).toBe('waiting-for-answer');
    return rig;
  };
  const answer = (rig: EngineRig, choice: 'approve' | 'deny', rest: object = {}) =>
    rig.send({ type: 'AnswerQuestion', tenant: 'default', questionId: 'q1', choice, by: 'kim', ...rest });

  test('the task waits for a person, and asks what it needs', () => {
    const rig = asking();
    expect(rig.task('a')).toMatchObject({ status: 'asking', counted: 0, openQuestions: ['q1'] });
    expect(rig.run().questions['q1']).toMatchObject({ kind: 'budget', limit: 'task', neededMicros: 40, dueAt: rig.run().deadlineAt });
    expect(rig.violations()).toEqual([]);
    expect(answer(rig, 'approve', { tenant: 'other' })).toMatchObject({ code: 'forbidden' });
    expect(answer(rig, 'approve', { questionId: 'q9' })).toMatchObject({ code: 'unknown-question' });
    expect(answer(rig, 'approve', { choice: 'done' })).toMatchObject({ code: 'unknown-question' });
  });

  test('approved, the cap grows by itself and the task resumes', () => {
    const rig = asking();
    expect(answer(rig, 'approve')).toMatchObject({
      outcome: 'accepted',
      events: [{ raiseMicros: 150 }, { type: 'AttemptScheduled', attempt: 2 }],
    });
    expect(answer(rig, 'approve')).toEqual({ outcome: 'duplicate' });
    expect(answer(rig, 'deny')).toMatchObject({ code: 'unknown-question', message: expect.stringContaining('kim') });
    rig.begin('a');
    expect(rig.ask('a', reservation('x'), reservation('y'), reservation('z'))).toBe('recorded granted granted');
    expect(rig.ask('a', reservation('more'))).toBe('ended waiting-for-answer');
    expect(rig.task('a').openQuestions).toEqual(['q2']);
    expect(rig.violations()).toEqual([]);
  });

  test.each([
    ['run', { runMicros: 150 }],
    ['agent', { agentMicros: { generalist: 150 } }],
  ] as const)('an answer raises the cap of the %s by the figure it names', (_limit, budget) => {
    const rig = asking(budget);
    answer(rig, 'approve', { raiseMicros: 40 });
    rig.begin('a');
    expect(rig.ask('a', reservation('y'))).toBe('granted');
    expect(rig.ask('a', reservation('z', { maxCostMicros: 1 }))).toBe('ended waiting-for-answer');
    expect(rig.violations()).toEqual([]);
  });

  test("a tenant's cap is not raised from here: an approval only lets the task try again", () => {
    const rig = under({ onLimit: 'ask' });
    rig.tenantRoomMicros = 50;
    expect(rig.ask('a', reservation('x'))).toBe('ended waiting-for-answer');
    answer(rig, 'approve', { raiseMicros: 1000 });
    rig.begin('a');
    expect(rig.ask('a', reservation('x'))).toBe('ended waiting-for-answer');
    expect(rig.violations()).toEqual([]);
  });

  test('a person may allow a model without a price', () => {
    const rig = under({ onLimit: 'ask', unpricedModels: 'refuse' });
    expect(rig.ask('a', unpriced)).toBe('ended waiting-for-answer');
    answer(rig, 'approve');
    rig.begin('a');
    expect(rig.ask('a', unpriced)).toBe('granted');
    expect(rig.ask('b', reservation('y', { unpriced: true }))).toBe('ended waiting-for-answer');
    expect(rig.violations()).toEqual([]);
  });

  test('denied, or not answered in time, the task fails', () => {
    const rig = asking();
    answer(rig, 'deny', { note: 'too dear' });
    expect(rig.task('a')).toMatchObject({
      status: 'failed',
      error: { code: 'budget-exceeded', message: expect.stringContaining('kim said no: too dear') },
    });
    expect(answer(rig, 'deny')).toEqual({ outcome: 'duplicate' });
    const late = asking();
    const expire = { type: 'ExpireQuestion' as const, questionId: 'q1' };
    expect(late.send(expire)).toMatchObject({ code: 'not-yet' });
    late.now = late.run().questions['q1']!.dueAt;
    expect(late.send(expire)).toMatchObject({ outcome: 'accepted', events: [{ choice: 'deny', by: 'timeout' }, { type: 'TaskFailed' }] });
    expect(late.send(expire)).toEqual({ outcome: 'duplicate' });
    expect([...rig.violations(), ...late.violations()]).toEqual([]);
  });

  test('an answer that ends the run is recognised when it comes again', () => {
    const rig = new EngineRig();
    rig.start([task('a')], { summarize: false, budget: { runMicros: 1, onLimit: 'ask' }, questionTimeoutMs: 1000 });
    rig.begin('a');
    rig.ask('a', reservation('x'));
    expect(rig.run().questions['q1']!.dueAt).toBe(rig.now + 1000);
    answer(rig, 'deny');
    expect(rig.shard.open).not.toHaveProperty(RUN_ID);
    expect(answer(rig, 'deny')).toEqual({ outcome: 'duplicate' });
    expect(answer(rig, 'approve')).toMatchObject({ code: 'run-ended' });
    expect(answer(rig, 'deny', { tenant: 'other' })).toMatchObject({ code: 'forbidden' });
    expect(rig.send({ type: 'ExpireQuestion', questionId: 'q1' })).toEqual({ outcome: 'duplicate' });
    expect(rig.violations({ finished: true })).toEqual([]);
  });
});

test('a planning task that runs out of money gives way to the template', () => {
  const rig = new EngineRig();
  rig.start(undefined, { budget: { runMicros: 1 } });
  rig.begin('plan');
  rig.ask('plan', reservation('x'));
  expect(rig.run()).toMatchObject({ planSource: 'template', planNote: expect.stringContaining('Planning failed') });
  expect(rig.violations()).toEqual([]);
});
