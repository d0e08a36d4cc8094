/** What every `ContextStore` must do, by itself and under the rules of the shared context. Uses Jest's globals; call it in a spec. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContextAuthor, ContextRecord } from '@cadre/contracts';
import { SharedContext } from '@cadre/engine';
import type { ContextCaller, ContextPut, ContextStore } from '@cadre/engine';
import { MemoryBlobs } from './memory-blobs.js';

export interface ContextStoreFixture {
  /** An empty store as one process sees it; all of one fixture share it. */
  open(): Promise<ContextStore>;
  close(): Promise<void>;
}

const user: ContextCaller = { tenant: 'acme', by: { kind: 'user' } };
const agent = (name: string): ContextAuthor => ({
  ...{ kind: 'agent', agent: name, taskId: 'a', attempt: 1 },
  runId: 'r00-01890000-0000-7000-8000-000000000001',
});
const record = (name: string, last = 1): ContextRecord => ({ name, last, keep: 10, versions: [], past: [] });

let lastKey = 0;
function version(name: string, text: string, more: Partial<ContextPut> = {}): ContextPut {
  const bytes = new TextEncoder().encode(text);
  lastKey += 1;
  return { name, bytes, mediaType: 'text/plain', key: `key-${lastKey}`, tags: [], from: [], ...more };
}

interface Bench {
  fixture: ContextStoreFixture;
  store: ContextStore;
  context: SharedContext;
  /** Milliseconds; as far as the shared context knows. */
  now: number;
  textOf(artifact: string, version?: number): Promise<string>;
}

export function contextStoreContract(name: string, make: () => Promise<ContextStoreFixture>): void {
  describe(`${name} keeps the contract of ContextStore`, () => {
    const bench = { now: 0 } as Bench;
    bench.textOf = async (artifact, version) => {
      const found = await bench.context.get(user, artifact, version);
      return found.ok ? new TextDecoder().decode(await bench.context.body(found.version)) : found.refusal.kind;
    };
    beforeAll(async () => {
      bench.fixture = await make();
      bench.store = await bench.fixture.open();
      bench.context = contextOn(bench.store, () => bench.now);
    });
    beforeEach(() => void (bench.now = 1_000_000));
    afterAll(() => bench.fixture.close());

    storing(bench);
    changing(bench);
    ending(bench);
    sharing(bench);
  });
}

function storing(bench: Bench): void {
  test('a record is written only after the one that was read, by tenant', async () => {
    expect(await bench.store.read('acme', 'a/b.md')).toEqual({ revision: 0 });
    expect(await bench.store.write('acme', record('a/b.md'), 5)).toBe('changed');
    expect(await bench.store.write('acme', record('a/b.md'), 0)).toBe('written');
    expect(await bench.store.write('acme', record('a/b.md', 2), 0)).toBe('changed');
    const first = await bench.store.read('acme', 'a/b.md');
    expect(first.record).toEqual(record('a/b.md'));
    expect(await bench.store.read('other', 'a/b.md')).toEqual({ revision: 0 });
    expect(await bench.store.write('acme', record('a/b.md', 2), first.revision)).toBe('written');
    expect((await bench.store.read('acme', 'a/b.md')).record?.last).toBe(2);
  });

  test('names are listed by prefix, sorted, of one tenant', async () => {
    for (const each of ['list/b.c', 'list/a', 'list', 'list/a-b', 'lisp']) await bench.store.write('acme', record(each), 0);
    await bench.store.write('acm', record('list/x'), 0);
    expect(await bench.store.names('acme', 'list')).toEqual(['list', 'list/a', 'list/a-b', 'list/b.c']);
    expect(await bench.store.names('acme', 'list/b.')).toEqual(['list/b.c']);
    expect(await bench.store.names('acm', '')).toEqual(['list/x']);
    expect(await bench.store.names('nobody', '')).toEqual([]);
  });

  test('a record is forgotten after its time', async () => {
    await bench.store.write('acme', record('short'), 0, 1000);
    expect((await bench.store.read('acme', 'short')).revision).toBeGreaterThan(0);
    for (let waited = 0; waited < 5000 && (await bench.store.read('acme', 'short')).revision > 0; waited += 50) await sleep(50);
    expect(await bench.store.read('acme', 'short')).toEqual({ revision: 0 });
    expect(await bench.store.names('acme', 'short')).toEqual([]);
    expect(await bench.store.write('acme', record('short'), 0)).toBe('written');
  });

  test('grants are replaced as a whole, and kept by tenant and agent', async () => {
    expect(await bench.store.readGrants('acme', 'zoe')).toBeUndefined();
    await bench.store.writeGrants('acme', { agent: 'zoe', rules: [{ on: '*', may: ['read', 'write'] }] });
    await bench.store.writeGrants('acme', { agent: 'zoe', rules: [{ on: 'x/', may: ['read'] }] });
    await bench.store.writeGrants('acme', { agent: 'amy', rules: [] });
    expect(await bench.store.readGrants('acme', 'zoe')).toEqual({ agent: 'zoe', rules: [{ on: 'x/', may: ['read'] }] });
    expect((await bench.store.listGrants('acme')).map((grants) => grants.agent)).toEqual(['amy', 'zoe']);
    expect(await bench.store.listGrants('other')).toEqual([]);
  });
}

function changing(bench: Bench): void {
  test('of twenty who expect the same version one has it; of twenty who expect none each has a version', async () => {
    const others = await Promise.all(Array.from({ length: 20 }, async () => contextOn(await bench.fixture.open(), () => bench.now)));
    const raced = await Promise.all(others.map((other, n) => other.put(user, version('race', `n${n}`, { expects: 0 }))));
    const won = raced.flatMap((end, n) => (end.ok ? [n] : []));
    expect(won).toHaveLength(1);
    expect(await bench.textOf('race')).toBe(`n${won[0]}`);
    expect(raced.find((end) => !end.ok)).toMatchObject({ refusal: { kind: 'conflict', expects: 0, present: 1 } });
    const all = await Promise.all(others.map((other) => other.put(user, version('race', 'x', { keep: 64 }))));
    expect(all.map((end) => end.ok && end.version).sort((a, b) => Number(a) - Number(b))).toEqual(all.map((_, n) => n + 2));
  });

  test('the last n versions are kept, and numbers go on', async () => {
    for (let n = 1; n <= 5; n += 1) await bench.context.put(user, version('kept', `v${n}`, n === 1 ? { keep: 3 } : {}));
    const found = await bench.context.get(user, 'kept');
    expect(found.ok && found.artifact.versions.map((each) => each.version)).toEqual([3, 4, 5]);
    expect([await bench.textOf('kept'), await bench.textOf('kept', 3), await bench.textOf('kept', 2)]).toEqual(['v5', 'v3', 'not-found']);
    expect(await bench.context.put(user, version('kept', 'v6', { keep: 1, expects: 5 }))).toMatchObject({ ok: true, version: 6 });
    expect(await bench.textOf('kept', 5)).toBe('not-found');
  });

  test('the same key makes one version, also when that is gone, and deletes once', async () => {
    const first = version('once', 'one', { keep: 1 });
    expect(await bench.context.put(user, first)).toMatchObject({ version: 1, isNew: true });
    expect(await bench.context.put(user, first)).toMatchObject({ version: 1, isNew: false });
    await bench.context.put(user, version('once', 'two'));
    expect(await bench.context.put(user, first)).toMatchObject({ version: 1, isNew: false, artifact: { version: 2 } });
    expect(await bench.textOf('once')).toBe('two');
    const removal = { name: 'once', key: 'gone' };
    expect(await bench.context.remove(user, removal)).toEqual({ ok: true, version: 2 });
    expect(await bench.context.put(user, first)).toMatchObject({ version: 1, isNew: false });
    expect(await bench.textOf('once')).toBe('not-found');
    expect(await bench.context.put(user, version('once', 'three', { expects: 0 }))).toMatchObject({ version: 3 });
    expect(await bench.context.remove(user, removal)).toEqual({ ok: true, version: 2 });
    expect(await bench.textOf('once')).toBe('three');
    expect(await bench.context.remove(user, { name: 'once', key: 'k2', expects: 2 })).toMatchObject({
      refusal: { kind: 'conflict', present: 3 },
    });
    expect(await bench.context.remove(user, { name: 'never', key: 'k3' })).toMatchObject({ refusal: { kind: 'not-found' } });
  });
}

function ending(bench: Bench): void {
  test('an artifact ends with its time to live, which each version begins anew', async () => {
    await bench.context.put(user, version('ttl', 'one', { ttlMs: 5000 }));
    bench.now += 4999;
    await bench.context.put(user, version('ttl', 'two'));
    bench.now += 4999;
    expect(await bench.textOf('ttl')).toBe('two');
    bench.now += 1;
    expect(await bench.textOf('ttl')).toBe('not-found');
    expect((await bench.context.list(user, { prefix: 'ttl', limit: 10 })).artifacts).toEqual([]);
    expect(await bench.context.put(user, version('ttl', 'three', { expects: 0, ttlMs: null }))).toMatchObject({ version: 3 });
    bench.now += 1e9;
    expect(await bench.textOf('ttl')).toBe('three');
    expect(await bench.textOf('ttl', 2)).toBe('not-found');
  });

  test('a body over 8 MiB is refused before anything is kept', async () => {
    const bytes = new Uint8Array(8 * 1024 * 1024 + 1);
    expect(await bench.context.put(user, version('big', '', { bytes }))).toMatchObject({
      refusal: { kind: 'too-large', bytes: bytes.length },
    });
    expect(await bench.textOf('big')).toBe('not-found');
  });
}

function sharing(bench: Bench): void {
  test('lists are paged, by prefix and tag', async () => {
    for (let n = 0; n < 7; n += 1)
      await bench.context.put(user, version(`page/${n}`, 'x', { tags: n % 2 === 0 ? ['even'] : ['odd', 'x:1'] }));
    const names = async (query: Parameters<typeof bench.context.list>[1]) => {
      const page = await bench.context.list(user, query);
      return [page.artifacts.map((each) => each.name.slice(5)).join(''), page.nextCursor];
    };
    expect(await names({ prefix: 'page/', limit: 3 })).toEqual(['012', 'page/2']);
    expect(await names({ prefix: 'page/', limit: 4, after: 'page/2' })).toEqual(['3456', undefined]);
    expect(await names({ prefix: 'page/', tag: 'even', limit: 2 })).toEqual(['02', 'page/2']);
    expect(await names({ prefix: 'page/', tag: 'even', limit: 2, after: 'page/2' })).toEqual(['46', undefined]);
    expect(await bench.context.list({ ...user, tenant: 'other' }, { limit: 10 })).toEqual({ artifacts: [] });
  });

  test('agents may do what they are granted, and nothing else', async () => {
    await bench.context.put(user, version('team/plan', 'p'));
    await bench.context.put(user, version('team-secret', 's'));
    const ann = { tenant: 'acme', by: agent('ann') };
    const refused = (access: string, of: string) => ({ ok: false, refusal: { kind: 'forbidden', access, name: of, agent: 'ann' } });
    expect(await bench.context.get(ann, 'team/plan')).toEqual(refused('read', 'team/plan'));
    expect(await bench.context.put(ann, version('team/new', 'x'))).toEqual(refused('write', 'team/new'));
    await bench.context.setGrants('acme', 'ann', [
      { on: 'team/', may: ['read', 'write'] },
      { on: 'team-secret', may: ['delete'] },
    ]);
    expect(await bench.context.put(ann, version('team/new', 'x'))).toMatchObject({ ok: true, artifact: { versions: [{ by: ann.by }] } });
    expect(await bench.context.get(ann, 'team/plan')).toMatchObject({ ok: true });
    expect(await bench.context.get(ann, 'team-secret')).toEqual(refused('read', 'team-secret'));
    expect(await bench.context.remove(ann, { name: 'team/plan', key: 'd1' })).toEqual(refused('delete', 'team/plan'));
    expect((await bench.context.list(ann, { limit: 9 })).artifacts.map((each) => each.name)).toEqual(['team/new', 'team/plan']);
    expect(await bench.context.remove(ann, { name: 'team-secret', key: 'd2' })).toMatchObject({ ok: true });
    // Neither a deletion nor another tenant's grant changes what is granted.
    await bench.context.setGrants('other', 'ann', [{ on: '*', may: ['read', 'write', 'delete'] }]);
    expect(await bench.context.put(ann, version('team-secret', 'x'))).toEqual(refused('write', 'team-secret'));
    await bench.context.setGrants('acme', 'ann', []);
    expect(await bench.context.get(ann, 'team/plan')).toEqual(refused('read', 'team/plan'));
  });
}

const blobs = new MemoryBlobs();

function contextOn(store: ContextStore, now: () => number): SharedContext {
  const clock = {
    now,
    after: (ms: number, run: () => void) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  return new SharedContext({ store, blobs, clock, chance: { random: Math.random } });
}
