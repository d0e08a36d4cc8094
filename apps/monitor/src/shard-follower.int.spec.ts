import { emptyShard, foldBlock } from '@cadre/engine';
import { MemoryShardLog } from '@cadre/event-log/testing';
import { openHistory, type HistoryStore } from '@cadre/history';
import { cancelledRun, openRun, sampleRun, sampleRunId, toBlocks } from '@cadre/history/testing';
import { ShardFollower, type FollowerReports } from './shard-follower.js';

let store: HistoryStore;
beforeAll(async () => {
  store = await openHistory();
});
afterAll(() => store.close());

function harness(shard: number, publish: () => Promise<unknown> = async () => undefined) {
  const log = new MemoryShardLog(shard);
  const facts: string[] = [];
  const reports: FollowerReports = {
    applied: () => undefined,
    rebuilt: (_shard, from, to) => facts.push(`rebuilt ${from} to ${to}`),
    failed: (_shard, error) => facts.push((error as { code?: string }).code ?? (error as Error).message),
  };
  const follower = new ShardFollower({ log, store, publish }, reports);
  const end = new AbortController();
  let following: Promise<void> | undefined;
  return {
    ...{ log, facts, follower },
    append: async (blocks: ReturnType<typeof toBlocks>) => {
      for (const { seq, block } of blocks) await log.append(block, seq - 1);
    },
    start: () => void (following = follower.follow(end.signal)),
    stop: async () => {
      end.abort();
      await following;
    },
  };
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come about within 5 s');
}

test('follows the log as it grows', async () => {
  const { follower, append, start, stop } = harness(0);
  const blocks = toBlocks(sampleRun({ runId: sampleRunId(1) }));
  await append(blocks.slice(0, 4));
  start();
  await until(() => follower.position === 4);
  await append(blocks.slice(4));
  await until(() => follower.position === 10);
  await follower.look();
  expect(follower.lag).toBe(0);
  expect(follower.health.ok).toBe(true);
  await stop();
  expect(await store.query({ type: 'GetRun', tenant: 'default', runId: sampleRunId(1) })).toMatchObject({ run: { status: 'completed' } });
});

test('goes on after failures of the feed, and nothing is left out', async () => {
  let failures = 3;
  const { facts, append, start, stop } = harness(1, async () => {
    if (failures-- > 0) throw new Error('feed down');
  });
  await append(toBlocks(sampleRun({ runId: sampleRunId(1, 1) }), 2, 1, 1));
  start();
  await until(async () => (await store.position(1)) === 5);
  expect(facts).toHaveLength(3);
  await stop();
  expect(await store.query({ type: 'GetRun', tenant: 'default', runId: sampleRunId(1, 1) })).toMatchObject({ run: { seq: 10 } });
});

test('takes the snapshot when the log was trimmed past the position', async () => {
  const { log, facts, append, start, stop } = harness(2);
  const blocks = toBlocks([...cancelledRun({ runId: sampleRunId(1, 2) }), ...openRun({ runId: sampleRunId(2, 2) })], 1, 1, 2);
  await append(blocks);
  const state = emptyShard();
  for (const { block } of blocks) foldBlock(state, block);
  await log.saveSnapshot({ seq: 5, state: state as never });
  await log.trim(4);
  start();
  await until(async () => (await store.position(2)) === 5);
  await append(toBlocks(openRun({ runId: sampleRunId(3, 2) }), 1, 6, 2));
  await until(async () => (await store.position(2)) === 6);
  expect(facts).toEqual(['rebuilt 0 to 5']);
  await stop();
  for (const n of [2, 3]) {
    expect(await store.query({ type: 'GetRun', tenant: 'default', runId: sampleRunId(n, 2) })).toMatchObject({
      run: { status: 'running' },
    });
  }
});

test("says so when the log is not the history's", async () => {
  await store.apply(3, toBlocks(sampleRun({ runId: sampleRunId(1, 3) }), 1, 1, 3));
  const { follower, facts, append, start, stop } = harness(3);
  await append(toBlocks(openRun({ runId: sampleRunId(2, 3) }), 1, 1, 3));
  start();
  await until(() => facts.length > 0);
  expect(facts[0]).toBe('history-ahead');
  expect(follower.health).toEqual({ ok: false, detail: expect.stringContaining('the log has only 1') });
  await stop();
});
