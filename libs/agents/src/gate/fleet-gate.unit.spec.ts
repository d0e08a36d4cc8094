import type { GovernorAnswer, GovernorAsk, ModelLimitTable } from '@cadre/contracts';
import { CadreError } from '@cadre/contracts';
import { ModelGovernor } from '@cadre/scheduling';
import { MemoryGovernorStore } from '@cadre/scheduling/testing';
import { VirtualClock } from '../testing/virtual-clock.js';
import type { CallEnding, CallLeave, Governor } from './call-gate.js';
import { FleetGate } from './fleet-gate.js';

const MINUTE = 60_000;
const never = new AbortController().signal;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Workers and schedulers on virtual time. */
class Fleet {
  readonly clock = new VirtualClock(turn);
  private readonly store = new MemoryGovernorStore(() => this.clock.now());
  private terms = 0;
  private holder: ModelGovernor | undefined;
  readonly asks: GovernorAsk[] = [];
  /** When which call was let go. */
  readonly starts: number[] = [];
  readonly refused: string[] = [];
  readonly waited: { ms: number; granted: boolean }[] = [];
  /** Milliseconds on the way of an answer. */
  answerMs = 1;

  constructor(private readonly limits: ModelLimitTable) {
    this.elect();
  }

  elect(): void {
    const around = { store: this.store, clock: this.clock, term: `t${(this.terms += 1)}` };
    this.holder = new ModelGovernor(around, { granted: () => undefined });
  }

  leaderDies(): void {
    this.holder = undefined;
  }

  gate(worker: string): FleetGate {
    const governor: Governor = { ask: (ask) => this.request(ask) };
    return new FleetGate({
      ...{ server: 'http://a.test/v1', limits: this.limits, worker, governor, clock: this.clock },
      onWaited: (_model, ms, granted) => void this.waited.push({ ms, granted }),
      onRefused: (model) => void this.refused.push(model),
    });
  }

  /** An agent that makes one call after the other, each as long as it says. */
  async agent(gate: FleetGate, callMs: number, tokens: number, used: number, onStart = (): unknown => undefined): Promise<void> {
    for (;;) {
      const leave = await gate.enter({ model: 'm', tokens }, never);
      this.starts.push(this.clock.now());
      onStart();
      await new Promise<void>((resolve) => void this.clock.after(callMs, resolve));
      leave.over({ tokens: used });
    }
  }

  busiestMinute(): number {
    return Math.max(...this.starts.map((from) => this.starts.filter((at) => at >= from && at < from + MINUTE).length));
  }

  private async request(ask: GovernorAsk): Promise<GovernorAnswer> {
    this.asks.push(structuredClone(ask));
    const { holder } = this;
    if (!holder) throw new CadreError('no-responders', 'nobody');
    const answer = await holder.ask(ask);
    await new Promise<void>((resolve) => void this.clock.after(this.answerMs, resolve));
    return answer;
  }
}

test('500 agents on five workers never pass the limit, use it up, and share it alike', async () => {
  const fleet = new Fleet({ '*': { requestsPerMinute: 600 } });
  const made: number[] = [];
  for (let worker = 0; worker < 5; worker += 1) {
    const gate = fleet.gate(`w${worker}`);
    for (let n = 0; n < 100; n += 1) void fleet.agent(gate, 500, 0, 0, () => (made[worker * 100 + n] = (made[worker * 100 + n] ?? 0) + 1));
  }
  await fleet.clock.advance(3 * MINUTE);
  const steady = fleet.starts.filter((at) => at >= fleet.clock.now() - 2 * MINUTE).length;
  expect(steady / 1200).toBeGreaterThanOrEqual(0.95);
  expect(fleet.busiestMinute()).toBeLessThanOrEqual(600);
  expect(made).toHaveLength(500);
  expect(Math.max(...made) - Math.min(...made)).toBeLessThanOrEqual(1);
  // However many agents wait.
  expect(fleet.asks.length).toBeLessThan(5 * 180 * 8);
});

test('while nobody leads calls wait; whoever leads next counts what was let go before', async () => {
  const fleet = new Fleet({ '*': { requestsPerMinute: 120 } });
  for (const gate of [fleet.gate('a'), fleet.gate('b')]) for (let n = 0; n < 50; n += 1) void fleet.agent(gate, 100, 0, 0);
  for (let changes = 0; changes < 6; changes += 1) {
    await fleet.clock.advance(20_000);
    fleet.leaderDies();
    const before = fleet.starts.length;
    await fleet.clock.advance(2000);
    expect(fleet.starts.length - before).toBeLessThanOrEqual(2);
    fleet.elect();
  }
  expect(fleet.busiestMinute()).toBeLessThanOrEqual(120);
  expect(fleet.starts.length).toBeGreaterThan(180);
});

test('tokens are counted by their use once it is known, and no later than it is known', async () => {
  const fleet = new Fleet({ '*': { tokensPerMinute: 100_000 } });
  const gate = fleet.gate('a');
  for (let n = 0; n < 200; n += 1) void fleet.agent(gate, 2000, 10_000, 500);
  await fleet.clock.advance(3 * MINUTE);
  expect(fleet.busiestMinute()).toBeLessThanOrEqual(200);
  expect(fleet.starts.length).toBeGreaterThan(340);
});

describe('one call', () => {
  const limits = { m: { requestsPerMinute: 60 } };
  const enter = async (fleet: Fleet, gate: FleetGate, signal = never) => {
    let leave: CallLeave | undefined;
    const entering = gate.enter({ model: 'm', tokens: 10 }, signal).then((got) => (leave = got));
    await fleet.clock.advance(10);
    return { entering, leave };
  };
  const over = async (fleet: Fleet, leave: CallLeave | undefined, ending: CallEnding) => {
    leave!.over(ending);
    await fleet.clock.advance(60);
    return fleet.asks.at(-1);
  };

  test('of a model without limits passes, and nobody is asked', async () => {
    const fleet = new Fleet(limits);
    const gate = fleet.gate('a');
    (await gate.enter({ model: 'other', tokens: 1 }, never)).over({ tokens: 1 });
    expect([gate.governs('m'), gate.governs('other'), gate.governs('toString')]).toEqual([true, false, false]);
    await fleet.clock.advance(5000);
    expect(fleet.asks).toEqual([]);
  });

  test('is let go at once where there is room, and tells its end once', async () => {
    const fleet = new Fleet(limits);
    const { leave } = await enter(fleet, fleet.gate('a'));
    expect(await over(fleet, leave, { tokens: 7 })).toMatchObject({ calls: [], ended: [{ pass: 't1-1', tokens: 7 }] });
    leave!.over({ tokens: 7 });
    await fleet.clock.advance(5000);
    expect(fleet.asks).toHaveLength(2);
  });

  test('that is stopped while it waits leaves at once and uses nothing', async () => {
    const fleet = new Fleet(limits);
    const gate = fleet.gate('a');
    await enter(fleet, gate);
    const stop = new AbortController();
    const { entering } = await enter(fleet, gate, stop.signal);
    stop.abort(new CadreError('time-limit', 'Too late.'));
    await expect(entering).rejects.toMatchObject({ code: 'time-limit' });
    await expect(gate.enter({ model: 'm', tokens: 1 }, stop.signal)).rejects.toMatchObject({ code: 'time-limit' });
    const asked = fleet.asks.length;
    await fleet.clock.advance(10_000);
    // What was granted meanwhile is given back.
    expect(
      fleet.asks
        .slice(asked)
        .flatMap(({ ended }) => ended)
        .every(({ unused }) => unused),
    ).toBe(true);
    expect(fleet.waited.map(({ granted }) => granted)).toEqual([true, false]);
  });

  test('waits no longer than it has patience', async () => {
    const fleet = new Fleet(limits);
    const gate = fleet.gate('a');
    await enter(fleet, gate);
    const busy = expect(gate.enter({ model: 'm', tokens: 1, patienceMs: 300 }, never)).rejects.toMatchObject({
      ...{ code: 'model-busy', billed: 'no', message: 'The model server at http://a.test/v1 has had no room for m for 300 ms.' },
    });
    await fleet.clock.advance(300);
    await busy;
    const patient = gate.enter({ model: 'm', tokens: 1, patienceMs: 5000 }, never);
    await fleet.clock.advance(6000);
    (await patient).over({});
  });

  test('does not use a pass that comes too late', async () => {
    const fleet = new Fleet(limits);
    fleet.answerMs = 1100;
    const { leave } = await enter(fleet, fleet.gate('a'));
    await fleet.clock.advance(3000);
    expect(leave).toBeUndefined();
    expect(fleet.asks[1]?.ended).toEqual([{ pass: 't1-1', unused: true }]);
    fleet.answerMs = 900;
    await fleet.clock.advance(3000);
    expect(fleet.waited).toHaveLength(1);
  });

  test('that the server refuses for its limits keeps the whole fleet back', async () => {
    const fleet = new Fleet({ '*': { requestsPerMinute: 6000 } });
    const gates = [fleet.gate('a'), fleet.gate('b')] as const;
    const { leave } = await enter(fleet, gates[0]);
    await over(fleet, leave, { tokens: 0, pauseMs: 3000 });
    expect(fleet.refused).toEqual(['*']);
    const entering = gates[1].enter({ model: 'm', tokens: 1 }, never).then(() => fleet.clock.now());
    const from = fleet.clock.now();
    await fleet.clock.advance(4000);
    expect((await entering) - from).toBeGreaterThan(2800);
  });

  test('on its way is told again and again where calls at once are limited', async () => {
    const fleet = new Fleet({ '*': { concurrent: 1 } });
    const [a, b] = [fleet.gate('a'), fleet.gate('b')];
    await fleet.clock.advance(2500);
    const { leave } = await enter(fleet, a);
    const second = b.enter({ model: 'm', tokens: 1 }, never).then((got) => got.over({}));
    await fleet.clock.advance(10_000);
    expect(fleet.waited).toHaveLength(1);
    leave!.over({});
    await fleet.clock.advance(500);
    await second;
    const asked = fleet.asks.length;
    await fleet.clock.advance(5000);
    expect(fleet.asks.length - asked).toBeLessThanOrEqual(1);
  });
});
