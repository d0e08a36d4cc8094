/** Results that stand for later ones, with the engine's own rules and on virtual time. */
import { CadreError } from '@cadre/contracts';
import type { KeptResult, TaskSpecInput } from '@cadre/contracts';
import type { ResultCache } from '@cadre/engine';
import { MemoryResultCache } from '@cadre/engine/testing';
import type { CodeCall } from './call-desk.js';
import type { Performance, Performer, Work } from './performer.js';
import { EngineOwner, MemoryBlobs, RUN_ID, TestWorker, VirtualClock, sampleAgent } from './testing/index.js';

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));
const TTL_MS = 1000;

class CountingCache extends MemoryResultCache {
  readonly puts: KeptResult[] = [];

  override put(...[tenant, key, kept]: Parameters<ResultCache['put']>): Promise<void> {
    this.puts.push(kept);
    return super.put(tenant, key, kept);
  }
}

/** A world that goes on from run to run: blobs, clock and cache stay. */
function stage() {
  const clock = new VirtualClock(turnOfLoop);
  return { clock, blobs: new MemoryBlobs(), cache: new CountingCache(() => clock.now()), worked: 0 };
}
type Stage = Omit<ReturnType<typeof stage>, 'cache'> & { cache: ResultCache };

type Doing = Performance | ((work: Work, owner: EngineOwner) => Promise<Performance>);

/** Works on a task in a run of its own. */
async function attempt(
  on: Stage,
  performance: Doing = { answer: 'x', confidence: 0.7 },
  spec: Partial<TaskSpecInput> = {},
  definition: Parameters<typeof sampleAgent>[0] = {},
) {
  const { clock, blobs, cache } = on;
  const owner = new EngineOwner(clock);
  owner.start([{ id: 'a', title: 'A', instructions: 'Do it.', cache: { ttlMs: TTL_MS }, retry: { backoffMs: 0 }, ...spec }]);
  const performer: Performer = async (work) => {
    on.worked += 1;
    return typeof performance === 'function' ? performance(work, owner) : performance;
  };
  const agent = sampleAgent({ tools: ['pay', 'look', 'context_get'], ...definition });
  const worker = new TestWorker({ id: 'w1', clock, owner, blobs, agent, performer, cache: { results: cache, setting: '' } });
  const { ending } = worker.take('a');
  await clock.advance(0);
  return { owner, worker, ending, task: () => owner.rig.task('a'), violations: () => owner.rig.violations() };
}

test('the same again is the earlier result, without work and without calls, until its time is over', async () => {
  const on = stage();
  const answer = 'x'.repeat(20_000);
  const first = await attempt(on, { answer, confidence: 0.7 });
  expect(first.task().result?.cachedFrom).toBeUndefined();
  await on.clock.advance(TTL_MS - 1);
  const second = await attempt(on);
  expect(await second.ending).toBe('completed');
  expect(second.task()).toMatchObject({ status: 'completed', agent: 'generalist', usage: { modelCalls: 0, toolCalls: 0 } });
  expect(second.task().result).toEqual({ ...first.task().result, cachedFrom: { runId: RUN_ID, taskId: 'a' } });
  expect([first.worker.looks, second.worker.looks, on.worked]).toEqual([['miss'], ['hit'], 1]);
  // To be read once more makes it no younger.
  await on.clock.advance(1);
  const third = await attempt(on);
  expect([third.worker.looks, on.worked, on.cache.puts.length]).toEqual([['miss'], 2, 2]);
  expect([...first.violations(), ...second.violations(), ...third.violations()]).toEqual([]);
});

test('of two times to live the shorter one counts', async () => {
  const on = stage();
  await attempt(on, undefined, { cache: { ttlMs: 10_000 } });
  await on.clock.advance(500);
  expect((await attempt(on, undefined, { cache: { ttlMs: 501 } })).worker.looks).toEqual(['hit']);
  expect((await attempt(on, undefined, { cache: { ttlMs: 500 } })).worker.looks).toEqual(['miss']);
});

test('without the wish nothing is looked for or kept', async () => {
  const on = stage();
  const { worker } = await attempt(on, undefined, { cache: undefined });
  expect([worker.looks, on.cache.puts]).toEqual([[], []]);
  await attempt(on);
  expect((await attempt(on, undefined, { cache: undefined })).worker.looks).toEqual([]);
  expect(on.worked).toBe(3);
});

const calling =
  (call: Partial<CodeCall>): Performer =>
  async ({ calls }) => {
    await calls.call({ name: 'look', run: async () => null, ...call }).catch(() => undefined);
    return { answer: 'x', confidence: 0.7 };
  };
const broken = async () => Promise.reject(new CadreError('no', 'It did not happen.', { billed: 'no' }));

test.each<[string, number, Doing, Partial<TaskSpecInput>]>([
  ['a call without effect', 1, calling({}), {}],
  ['an effect that may be repeated', 0, calling({ name: 'pay', effect: 'idempotent' }), {}],
  ['an effect that must happen once', 0, calling({ name: 'pay', effect: 'once' }), {}],
  ['an effect that has failed', 0, calling({ name: 'pay', effect: 'once', run: broken }), {}],
  ['a look at what others write', 0, calling({ name: 'context_get' }), {}],
  ['a cheaper model', 0, { answer: 'x', confidence: 0.7, degradedTo: 'small' }, {}],
  ['less thought', 0, { answer: 'x', confidence: 0.7, reducedTo: { effort: 'low' } }, {}],
  ['too little confidence', 0, { answer: 'x', confidence: 0.4 }, { minConfidence: 0.5 }],
  ['enough confidence', 1, { answer: 'x', confidence: 0.5 }, { minConfidence: 0.5 }],
])('after %s %i results are kept', async (_, count, performance, spec) => {
  const on = stage();
  const { task, violations } = await attempt(on, performance, spec);
  expect(task().status).toBe('completed');
  expect(on.cache.puts).toHaveLength(count);
  expect(violations()).toEqual([]);
});

test('a result that was not accepted, and that of a second attempt, are not kept', async () => {
  const on = stage();
  let tries = 0;
  const { task, owner, worker } = await attempt(on, async () => {
    tries += 1;
    if (tries === 1) throw new CadreError('again', 'Once more.', { retriable: true });
    return { answer: 'x', confidence: 0.7 };
  });
  expect(task().attempt).toBe(2);
  owner.rig.now = on.clock.now();
  worker.take('a');
  await on.clock.advance(0);
  expect([task().status, worker.looks, on.cache.puts]).toEqual(['completed', ['miss'], []]);
  const lost = await attempt(on, async (_, { rig }) => {
    rig.send({ type: 'LoseAttempt', taskId: 'a', attempt: 1, workerId: 'w1', reason: 'silent' });
    return { answer: 'x', confidence: 0.7 };
  });
  expect([await lost.ending, on.cache.puts]).toEqual(['dropped', []]);
});

test('an earlier result that is less sure than the task wants is none', async () => {
  const on = stage();
  await attempt(on, { answer: 'x', confidence: 0.4 });
  expect((await attempt(on, undefined, { minConfidence: 0.5 })).worker.looks).toEqual(['miss']);
});

test('an entry whose bodies are gone is none', async () => {
  const on = stage();
  const artifact = { ...(await on.blobs.put(new Uint8Array([1]), 'text/plain')), name: 'a.txt' };
  await attempt(on, { answer: 'x', confidence: 1, artifacts: [artifact] });
  expect((await attempt(on)).task().result).toMatchObject({ artifacts: [artifact], cachedFrom: {} });
  on.blobs.bodies.delete(artifact.sha256);
  expect((await attempt(on)).worker.looks).toEqual(['miss']);
});

describe('a cache that cannot be used', () => {
  const fails = () => Promise.reject(new CadreError('store-unavailable', 'no answer', { retriable: true }));
  const hangs = () => new Promise<never>(() => undefined);

  test('that fails is a miss, and told', async () => {
    const { worker, task } = await attempt({ ...stage(), cache: { get: fails, put: fails } });
    expect([task().status, worker.looks]).toEqual(['completed', ['failed']]);
    expect(worker.trouble).toEqual([expect.stringMatching(/could not be asked/), expect.stringMatching(/could not be kept/)]);
  });

  test('that does not answer is one within a second, and holds up no end', async () => {
    const on = { ...stage(), cache: { get: hangs, put: hangs } };
    const { worker, task, ending } = await attempt(on);
    await on.clock.advance(999);
    expect([task().status, on.worked]).toEqual(['running', 0]);
    await on.clock.advance(1);
    expect([task().status, worker.looks, await ending]).toEqual(['completed', ['failed'], 'completed']);
  });
});

test('an agent with a memory neither looks nor keeps: what it does rests on what it remembers', async () => {
  const on = stage();
  for (let times = 0; times < 2; times += 1) {
    const { worker, task } = await attempt(on, undefined, {}, { memory: {} });
    expect([task().status, worker.looks]).toEqual(['completed', []]);
  }
  expect([on.worked, on.cache.puts]).toEqual([2, []]);
});
