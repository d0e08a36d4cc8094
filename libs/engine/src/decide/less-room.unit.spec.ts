import type { CallReservation, RunOptions } from '@cadre/contracts';
import type { z } from 'zod';
import { callKey, EngineRig, reservation, RUN_ID, settlement, task, type CommandBody } from '../testing/engine-rig.js';

type BudgetInput = NonNullable<z.input<typeof RunOptions>['budget']>;

/** Two tasks that run side by side. */
function under(budget: BudgetInput): EngineRig {
  const rig = new EngineRig();
  rig.comparing = true;
  rig.start([task('a'), task('b', { agent: 'other' })], { summarize: false, continueOnFailure: true, budget });
  rig.begin('a');
  rig.begin('b');
  return rig;
}

/** A call that may cost 100, and is of use for 30. */
const elastic = (name: string, rest: Partial<CallReservation> = {}) => reservation(name, { minCostMicros: 30, ...rest });
const granted = (rig: EngineRig, id: string, ...calls: CallReservation[]) => rig.grants(id, [], calls).grants;

test('a call that does not fit whole makes do with what there is, under every cap', () => {
  for (const budget of [{ runMicros: 70 }, { taskMicros: 70, runMicros: 90 }, { agentMicros: { generalist: 70 } }]) {
    const rig = under(budget);
    expect(granted(rig, 'a', elastic('x'))).toEqual([{ key: callKey('x'), grant: 'granted', maxCostMicros: 70 }]);
    expect(rig.task('a').spent).toEqual({ settledMicros: 0, reservedMicros: 70 });
    // The same message once more, and the same call whole: what was set aside stays.
    expect(granted(rig, 'a', elastic('x'))).toEqual([{ key: callKey('x'), grant: 'granted', maxCostMicros: 70 }]);
    expect(rig.record('a', [settlement('x', { outcome: 'unknown' })], [])).toMatchObject({ outcome: 'accepted' });
    expect(rig.run().usage.costMicros).toBe(70);
    expect(rig.violations()).toEqual([]);
  }
  const roomy = under({ runMicros: 100 });
  expect(granted(roomy, 'a', elastic('x'))).toEqual([{ key: callKey('x'), grant: 'granted' }]);
});

test('what is set aside stands in the log as it is; the least does not', () => {
  const rig = under({ runMicros: 70 });
  rig.ask('a', elastic('x'));
  const [call] = rig.blocks.flatMap(({ block }) =>
    block.commits.flatMap(({ events }) => events.flatMap((e) => (e.type === 'CallsReserved' ? e.calls : []))),
  );
  expect(call).toEqual(reservation('x', { maxCostMicros: 70 }));
});

test('below the least the rules of the budget hold', () => {
  expect(under({ runMicros: 29 }).ask('a', elastic('x'))).toBe('ended budget-exceeded');
  expect(under({ runMicros: 29, onLimit: 'ask' }).ask('a', elastic('x'))).toBe('ended waiting-for-answer');
  expect(under({ runMicros: 70 }).ask('a', reservation('x'))).toBe('ended budget-exceeded');
  expect(under({ runMicros: 70 }).ask('a', elastic('x', { optional: true }))).toBe('unaffordable');
});

test('a cheaper model goes before less of the dear one; of that, less will do', () => {
  const rig = under({ runMicros: 70, onLimit: 'degrade', degradeTo: 'cheap' });
  expect(rig.ask('a', elastic('x'))).toBe('degrade');
  expect(granted(rig, 'a', elastic('y', { name: 'cheap' }))).toMatchObject([{ grant: 'granted', maxCostMicros: 70 }]);
});

test('where only other calls under way are in the way, it waits for them, and nothing is noted', () => {
  const rig = under({ runMicros: 110 });
  expect(rig.ask('a', elastic('x'))).toBe('granted');
  const blocks = rig.blocks.length;
  expect(rig.ask('b', elastic('y'))).toBe('later');
  expect(rig.ask('b', reservation('y'))).toBe('ended budget-exceeded');
  expect(rig.blocks.length - blocks).toBe(1);
  const other = under({ runMicros: 110 });
  other.ask('a', elastic('x'));
  expect(other.ask('b', elastic('y'))).toBe('later');
  other.record('a', [settlement('x')], []);
  expect(granted(other, 'b', elastic('y'))).toMatchObject([{ grant: 'granted', maxCostMicros: 70 }]);
  expect([...rig.violations(), ...other.violations()]).toEqual([]);
});

test('of the money of all runs it takes half of what is left; where more may be drawn, that comes first', () => {
  const rig = under({});
  rig.tenantRoomMicros = 80;
  expect(granted(rig, 'a', elastic('x'))).toMatchObject([{ grant: 'granted', maxCostMicros: 40 }]);
  rig.tenantRoomMicros = 50;
  expect(granted(rig, 'b', elastic('y'))).toMatchObject([{ grant: 'granted', maxCostMicros: 30 }]);
  rig.tenantRoomMicros = 29;
  expect(rig.ask('b', elastic('z'))).toBe('ended budget-exceeded');
  const drawing = under({});
  drawing.tenantRoomMicros = 80;
  drawing.tenantMayDraw = true;
  expect(drawing.ask('a', elastic('x'))).toBe('ended budget-exceeded');
});

test('several at once: each knows what the ones before it have taken', () => {
  const rig = under({ runMicros: 130 });
  expect(granted(rig, 'a', elastic('x'), elastic('y'), elastic('x'))).toEqual([
    { key: callKey('x'), grant: 'granted' },
    { key: callKey('y'), grant: 'granted', maxCostMicros: 30 },
    { key: callKey('x'), grant: 'granted' },
  ]);
  expect(rig.violations()).toEqual([]);
});

test('a request that is to wait settles what it brought; the same message again reserves, and nothing is applied twice', () => {
  const rig = under({ runMicros: 130 });
  rig.ask('a', elastic('x'));
  rig.ask('b', elastic('y'));
  const settle = [settlement('y', { costMicros: 30 })];
  const asked: CommandBody = { type: 'RecordCalls', taskId: 'b', attempt: 1, workerId: 'w1', settle, reserve: [elastic('z')] };
  expect(rig.send(asked, RUN_ID, 'asked')).toMatchObject({ outcome: 'accepted', result: { grants: [{ grant: 'later' }] } });
  rig.record('a', [settlement('x')], []);
  expect(rig.send(asked, RUN_ID, 'asked')).toMatchObject({
    outcome: 'accepted',
    result: { grants: [{ grant: 'granted', maxCostMicros: 60 }] },
  });
  expect(rig.send(asked, RUN_ID, 'asked')).toMatchObject({ outcome: 'duplicate' });
  expect(rig.violations()).toEqual([]);
});
