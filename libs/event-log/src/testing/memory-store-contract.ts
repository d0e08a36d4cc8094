/** What every `MemoryStore` must do, by itself and under the rules of agents' memories. Uses Jest's globals; call it in a spec. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryRecord, MemorySettings } from '@cadre/contracts';
import { AgentMemories } from '@cadre/engine';
import type { Exchange, MemoryOwner, MemoryStore } from '@cadre/engine';

export interface MemoryStoreFixture {
  /** An empty store as one process sees it; all of one fixture share it. */
  open(): Promise<MemoryStore>;
  close(): Promise<void>;
}

const RUN = 'r00-01890000-0000-7000-8000-000000000001';
const OTHER_RUN = 'r00-01890000-0000-7000-8000-000000000002';
const record = (agent: string, more: Partial<MemoryRecord> = {}): MemoryRecord => {
  return { agent, shareWith: [], summarised: 0, leftOut: 0, messages: [], past: [], ...more };
};
const exchange = (n: number, more: Partial<Exchange> = {}): Exchange => {
  return {
    key: n.toString(16).padStart(32, '0'),
    runId: RUN,
    taskId: `t${n}`,
    at: n,
    asked: `asked ${n}`,
    answered: `answered ${n}`,
    ...more,
  };
};
const owner = (agent: string, more: Partial<MemoryOwner> = {}): MemoryOwner => ({ agent, shareWith: [], ...more });

function memoriesOn(store: MemoryStore): AgentMemories {
  const after = (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  };
  return new AgentMemories({ store, clock: { after }, chance: { random: Math.random } });
}

interface Bench {
  fixture: MemoryStoreFixture;
  store: MemoryStore;
  memories: AgentMemories;
}

export function memoryStoreContract(name: string, make: () => Promise<MemoryStoreFixture>): void {
  describe(`${name} keeps the contract of MemoryStore`, () => {
    const bench = {} as Bench;
    beforeAll(async () => {
      bench.fixture = await make();
      bench.store = await bench.fixture.open();
      bench.memories = memoriesOn(bench.store);
    });
    afterAll(() => bench.fixture.close());

    storing(bench);
    adding(bench);
    reading(bench);
  });
}

function storing(bench: Bench): void {
  test('a memory is written only after the one that was read, by tenant, agent and run', async () => {
    expect(await bench.store.read('acme', 'ann')).toEqual({ revision: 0 });
    expect(await bench.store.write('acme', record('ann'), 7)).toBe('changed');
    expect(await bench.store.write('acme', record('ann', { summary: 'all runs' }), 0)).toBe('written');
    expect(await bench.store.write('acme', record('ann', { summary: 'late' }), 0)).toBe('changed');
    expect(await bench.store.write('acme', record('ann', { runId: RUN, summary: 'one run' }), 0)).toBe('written');
    const { revision, record: kept } = await bench.store.read('acme', 'ann');
    expect(kept).toEqual(record('ann', { summary: 'all runs' }));
    expect((await bench.store.read('acme', 'ann', RUN)).record?.summary).toBe('one run');
    expect(await bench.store.read('acme', 'ann', OTHER_RUN)).toEqual({ revision: 0 });
    expect(await bench.store.read('other', 'ann')).toEqual({ revision: 0 });
    expect(await bench.store.write('acme', record('ann', { summary: 'next' }), revision)).toBe('written');
  });

  test('a memory is forgotten after its time', async () => {
    await bench.store.write('acme', record('short', { runId: RUN }), 0, 1000);
    expect((await bench.store.read('acme', 'short', RUN)).revision).toBeGreaterThan(0);
    for (let waited = 0; waited < 5000 && (await bench.store.read('acme', 'short', RUN)).revision > 0; waited += 50) await sleep(50);
    expect(await bench.store.read('acme', 'short', RUN)).toEqual({ revision: 0 });
  });
}

function adding(bench: Bench): void {
  test('of twenty who add at once none is lost, and a repetition adds nothing', async () => {
    const writers = await Promise.all(Array.from({ length: 20 }, async () => memoriesOn(await bench.fixture.open())));
    const add = () => Promise.all(writers.map((writer, n) => writer.add('acme', owner('busy'), exchange(n))));
    await add();
    await add();
    const { messages = [] } = (await bench.memories.look('acme', 'busy')) ?? {};
    expect(messages).toHaveLength(40);
    expect(new Set(messages.map(({ taskId }) => taskId)).size).toBe(20);
  });

  test('a summary takes the place of what it stands for once, and of nothing that came later', async () => {
    const settings = MemorySettings.parse({ maxTokens: 1000, keepLast: 2 });
    for (const n of [1, 2, 3]) await bench.memories.add('acme', owner('old'), exchange(n));
    const taken = [1, 2].map((n) => exchange(n).key);
    const compact = (summary: string) => bench.memories.compact('acme', owner('old'), { taken, summary }, settings);
    await bench.memories.add('acme', owner('old'), exchange(4));
    await compact('one and two');
    await compact('the loser');
    await bench.memories.add('acme', owner('old'), exchange(1));
    const memory = await bench.memories.look('acme', 'old');
    expect(memory).toMatchObject({ summary: 'one and two', summarised: 4, leftOut: 0 });
    expect(memory?.messages.map(({ taskId }) => taskId)).toEqual(['t3', 't3', 't4', 't4']);
  });
}

function reading(bench: Bench): void {
  test('it is read by its agent and by whom it is shared with, as the owner says now, in the run first', async () => {
    const ask = (agent: string, runId = RUN) => bench.memories.recall({ tenant: 'acme', agent, runId }, 'writer');
    await bench.memories.add('acme', owner('writer', { shareWith: ['editor'] }), exchange(1));
    await bench.memories.add('acme', owner('writer', { runId: RUN, shareWith: [] }), exchange(2));
    const tasksOf = async (agent: string, runId?: string) => (await ask(agent, runId))?.messages.map(({ taskId }) => taskId);
    expect([await tasksOf('writer'), await tasksOf('writer', OTHER_RUN)]).toEqual([
      ['t2', 't2'],
      ['t1', 't1'],
    ]);
    expect(await tasksOf('editor')).toEqual(['t1', 't1']);
    expect([await ask('stranger'), await bench.memories.recall({ tenant: 'other', agent: 'writer', runId: RUN }, 'writer')]).toEqual([
      undefined,
      undefined,
    ]);
    await bench.memories.open('acme', owner('writer', { shareWith: [] }));
    expect([await tasksOf('editor'), await tasksOf('writer', OTHER_RUN)]).toEqual([undefined, ['t1', 't1']]);
  });

  test('what is cleared does not come back by a late repetition', async () => {
    await bench.memories.add('acme', owner('gone'), exchange(1));
    expect((await bench.memories.clear('acme', 'gone'))?.messages).toHaveLength(2);
    expect([await bench.memories.clear('acme', 'gone'), await bench.memories.look('acme', 'gone')]).toEqual([undefined, undefined]);
    await bench.memories.add('acme', owner('gone'), exchange(1));
    expect(await bench.memories.look('acme', 'gone')).toBeUndefined();
    await bench.memories.add('acme', owner('gone'), exchange(2));
    expect((await bench.memories.look('acme', 'gone'))?.messages.map(({ text }) => text)).toEqual(['asked 2', 'answered 2']);
  });
}
