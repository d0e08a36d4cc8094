/** What every `ShardLog` must do. Uses Jest's globals; call it in a spec. */
import { randomUUID } from 'node:crypto';
import type { Block, Commit } from '@cadre/contracts';
import type { ShardLog, StoredBlock } from '@cadre/engine';

export interface ShardLogFixture {
  /** A log of the shard for another owner or reader; all of one fixture share what is stored. */
  open(): Promise<ShardLog>;
  close(): Promise<void>;
}

const SHARD = 7;

/** A block of shard 7 with one commit of about `bytes` bytes, or a claim. */
export function blockOf(
  owner: string,
  { bytes = 0, kind = 'commits', text = 'x' }: { bytes?: number; kind?: Block['kind']; text?: string } = {},
): Block {
  const reason = text + 'x'.repeat(bytes);
  const commit: Commit = {
    runId: 'r07-' + randomUUID(),
    seq: 1,
    at: 1,
    cause: 'c',
    events: [{ type: 'CancelRequested', reason, graceUntil: 2 }],
  };
  return { v: 1, id: randomUUID(), shard: SHARD, owner, kind, at: 1, commits: kind === 'claim' ? [] : [commit] };
}

/** @param make a fixture for shard 7 with an empty log */
export function shardLogContract(name: string, make: () => Promise<ShardLogFixture>): void {
  describe(`${name} keeps the contract of ShardLog`, () => {
    let fixture: ShardLogFixture;
    let log: ShardLog;
    beforeEach(async () => {
      fixture = await make();
      log = await fixture.open();
    });
    afterEach(() => fixture.close());

    const theLog = (): ShardLog => log;
    const another = (): Promise<ShardLog> => fixture.open();
    appending(theLog, another);
    fencing(theLog, another);
    reading(theLog, another);
    trimming(theLog, another);
  });
}

function appending(log: () => ShardLog, another: () => Promise<ShardLog>): void {
  test('an empty log has no blocks and no snapshot', async () => {
    expect(await log().lastSeq()).toBe(0);
    expect(await collect(log().read(0))).toEqual([]);
    expect(await log().loadSnapshot()).toBeUndefined();
  });

  test('blocks are numbered from 1 and read back as they were', async () => {
    const blocks = [blockOf('a'), blockOf('a', { text: 'Zürich 東京 🚀 \u0000 "\\' }), blockOf('a', { bytes: 500_000 })];
    await appendAll(log(), blocks);
    expect(await log().lastSeq()).toBe(3);
    expect(await collect(log().read(0))).toEqual(blocks.map((block, i) => ({ seq: i + 1, block })));
  });

  test("a block's JSON may come with it", async () => {
    const block = blockOf('a', { text: 'Zürich' });
    expect(await log().append(block, 0, JSON.stringify(block))).toEqual({ stored: true, seq: 1 });
    expect(await collect(log().read(0))).toEqual([{ seq: 1, block }]);
  });

  test('two blocks in flight are stored in order, a third one is refused', async () => {
    const blocks = [blockOf('a', { bytes: 200_000 }), blockOf('a')];
    const underway = blocks.map((block, i) => log().append(block, i));
    await expect(log().append(blockOf('a'), 2)).rejects.toThrow('at once');
    expect(await Promise.all(underway)).toEqual([
      { stored: true, seq: 1 },
      { stored: true, seq: 2 },
    ]);
    expect(await ids(log().read(0))).toEqual(blocks.map((block) => block.id));
    expect(await log().append(blockOf('a'), 2)).toEqual({ stored: true, seq: 3 });
  });

  test('a block that is sent again keeps its place and is stored once', async () => {
    const blocks = [blockOf('a'), blockOf('a'), blockOf('a')];
    await appendAll(log(), blocks);
    expect(await log().append(blocks[2]!, 2)).toEqual({ stored: true, seq: 3 });
    expect(await log().append(blocks[0]!, 0)).toEqual({ stored: true, seq: 1 });
    const other = await another();
    expect(await other.append(blocks[1]!, 1)).toEqual({ stored: true, seq: 2 });
    expect(await ids(log().read(0))).toEqual(blocks.map((block) => block.id));
  });

  test('blocks over the limits are refused with a clear error', async () => {
    const large = blockOf('a', { bytes: 1_100_000 });
    await expect(log().append(large, 0)).rejects.toMatchObject({ code: 'block-too-large', retriable: false });
    const many = blockOf('a');
    many.commits = Array.from({ length: 257 }, () => many.commits[0]!);
    await expect(log().append(many, 0)).rejects.toThrow('at most 256');
    // 512 KiB is the owner's aim: one commit that cannot be split may pass it.
    expect(await log().append(blockOf('a', { bytes: 800_000 }), 0)).toEqual({ stored: true, seq: 1 });
  });
}

function fencing(log: () => ShardLog, another: () => Promise<ShardLog>): void {
  test('of two writers at the same place one is fenced', async () => {
    const other = await another();
    const outcomes = await Promise.all([log().append(blockOf('a'), 0), other.append(blockOf('b'), 0)]);
    expect(outcomes.filter((outcome) => outcome.stored)).toHaveLength(1);
    expect(outcomes).toContainEqual({ stored: false, reason: 'fenced' });
    expect(await log().lastSeq()).toBe(1);
  });

  test('a writer with an old position, or one past the end, is fenced', async () => {
    await appendAll(log(), [blockOf('a'), blockOf('a')]);
    const other = await another();
    expect(await other.append(blockOf('b'), 1)).toEqual({ stored: false, reason: 'fenced' });
    expect(await other.append(blockOf('b'), 5)).toEqual({ stored: false, reason: 'fenced' });
    expect(await other.append(blockOf('b'), 2)).toEqual({ stored: true, seq: 3 });
  });

  test('a refused block takes the next one in flight with it, although its number would fit', async () => {
    const other = await another();
    const theirs = blockOf('b');
    await other.append(theirs, 0);
    const outcomes = await Promise.all([log().append(blockOf('a'), 0), log().append(blockOf('a'), 1)]);
    expect(outcomes).toEqual([
      { stored: false, reason: 'fenced' },
      { stored: false, reason: 'fenced' },
    ]);
    expect(await ids(log().read(0))).toEqual([theirs.id]);
  });

  test('a claim fences the owner before, also what it has in flight', async () => {
    const next = await another();
    let seq = 0;
    for (let round = 0; round < 20; round += 1) {
      const claim = blockOf('b', { kind: 'claim' });
      const mine = [blockOf('a'), blockOf('a')];
      const [first, second, claimed] = await Promise.all([
        log().append(mine[0]!, seq),
        log().append(mine[1]!, seq + 1),
        next.append(claim, seq),
      ]);
      const stored = await ids(log().read(seq));
      // Whoever came first: the second block is there only right after the first.
      expect(stored).toEqual(claimed.stored ? [claim.id] : mine.map((block) => block.id));
      expect([first.stored, second.stored]).toEqual([!claimed.stored, !claimed.stored]);
      seq += stored.length;
    }
  });
}

function reading(log: () => ShardLog, another: () => Promise<ShardLog>): void {
  test('reading starts after any number and ends where the log ended at the call', async () => {
    await appendAll(
      log(),
      Array.from({ length: 5 }, () => blockOf('a')),
    );
    for (const after of [0, 1, 4, 5, 9]) {
      expect((await collect(log().read(after))).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5].filter((seq) => seq > after));
    }
    const before = log().read(3);
    await log().lastSeq();
    await log().append(blockOf('a'), 5);
    expect((await collect(before)).map(({ seq }) => seq)).toEqual([4, 5]);
  });

  test('reading may be broken off', async () => {
    await appendAll(
      log(),
      Array.from({ length: 3 }, () => blockOf('a')),
    );
    for await (const { seq } of log().read(0)) {
      expect(seq).toBe(1);
      break;
    }
  });

  test('many blocks are read without gap and repeat', async () => {
    const total = 700;
    await appendAll(
      log(),
      Array.from({ length: total }, () => blockOf('a')),
    );
    expect((await collect(log().read(0))).map(({ seq }) => seq)).toEqual(Array.from({ length: total }, (_, i) => i + 1));
  });

  test('tailing goes on with new blocks, from any point, until the signal aborts', async () => {
    await appendAll(log(), [blockOf('a'), blockOf('a')]);
    const stop = new AbortController();
    const reader = await another();
    const tails = [0, 1, 2].map((after) => gather(reader.tail(after, stop.signal)));
    for (let seq = 2; seq < 6; seq += 1) await log().append(blockOf('a'), seq);
    await until(() => tails.every((tail) => tail.seen.at(-1)?.seq === 6));
    stop.abort();
    await Promise.all(tails.map((tail) => tail.ended));
    expect(tails.map((tail) => tail.seen.map(({ seq }) => seq))).toEqual([
      [1, 2, 3, 4, 5, 6],
      [2, 3, 4, 5, 6],
      [3, 4, 5, 6],
    ]);
  });

  test('a tail whose signal has aborted ends at once', async () => {
    await log().append(blockOf('a'), 0);
    expect(await collect(log().tail(0, AbortSignal.abort()))).toEqual([]);
  });
}

function trimming(log: () => ShardLog, another: () => Promise<ShardLog>): void {
  test('a snapshot comes back as it was saved, and only a newer one replaces it', async () => {
    const state = { open: { 'r07-x': { goal: 'Zürich 🚀', n: [1, 2.5, null, true] } }, ended: {} };
    await log().saveSnapshot({ seq: 2, state: { old: true } });
    await log().saveSnapshot({ seq: 5, state });
    await log().saveSnapshot({ seq: 3, state: { late: true } });
    expect(await log().loadSnapshot()).toEqual({ seq: 5, state });
    expect(await (await another()).loadSnapshot()).toEqual({ seq: 5, state });
  });

  test('a large snapshot comes back', async () => {
    const state = { runs: Array.from({ length: 20_000 }, (_, i) => ({ id: randomUUID(), i })) };
    await log().saveSnapshot({ seq: 1, state });
    expect(await log().loadSnapshot()).toEqual({ seq: 1, state });
  });

  test('trimming needs a snapshot and keeps the numbers', async () => {
    await appendAll(
      log(),
      Array.from({ length: 6 }, () => blockOf('a')),
    );
    await expect(log().trim(3)).rejects.toMatchObject({ code: 'trim-unsafe' });
    await log().saveSnapshot({ seq: 4, state: {} });
    await expect(log().trim(5)).rejects.toMatchObject({ code: 'trim-unsafe' });
    await log().trim(4);
    await log().trim(2);
    await log().trim(0);
    expect(await log().lastSeq()).toBe(6);
    expect((await collect(log().read(4))).map(({ seq }) => seq)).toEqual([5, 6]);
    await expect(collect(log().read(3))).rejects.toMatchObject({ code: 'log-trimmed', retriable: false });
    await expect(collect(log().tail(0, new AbortController().signal))).rejects.toMatchObject({ code: 'log-trimmed' });
  });

  test('a log that is trimmed to its end goes on with the next number', async () => {
    await appendAll(log(), [blockOf('a'), blockOf('a')]);
    await log().saveSnapshot({ seq: 2, state: {} });
    await log().trim(2);
    expect(await log().lastSeq()).toBe(2);
    expect(await collect(log().read(2))).toEqual([]);
    await expect(collect(log().read(0))).rejects.toMatchObject({ code: 'log-trimmed' });
    expect(await log().append(blockOf('a'), 1)).toEqual({ stored: false, reason: 'fenced' });
    expect(await log().append(blockOf('a'), 2)).toEqual({ stored: true, seq: 3 });
    expect((await collect(log().read(2))).map(({ seq }) => seq)).toEqual([3]);
  });
}

async function appendAll(log: ShardLog, blocks: Block[]): Promise<void> {
  const start = await log.lastSeq();
  for (const [i, block] of blocks.entries()) expect(await log.append(block, start + i)).toEqual({ stored: true, seq: start + i + 1 });
}

async function collect(blocks: AsyncIterable<StoredBlock>): Promise<StoredBlock[]> {
  const all: StoredBlock[] = [];
  for await (const block of blocks) all.push(block);
  return all;
}

async function ids(blocks: AsyncIterable<StoredBlock>): Promise<string[]> {
  return (await collect(blocks)).map(({ block }) => block.id);
}

function gather(blocks: AsyncIterable<StoredBlock>): { seen: StoredBlock[]; ended: Promise<void> } {
  const seen: StoredBlock[] = [];
  const ended = (async () => {
    for await (const block of blocks) seen.push(block);
  })();
  return { seen, ended };
}

async function until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
