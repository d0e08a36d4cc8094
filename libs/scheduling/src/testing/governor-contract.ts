/** What whoever asks the governor may rely on, near or far. Uses Jest's globals; call it in a spec. */
import type { GovernorAnswer, GovernorAsk, ModelLimits } from '@cadre/contracts';

export interface AskedGovernor {
  ask(ask: GovernorAsk): Promise<GovernorAnswer>;
}

type Call = GovernorAsk['calls'][number];

let lines = 0;
const call = (number: number, over: Partial<Call> = {}): Call => ({ call: number, tenant: 'default', tokens: 10, waitedMs: 0, ...over });
const calls = (count: number, over: Partial<Call> = {}, first = 1): Call[] =>
  Array.from({ length: count }, (_, i) => call(first + i, over));

/** Workers of one line that nobody else has. */
function lineOf(limits: ModelLimits) {
  const server = `http://${Math.random().toString(36).slice(2)}-${(lines += 1)}.test/v1`;
  return (worker: string, over: Partial<GovernorAsk>): GovernorAsk => ({
    worker,
    server,
    model: '*',
    limits,
    calls: [],
    ended: [],
    ...over,
  });
}

/** @param governor called in tests only */
export function governorContract(name: string, governor: () => AskedGovernor): void {
  const granted = async (ask: GovernorAsk) => (await governor().ask(ask)).grants;
  const numbers = async (ask: GovernorAsk) => (await granted(ask)).map((grant) => grant.call);
  /** Asks until something is granted, and passes `changing` only once. */
  const eventually = async (ask: GovernorAsk, withinMs: number) => {
    const until = Date.now() + withinMs;
    for (let grants = await granted(ask); ; grants = await granted({ ...ask, ended: [] })) {
      if (grants.length > 0 || Date.now() > until) return grants;
    }
  };

  describe(`${name} keeps the contract of the governor`, () => {
    test('lets go what the allowance has room for; the rest waits for its time', async () => {
      const ask = lineOf({ requestsPerMinute: 240 });
      const began = Date.now();
      const first = await numbers(ask('a', { calls: calls(20) }));
      expect(first.length).toBeGreaterThanOrEqual(1);
      expect(first.length).toBeLessThanOrEqual(6);
      expect(first).toEqual(calls(first.length).map((each) => each.call));
      const rest = calls(3, {}, first.length + 1);
      for (let left = rest; left.length > 0;) {
        const now = new Set(await numbers(ask('a', { calls: left })));
        left = left.filter((each) => !now.has(each.call));
      }
      expect(Date.now() - began).toBeGreaterThan(400);
      expect(Date.now() - began).toBeLessThan(5000);
    });

    test('counts a call by its bound, then by its use; what was not used is free again', async () => {
      const ask = lineOf({ tokensPerMinute: 100 });
      const [one] = await granted(ask('a', { calls: [call(1, { tokens: 100 })] }));
      expect(await granted(ask('b', { calls: [call(1, { tokens: 50 })] }))).toEqual([]);
      await granted(ask('a', { ended: [{ pass: one!.pass, tokens: 30 }] }));
      const [two] = await granted(ask('b', { calls: [call(1, { tokens: 70 })] }));
      expect(await granted(ask('a', { calls: [call(2, { tokens: 70 })] }))).toEqual([]);
      // The same told twice changes nothing.
      for (let n = 0; n < 2; n += 1) await granted(ask('b', { ended: [{ pass: two!.pass, unused: true }] }));
      expect(await granted(ask('a', { calls: [call(3, { tokens: 70 }), call(4, { tokens: 70 })] }))).toHaveLength(1);
    });

    test('gives tenants their turns', async () => {
      const ask = lineOf({ tokensPerMinute: 60 });
      const waiting = [...calls(10, { tenant: 'large', waitedMs: 5000 }), ...calls(2, { tenant: 'small' }, 50)];
      expect((await numbers(ask('a', { calls: waiting }))).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 50, 51]);
    });

    test('keeps everybody back while the server wants no calls', async () => {
      const ask = lineOf({ requestsPerMinute: 6000 });
      await granted(ask('a', { pauseMs: 700 }));
      const began = Date.now();
      expect(await eventually(ask('b', { calls: calls(1) }), 5000)).toHaveLength(1);
      expect(Date.now() - began).toBeGreaterThan(600);
    });

    test('lets no more be on their way at once than may be', async () => {
      const ask = lineOf({ concurrent: 2 });
      const grants = await eventually(ask('a', { calls: calls(3), running: [] }), 5000);
      expect(grants).toHaveLength(2);
      const [one, two] = grants.map(({ pass }) => pass) as [string, string];
      expect(await granted(ask('a', { calls: calls(1, {}, 9), running: [one, two] }))).toEqual([]);
      expect(await granted(ask('b', { calls: calls(1), running: [] }))).toEqual([]);
      await granted(ask('a', { running: [two], ended: [{ pass: one }] }));
      expect(await granted(ask('b', { calls: calls(2), running: [] }))).toHaveLength(1);
    });
  });
}
