import { describe, expect, test } from '@jest/globals';
import { GOVERNOR_TIMING, HEARTBEAT } from '@cadre/contracts';
import type { GovernorAsk, ModelLimits } from '@cadre/contracts';
import fc from 'fast-check';
import { GovernedLine } from './governed-line.js';
import type { Grant, SavedLine } from './governed-line.js';

const MINUTE = 60_000;

function ask(worker: string, limits: ModelLimits, over: Partial<GovernorAsk> = {}): GovernorAsk {
  return { worker, server: 'http://a.test/v1', model: '*', limits, calls: [], ended: [], ...over };
}

const calls = (count: number, tokens = 0, first = 1, tenant = 'default') =>
  Array.from({ length: count }, (_, i) => ({ call: first + i, tenant, tokens, waitedMs: 0 }));

/** What a server sees: when which call came, and how much it used. */
class Witness {
  readonly uses: { at: number; tokens: number }[] = [];

  /** The most requests, and tokens, that any minute has. */
  worst(): { requests: number; tokens: number } {
    const uses = [...this.uses].sort((a, b) => a.at - b.at);
    let [first, tokens] = [0, 0];
    const most = { requests: 0, tokens: 0 };
    for (const [last, use] of uses.entries()) {
      tokens += use.tokens;
      for (; uses[first]!.at <= use.at - MINUTE; first += 1) tokens -= uses[first]!.tokens;
      most.requests = Math.max(most.requests, last - first + 1);
      most.tokens = Math.max(most.tokens, tokens);
    }
    return most;
  }
}

/** A fleet and its holders on virtual time; `chance` decides what is lost, who dies and who is followed by whom. */
class Fleet {
  now = 0;
  readonly witness = new Witness();
  private saved: { record: SavedLine; at: number } | undefined;
  private terms = 0;
  private lastCall = 0;
  private line = this.holder();
  private readonly open: { grant: Grant; bound: number; use: { tokens: number }; over: boolean }[] = [];
  private readonly ended = new Map<string, GovernorAsk['ended']>();

  constructor(private readonly limits: ModelLimits) {}

  /** Another holder takes over from what was stored last. */
  replace(): void {
    this.line = this.holder();
  }

  /** @param fate what becomes of the answer; used late: as late as a worker may */
  round(worker: string, count: number, bound: number, used: number, fate: 'used' | 'late' | 'lost' | 'not-stored' | 'dies'): number {
    const wanted = calls(count, bound, this.lastCall + 1);
    this.lastCall += count;
    const mine = ask(worker, this.limits, { calls: wanted, ended: this.ended.get(worker) ?? [] });
    this.ended.delete(worker);
    this.line.hear(mine, this.now);
    const grants = this.line.decide([{ ask: mine, arrivedAt: this.now }], this.now);
    if (fate === 'not-stored') {
      this.line.takeBack(grants);
      return 0;
    }
    if (grants.length > 0) this.saved = { record: this.line.save(this.now), at: this.now };
    if (fate === 'lost') return 0;
    for (const grant of grants) {
      const at = this.now + (fate === 'late' ? GOVERNOR_TIMING.useMs : 0);
      const use = { at, tokens: Math.min(bound, used) };
      this.witness.uses.push(use);
      if (fate !== 'dies') this.open.push({ grant, bound, use, over: false });
    }
    return grants.length;
  }

  /** Some calls are over, and their workers will say so. */
  finish(count: number): void {
    for (const { grant, use } of this.open.splice(0, count)) {
      const told = this.ended.get(grant.worker) ?? [];
      this.ended.set(grant.worker, [...told, { pass: grant.pass, tokens: use.tokens }]);
    }
  }

  private holder(): GovernedLine {
    const kept = this.saved && this.now - this.saved.at < 62_000 ? this.saved.record : undefined;
    return new GovernedLine(`t${(this.terms += 1)}`, this.now, kept, this.now);
  }
}

const step = fc.record({
  waitMs: fc.oneof(fc.nat(50), fc.nat(2000), fc.nat(30_000)),
  worker: fc.constantFrom('a', 'b', 'c'),
  count: fc.nat(40),
  bound: fc.nat(900),
  used: fc.nat(900),
  fate: fc.constantFrom('used', 'used', 'used', 'late', 'late', 'lost', 'not-stored', 'dies') as fc.Arbitrary<'used' | 'late' | 'lost'>,
  finish: fc.nat(20),
  replace: fc.nat(9).map((n) => n === 0),
});

describe('the allowance', () => {
  test('is never passed in any minute, whatever is lost, whoever dies and whoever follows', () => {
    const limits = { requestsPerMinute: 60, tokensPerMinute: 10_000 };
    let granted = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 150 }), (steps) => {
        const fleet = new Fleet(limits);
        for (const { waitMs, worker, count, bound, used, fate, finish, replace } of steps) {
          fleet.now += waitMs;
          if (replace) fleet.replace();
          granted += fleet.round(worker, count, bound, used, fate);
          fleet.finish(finish);
        }
        const { requests, tokens } = fleet.witness.worst();
        expect(requests).toBeLessThanOrEqual(limits.requestsPerMinute);
        expect(tokens).toBeLessThanOrEqual(limits.tokensPerMinute);
      }),
      { numRuns: 150 },
    );
    expect(granted).toBeGreaterThan(1000);
  });

  test.each([7, 60, 600, 6000])('of %i requests a minute is used under a backlog, to 95 %% at least', (requestsPerMinute) => {
    const fleet = new Fleet({ requestsPerMinute });
    for (; fleet.now < 5 * MINUTE; fleet.now += 100) fleet.round(`w${(fleet.now / 100) % 5}`, 100, 0, 0, 'used');
    const later = fleet.witness.uses.filter(({ at }) => at >= MINUTE).length;
    expect(later / 4 / requestsPerMinute).toBeGreaterThanOrEqual(0.95);
    expect(fleet.witness.worst().requests).toBeLessThanOrEqual(requestsPerMinute);
  });

  test('of tokens is used under a backlog too, since bounds are corrected', () => {
    const fleet = new Fleet({ tokensPerMinute: 100_000 });
    for (; fleet.now < 5 * MINUTE; fleet.now += 100) {
      fleet.round(`w${(fleet.now / 100) % 5}`, 10, 5000, 500, 'used');
      fleet.finish(100);
    }
    const later = fleet.witness.uses.filter(({ at }) => at >= MINUTE).reduce((sum, { tokens }) => sum + tokens, 0);
    expect(later / 4 / 100_000).toBeGreaterThanOrEqual(0.9);
    expect(fleet.witness.worst().tokens).toBeLessThanOrEqual(100_000);
  });

  test('is spread over the minute', () => {
    const fleet = new Fleet({ requestsPerMinute: 600 });
    fleet.now = 10 * MINUTE;
    const seconds = new Map<number, number>();
    for (const end = fleet.now + 20_000; fleet.now < end; fleet.now += 100) fleet.round('a', 100, 0, 0, 'used');
    for (const { at } of fleet.witness.uses) seconds.set(Math.floor(at / 1000), (seconds.get(Math.floor(at / 1000)) ?? 0) + 1);
    expect(Math.max(...seconds.values())).toBeLessThanOrEqual(20);
    expect(Math.max(...[...seconds.values()].slice(1))).toBeLessThanOrEqual(11);
  });

  test('a call that asks for more than a minute has gets all of one', () => {
    const line = new GovernedLine('t', 0, undefined, 0);
    const limits = { tokensPerMinute: 1000 };
    const mine = ask('a', limits, { calls: calls(2, 5000) });
    line.hear(mine, 0);
    expect(line.decide([{ ask: mine, arrivedAt: 0 }], 0)).toHaveLength(1);
    expect(line.decide([{ ask: mine, arrivedAt: 0 }], 50_000)).toHaveLength(0);
    expect(line.decide([{ ask: mine, arrivedAt: 0 }], 62_000)).toHaveLength(1);
  });
});

describe('who is next', () => {
  const limits = { requestsPerMinute: 60 };
  const granted = (line: GovernedLine, asks: GovernorAsk[], now: number) => {
    const held = asks.map((each) => ({ ask: each, arrivedAt: now }));
    return line.decide(held, now).map(({ worker, call }) => `${worker}${call}`);
  };

  test('tenants take turns, however much each has waiting; of one tenant the oldest call goes first', () => {
    const line = new GovernedLine('t', 0, undefined, 0);
    const old = calls(1, 0, 50, 'large').map((call) => ({ ...call, waitedMs: 9000 }));
    const asks = [
      ask('a', { requestsPerMinute: 480 }, { calls: calls(10, 0, 1, 'large') }),
      ask('b', { requestsPerMinute: 480 }, { calls: [...old, ...calls(2, 0, 90, 'small')] }),
    ];
    for (const each of asks) line.hear(each, 0);
    expect(granted(line, asks, 0)).toEqual(['b50', 'b90', 'a1', 'b91']);
    const rest = asks.map((each) => ({ ...each, calls: each.calls.filter(({ call }) => ![50, 90, 91, 1].includes(call)) }));
    expect(granted(line, rest, 300)).toEqual(['a2', 'a3', 'a4']);
  });

  test('a large call is not passed by small ones for ever', () => {
    const line = new GovernedLine('t', 0, undefined, 0);
    const tokens = { tokensPerMinute: 1000 };
    const small = ask('a', tokens, { calls: calls(1, 600) });
    line.hear(small, 0);
    expect(granted(line, [small], 0)).toEqual(['a1']);
    const large = ask('b', tokens, { calls: [{ call: 7, tenant: 'default', tokens: 900, waitedMs: 100 }] });
    const next = ask('a', tokens, { calls: calls(1, 100, 2) });
    for (const each of [large, next]) line.hear(each, 10);
    expect(granted(line, [large, next], 10)).toEqual([]);
    expect(granted(line, [large, next], 62_000)).toEqual(['b7', 'a2']);
  });

  test('of limits that differ the least holds, as long as its worker is there', () => {
    const line = new GovernedLine('t', 0, undefined, 0);
    line.hear(ask('old', { requestsPerMinute: 1 }), 0);
    const mine = ask('new', { requestsPerMinute: 6000 }, { calls: calls(50) });
    line.hear(mine, 0);
    expect(granted(line, [mine], 0)).toHaveLength(1);
    line.hear({ ...mine, calls: calls(50, 0, 100) }, 61_000);
    expect(granted(line, [{ ...mine, calls: calls(50, 0, 100) }], 62_000).length).toBeGreaterThan(10);
  });

  test('what a worker asks for again was not told to it, and is given back first', () => {
    const line = new GovernedLine('t', 0, undefined, 0);
    const mine = ask('a', limits, { calls: calls(1) });
    for (let n = 0; n < 5; n += 1) {
      line.hear(mine, n);
      expect(granted(line, [mine], n)).toEqual(['a1']);
    }
    expect(line.use(5)).toMatchObject({ requests: 1, open: 1 });
  });

  test('while the server wants no calls nobody gets any, and a successor knows', () => {
    const line = new GovernedLine('t', 0, undefined, 0);
    const mine = ask('a', limits, { calls: calls(1), pauseMs: 5000 });
    line.hear(mine, 0);
    expect(granted(line, [mine], 4999)).toEqual([]);
    const successor = new GovernedLine('u', 1000, line.save(1000), 1000);
    successor.hear(ask('a', limits, { calls: calls(1) }), 1000);
    expect(granted(successor, [mine], 4999)).toEqual([]);
    expect(granted(successor, [mine], 5000)).toEqual(['a1']);
  });
});

describe('calls on their way at once', () => {
  const limits = { concurrent: 2 };
  const begun = HEARTBEAT.lostAfterMs;
  const grantsOf = (line: GovernedLine, mine: GovernorAsk, now: number) => {
    line.hear(mine, now);
    return line.decide([{ ask: mine, arrivedAt: now }], now).map(({ pass }) => pass);
  };

  test('as many as there may be; the next when one is over', () => {
    const line = new GovernedLine('t', 0, undefined, 0);
    const [one, two] = grantsOf(line, ask('a', limits, { calls: calls(3), running: [] }), begun);
    const running = [one!, two!];
    expect(grantsOf(line, ask('a', limits, { calls: calls(1, 0, 3), running }), begun + 100)).toEqual([]);
    const over = ask('a', limits, { calls: calls(1, 0, 3), running: [two!], ended: [{ pass: one! }] });
    expect(grantsOf(line, over, begun + 200)).toHaveLength(1);
  });

  test('those of a lost worker are free again, those of one that is heard of are not', () => {
    const line = new GovernedLine('t', 0, undefined, 0);
    expect(grantsOf(line, ask('a', limits, { calls: calls(1), running: [] }), begun)).toHaveLength(1);
    const [kept] = grantsOf(line, ask('b', limits, { calls: calls(1), running: [] }), begun);
    const waiting = ask('c', limits, { calls: calls(2), running: [] });
    line.hear(ask('b', limits, { running: [kept!] }), begun + 2000);
    expect(grantsOf(line, waiting, begun + 2400)).toEqual([]);
    expect(grantsOf(line, waiting, begun + 2500)).toHaveLength(1);
  });

  test('a successor waits until it has heard of all, and counts what its forerunner has granted', () => {
    const line = new GovernedLine('u', 0, { slots: [] }, 0);
    const mine = ask('a', limits, { calls: calls(3), running: ['t-1'] });
    expect(grantsOf(line, mine, begun - 1)).toEqual([]);
    expect(grantsOf(line, mine, begun)).toHaveLength(1);
  });
});
