import { describe, expect, test } from '@jest/globals';
import type { GovernorAsk } from '@cadre/contracts';
import type { Clock } from '@cadre/engine';
import { MemoryGovernorStore } from '../testing/memory-governor-store.js';
import { governorContract } from '../testing/governor-contract.js';
import { governorStoreContract } from '../testing/governor-store-contract.js';
import { ModelGovernor } from './model-governor.js';

const clock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
};
const newStore = () => new MemoryGovernorStore(() => clock.now());
const none = { granted: () => undefined };
const calls = (count: number, first = 1) =>
  Array.from({ length: count }, (_, i) => ({ call: first + i, tenant: 'default', tokens: 10, waitedMs: 0 }));
const ask = (over: Partial<GovernorAsk> = {}): GovernorAsk => ({
  ...{ worker: 'a', server: 'http://a.test/v1', model: '*', limits: { requestsPerMinute: 600 }, calls: calls(1), ended: [] },
  ...over,
});

const shared = newStore();
governorStoreContract('MemoryGovernorStore', async () => shared);

const holder = new ModelGovernor({ store: shared, clock, term: 'one' }, none);
governorContract('ModelGovernor', () => holder);

describe('a holder', () => {
  test('answers at once what may be, and keeps back what may not until it may or a while is over', async () => {
    const governor = new ModelGovernor({ store: newStore(), clock, term: 'one' }, none);
    const first = await governor.ask(ask({ calls: calls(30) }));
    expect(first.grants.length).toBeGreaterThanOrEqual(5);
    expect(first.heldMs).toBeLessThan(200);
    const next = await governor.ask(ask({ calls: calls(3, 40) }));
    expect(next.grants.length).toBeGreaterThanOrEqual(1);
    const began = clock.now();
    expect(await governor.ask(ask({ calls: calls(3, 50), pauseMs: 5000 }))).toEqual({ grants: [], heldMs: 0 });
    expect(clock.now() - began).toBeGreaterThan(240);
    expect(await governor.ask(ask({ calls: [] }))).toEqual({ grants: [], heldMs: 0 });
    expect(governor.views()).toEqual([expect.objectContaining({ server: 'http://a.test/v1', model: '*' })]);
  });

  test('that another one has followed grants nothing more; what both have granted counts', async () => {
    const store = newStore();
    const old = new ModelGovernor({ store, clock, term: 'old' }, none);
    const limits = { tokensPerMinute: 100 };
    expect((await old.ask(ask({ limits, calls: calls(4) }))).grants).toHaveLength(4);
    const young = new ModelGovernor({ store, clock, term: 'young' }, none);
    expect((await young.ask(ask({ worker: 'b', limits, calls: calls(4) }))).grants).toHaveLength(4);
    expect((await old.ask(ask({ limits, calls: calls(4, 20) }))).grants).toEqual([]);
    expect((await old.ask(ask({ limits, calls: calls(4, 20) }))).grants).toHaveLength(2);
    expect((await young.ask(ask({ worker: 'b', limits, calls: calls(1, 9) }))).grants).toEqual([]);
  });

  test('whose write is lost tries again, and knows one whose answer was lost', async () => {
    const store = newStore();
    const fates = ['lost', 'answer-lost', 'stored', 'lost', 'lost', 'lost'] as const;
    let writes = 0;
    store.fate = () => fates[writes++] ?? 'stored';
    const governor = new ModelGovernor({ store, clock, term: 'one' }, none);
    const limits = { tokensPerMinute: 30 };
    expect((await governor.ask(ask({ limits, calls: calls(1) }))).grants).toHaveLength(1);
    expect(writes).toBe(2);
    expect((await governor.ask(ask({ limits, calls: calls(1, 2) }))).grants).toHaveLength(1);
    // Three losses in a row: nothing is told, nothing is spent, and it is tried anew.
    expect((await governor.ask(ask({ limits, calls: calls(1, 3) }))).grants).toHaveLength(1);
    expect(writes).toBe(7);
    expect((await governor.ask(ask({ limits, calls: calls(1, 4) }))).grants).toEqual([]);
  });

  test('that stops lets nobody wait', async () => {
    const governor = new ModelGovernor({ store: newStore(), clock, term: 'one' }, none);
    await governor.ask(ask({ limits: { concurrent: 1 }, calls: [] }));
    const waiting = governor.ask(ask({ limits: { concurrent: 1 } }));
    await new Promise((resolve) => setImmediate(resolve));
    governor.stop();
    expect(await waiting).toEqual({ grants: [], heldMs: 0 });
  });
});
