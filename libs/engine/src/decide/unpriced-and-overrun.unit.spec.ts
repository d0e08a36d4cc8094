import type { RunOptions, TaskSpecInput } from '@cadre/contracts';
import type { z } from 'zod';
import { EngineRig, reservation, settlement, task, toolCall } from '../testing/engine-rig.js';

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

test('without a price for the planner there is no plan: the run fails and says what to do', () => {
  const rig = new EngineRig();
  rig.start(undefined, { budget: { runMicros: 1000 } });
  rig.begin('plan');
  expect(rig.ask('plan', unpriced)).toBe('ended model-unpriced');
  expect(rig.run()).toMatchObject({
    status: 'failed',
    error: { code: 'model-unpriced', message: expect.stringContaining('--allow-unpriced') },
  });
  expect(rig.violations({ finished: true })).toEqual([]);
});

test('what a model without a price costs is unknown, not nothing', () => {
  const rig = under({}, {}, (each) => (each.comparing = true));
  const call = (name: string) => reservation(name, { unpriced: true, maxCostMicros: 0 });
  rig.ask('a', call('x'), call('y'), call('z'), reservation('priced'));
  const free = { costMicros: 0 };
  rig.record('a', [settlement('x', free), settlement('y', { ...free, outcome: 'failed' }), settlement('priced', free)], []);
  expect(rig.run().usage).toMatchObject({ modelCalls: 3, costMicros: 0, unpricedCalls: 1 });
  rig.finish('a');
  expect(rig.task('a').usage).toMatchObject({ modelCalls: 4, unpricedCalls: 2 });
  rig.finish('b');
  expect(rig.run().usage).toMatchObject({ unpricedCalls: 2 });
  expect(rig.violations({ finished: true })).toEqual([]);
});

describe('a server that bills more than was set aside', () => {
  const dear = settlement('x', { costMicros: 130 });

  test('is paid what it bills; that counts under the caps at once, and nothing starts beyond them', () => {
    const rig = under({ runMicros: 110 });
    rig.ask('a', reservation('x'));
    expect(rig.grants('a', [dear], [toolCall('look')]).ended?.code).toBe('budget-exceeded');
    expect(rig.task('a').error?.message).toContain("passes the run's cap of $0.000110 by $0.000020");
    expect(rig.run()).toMatchObject({ usage: { costMicros: 130, overrunMicros: 30 }, spent: { settledMicros: 130, reservedMicros: 0 } });
    expect(rig.ask('b', reservation('z', { maxCostMicros: 1 }))).toBe('ended budget-exceeded');
    expect(rig.violations({ finished: true })).toEqual([]);
  });

  test('goes on where the caps have room', () => {
    const rig = under({ taskMicros: 250 });
    rig.ask('a', reservation('x'));
    expect(rig.grants('a', [dear], [reservation('y')]).ended).toBeUndefined();
    expect(rig.grants('a', [settlement('y', { costMicros: 100 })], [reservation('z', { maxCostMicros: 21 })]).ended?.code).toBe(
      'budget-exceeded',
    );
    expect(rig.violations()).toEqual([]);
  });

  test('an approval makes room from where the money stands', () => {
    const rig = under({ taskMicros: 110, onLimit: 'ask' });
    rig.ask('a', reservation('x'));
    rig.grants('a', [dear], [reservation('y')]);
    expect(rig.run().questions['q1']).toMatchObject({ neededMicros: 120 });
    rig.send({ type: 'AnswerQuestion', tenant: 'default', questionId: 'q1', choice: 'approve', by: 'kim' });
    rig.begin('a');
    expect(rig.ask('a', reservation('y'))).toBe('granted');
    expect(rig.violations()).toEqual([]);
  });
});
