/** What every `AgentStore` must do, by itself and under the rules of the registry of agents. Uses Jest's globals; call it in a spec. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AGENT_LIMITS, type AgentRecord, type DefinedAgent } from '@cadre/contracts';
import { AgentRegistry, type AgentStore, type StoredAgent } from '@cadre/engine';

export interface AgentStoreFixture {
  /** An empty store as one process sees it; all of one fixture share it. */
  open(): Promise<AgentStore>;
  close(): Promise<void>;
}

const definition = (description = 'Reads.'): DefinedAgent => ({ template: 'assistant', description, skills: ['reading'] });
const record = (name: string, version = 1): AgentRecord => ({
  ...{ tenant: 'acme', name, version, changedAt: 1000 },
  definition: definition(),
});

interface Bench {
  fixture: AgentStoreFixture;
  store: AgentStore;
  registry: AgentRegistry;
}

export function agentStoreContract(name: string, make: () => Promise<AgentStoreFixture>): void {
  describe(`${name} keeps the contract of AgentStore`, () => {
    const bench = {} as Bench;
    beforeAll(async () => {
      bench.fixture = await make();
      bench.store = await bench.fixture.open();
      bench.registry = new AgentRegistry(bench.store, { now: () => 5000 });
    });
    afterAll(() => bench.fixture.close());

    storing(bench);
    watching(bench);
    defining(bench);
    removing(bench);
    limiting(bench);
  });
}

function storing(bench: Bench): void {
  test('a record is written only after the one that was read, and one of them wins', async () => {
    const { store } = bench;
    expect(await store.read('ann')).toEqual({ revision: 0 });
    expect(await store.write(record('ann'), 0)).toBe('written');
    const { revision } = await store.read('ann');
    expect(await store.write(record('ann', 2), 0)).toBe('changed');
    const other = await bench.fixture.open();
    const races = await Promise.all([2, 3, 4].map((version) => (version === 3 ? other : store).write(record('ann', version), revision)));
    expect(races.sort()).toEqual(['changed', 'changed', 'written']);
    const now = await other.read('ann');
    expect(now.revision).toBeGreaterThan(revision);
    expect(await store.list()).toEqual([now]);
  });

  test('what is forgotten is not there any more', async () => {
    const { store } = bench;
    expect(await store.write(record('gone'), 0, 900)).toBe('written');
    for (let tries = 0; tries < 60 && (await store.read('gone')).revision > 0; tries += 1) await sleep(50);
    expect(await store.read('gone')).toEqual({ revision: 0 });
    expect((await store.list()).map(({ record: { name } }) => name)).not.toContain('gone');
  });
}

function watching(bench: Bench): void {
  test('a watcher is told of what is there, then of what is written, in order', async () => {
    const { store } = bench;
    await store.write(record('early'), 0);
    const told: StoredAgent[] = [];
    const stop = (await bench.fixture.open()).watch((stored) => void told.push(stored));
    const heard = async (name: string) => {
      for (let tries = 0; tries < 200 && told.at(-1)?.record.name !== name; tries += 1) await sleep(10);
      return told.at(-1)?.record.name;
    };
    expect(await heard('early')).toBe('early');
    const before = await store.read('early');
    expect(told.at(-1)).toEqual(before);
    for (const name of ['late', 'later', 'latest']) await store.write(record(name), 0);
    expect(await heard('latest')).toBe('latest');
    const revisions = told.map(({ revision }) => revision);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    stop();
    const count = told.length;
    await store.write(record('unheard'), 0);
    await sleep(30);
    expect(told).toHaveLength(count);
  });
}

function defining(bench: Bench): void {
  test('each change of an agent is a version; the same again is none', async () => {
    const { registry } = bench;
    expect(await registry.define('acme', 'reader', definition())).toMatchObject({ ok: true, change: 'new', stored: { version: 1 } });
    expect(await registry.define('acme', 'reader', definition())).toMatchObject({ ok: true, change: 'same', stored: { version: 1 } });
    const changed = await registry.define('acme', 'reader', definition('Reads aloud.'));
    expect(changed).toMatchObject({ ok: true, change: 'changed', stored: { version: 2, changedAt: 5000, tenant: 'acme' } });
    expect((await registry.get('acme', 'reader'))?.record).toEqual(changed.ok && changed.stored);
  });

  test('of many who change it at the same time each makes a version of its own', async () => {
    const ends = await Promise.all([1, 2, 3, 4].map((n) => bench.registry.define('acme', 'busy', definition(`${n}`))));
    expect(ends.map((end) => end.ok && end.stored.version).sort()).toEqual([1, 2, 3, 4]);
  });

  test('another tenant can neither take the name, nor see the agent, nor remove it', async () => {
    const { registry } = bench;
    await registry.define('acme', 'own', definition());
    expect(await registry.define('rival', 'own', definition())).toEqual({ ok: false, why: 'taken' });
    expect(await registry.get('rival', 'own')).toBeUndefined();
    expect(await registry.remove('rival', 'own')).toEqual({ ok: false, why: 'unknown' });
    expect(await registry.list('rival')).toEqual([]);
    expect((await registry.get('acme', 'own'))?.record.definition).toBeDefined();
  });
}

function removing(bench: Bench): void {
  test('a removed agent is told with whom its tasks go to, which may be said later, and comes back as the next version', async () => {
    const { registry } = bench;
    expect(await registry.remove('acme', 'nobody')).toEqual({ ok: false, why: 'unknown' });
    await registry.define('acme', 'leaver', definition());
    const removed = { tenant: 'acme', name: 'leaver', version: 1, changedAt: 5000 };
    expect(await registry.remove('acme', 'leaver')).toEqual({ ok: true, stored: removed });
    expect(await registry.remove('acme', 'leaver', 'reader')).toEqual({ ok: true, stored: { ...removed, handTo: 'reader' } });
    // Said again without it: nothing is taken back.
    expect(await registry.remove('acme', 'leaver')).toMatchObject({ ok: true, stored: { handTo: 'reader' } });
    expect(await registry.define('rival', 'leaver', definition())).toEqual({ ok: false, why: 'taken' });
    const back = await registry.define('acme', 'leaver', definition());
    expect(back).toMatchObject({ ok: true, change: 'new', stored: { version: 2 } });
    expect(back.ok && back.stored.handTo).toBeUndefined();
  });
}

function limiting(bench: Bench): void {
  test('a tenant has only so many; a removed one makes room', async () => {
    const { registry, store } = bench;
    const names = Array.from({ length: AGENT_LIMITS.defined }, (_, n) => `many-${n}`);
    await Promise.all(names.map((name) => store.write({ ...record(name), tenant: 'crowd' }, 0)));
    expect(await registry.define('crowd', 'extra', definition())).toEqual({ ok: false, why: 'full', most: AGENT_LIMITS.defined });
    expect(await registry.define('crowd', 'many-0', definition('Changed.'))).toMatchObject({ ok: true });
    expect(await registry.define('acme', 'extra', definition())).toMatchObject({ ok: true });
    await registry.remove('crowd', 'many-1');
    expect(await registry.define('crowd', 'another', definition())).toMatchObject({ ok: true });
  });
}
