/** What goes wrong between a log and its server: lost answers, cut connections, crashes, deleted consumers, damaged blocks. */
import { BUCKETS, STREAMS, type Block } from '@cadre/contracts';
import type { ShardLog, StoredBlock } from '@cadre/engine';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { JetStreamLog, type JetStreamLogOptions } from './jetstream-log.js';
import { blockOf } from './testing/shard-log-contract.js';
import { startTcpProxy, type TcpProxy } from './testing/tcp-proxy.js';
import { ensureTopology } from './topology.js';

let server: RunningNatsServer;
let proxy: TcpProxy;
let direct: NatsConnection;
let jsm: JetStreamManager;
let connections: NatsConnection[];

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  connections = [];
  proxy = await startTcpProxy(server.port);
  direct = await connectTo(server.url);
  jsm = await jetstreamManager(direct);
  for (const stream of [STREAMS.log(7), `OBJ_${BUCKETS.blobs}`]) await jsm.streams.delete(stream).catch(() => undefined);
  await ensureTopology(direct, { shards: 8 });
});
afterEach(async () => {
  await Promise.all(connections.map((nats) => nats.close()));
  await proxy.close();
});

describe('an append whose answer is lost', () => {
  test('is settled after the reconnect, and the block behind it follows', async () => {
    const log = await openThroughProxy();
    const blocks = [blockOf('a'), blockOf('a')];
    proxy.hold();
    const outcomes = Promise.all(blocks.map((block, i) => log.append(block, i)));
    await until(async () => (await lastSeq()) === 1);
    proxy.cut();
    proxy.release();
    expect(await outcomes).toEqual(stored(1, 2));
    expect(await ids()).toEqual(blocks.map((block) => block.id));
  });

  test('is settled although another wrote after it, and the block behind it is fenced', async () => {
    const log = await openThroughProxy();
    const blocks = [blockOf('a'), blockOf('a')];
    proxy.hold();
    const outcomes = Promise.all(blocks.map((block, i) => log.append(block, i)));
    await until(async () => (await lastSeq()) === 1);
    const claim = blockOf('b', { kind: 'claim' });
    expect(await (await JetStreamLog.open(direct, 7)).append(claim, 1)).toEqual({ stored: true, seq: 2 });
    proxy.cut();
    proxy.release();
    expect(await outcomes).toEqual([...stored(1), { stored: false, reason: 'fenced' }]);
    expect(await ids()).toEqual([blocks[0]!.id, claim.id]);
  });

  test('is settled when answers only come very late', async () => {
    const log = await openThroughProxy({ ackTimeoutMs: 150 });
    const blocks = [blockOf('a'), blockOf('a')];
    proxy.hold();
    const outcomes = Promise.all(blocks.map((block, i) => log.append(block, i)));
    setTimeout(() => proxy.release(), 1000);
    expect(await outcomes).toEqual(stored(1, 2));
    expect(await ids()).toEqual(blocks.map((block) => block.id));
  });

  test('is sent again when it never arrived, and fenced when another was there first', async () => {
    const log = await openThroughProxy();
    proxy.cut();
    const block = blockOf('a');
    expect(await log.append(block, 0)).toEqual({ stored: true, seq: 1 });
    await (await JetStreamLog.open(direct, 7)).append(blockOf('b', { kind: 'claim' }), 1);
    proxy.cut();
    const outcomes = await Promise.all([log.append(blockOf('a'), 1), log.append(blockOf('a'), 2)]);
    expect(outcomes.map((outcome) => outcome.stored)).toEqual([false, false]);
    expect(await lastSeq()).toBe(2);
  });

  test('fails in bounded time while the server is away; the same block may be appended again later', async () => {
    const log = await openThroughProxy({ ackTimeoutMs: 200, settleMs: 600 });
    const block = blockOf('a');
    proxy.hold();
    await expect(log.append(block, 0)).rejects.toMatchObject({ code: 'log-unavailable', retriable: true });
    proxy.release();
    await until(async () => (await lastSeq()) === 1);
    expect(await log.append(block, 0)).toEqual({ stored: true, seq: 1 });
    expect(await ids()).toEqual([block.id]);
  });

  test('ends with an error when the connection is closed for good', async () => {
    const nats = await connectTo(server.url);
    const log = await JetStreamLog.open(nats, 7);
    await nats.close();
    await expect(log.append(blockOf('a'), 0)).rejects.toMatchObject({ code: 'log-unavailable' });
    await expect(collect(log.tail(0, new AbortController().signal))).rejects.toMatchObject({ code: 'log-unavailable' });
  });
});

test('connections that are cut all the time cost no block, and none is stored twice', async () => {
  const log = await openThroughProxy({ ackTimeoutMs: 300 });
  const blocks = Array.from({ length: 80 }, () => blockOf('a', { bytes: 50_000 }));
  await appendInPairs(log, blocks, 0, (i) => {
    if (i % 7 === 3) setTimeout(() => proxy.cut(), i % 5);
  });
  expect(await ids()).toEqual(blocks.map((block) => block.id));
});

test('kill -9 of the server in the middle of appends: nothing acknowledged is lost, and a tail sees each block once', async () => {
  let crashing = await startNatsServer();
  const { dataDir, port } = crashing;
  const started = [crashing];
  const nats = await connectTo(crashing.url);
  await ensureTopology(nats, { shards: 8 });
  const log = await JetStreamLog.open(nats, 7, { ackTimeoutMs: 300 });
  const stop = new AbortController();
  const tailed: StoredBlock[] = [];
  const tail = (async () => {
    for await (const block of log.tail(0, stop.signal)) tailed.push(block);
  })();
  const blocks: Block[] = [];
  for (let crash = 0; crash < 3; crash += 1) {
    const batch = Array.from({ length: 200 }, () => blockOf('a', { bytes: 20_000 }));
    const appending = appendInPairs(log, batch, blocks.length);
    await until(async () => tailed.length > blocks.length + 20);
    await crashing.kill();
    expect(tailed.length).toBeLessThan(blocks.length + batch.length); // it was in the middle
    crashing = await startNatsServer({ dataDir, port });
    started.push(crashing);
    await appending;
    blocks.push(...batch);
  }
  await until(async () => tailed.length >= blocks.length);
  stop.abort();
  await tail;
  const expected = blocks.map((block, i) => ({ seq: i + 1, id: block.id }));
  expect(tailed.map(({ seq, block }) => ({ seq, id: block.id }))).toEqual(expected);
  expect((await collect(log.read(0))).map(({ seq, block }) => ({ seq, id: block.id }))).toEqual(expected);
  await nats.close();
  for (const each of started) await each.stop();
}, 60_000);

test('a tail survives the deletion of its consumer and cut connections', async () => {
  const log = await openThroughProxy();
  const stop = new AbortController();
  const seen: number[] = [];
  const tail = (async () => {
    for await (const { seq } of log.tail(0, stop.signal)) seen.push(seq);
  })();
  const writer = await JetStreamLog.open(direct, 7);
  for (let seq = 0; seq < 30; seq += 1) {
    await writer.append(blockOf('a'), seq);
    if (seq % 10 === 3)
      for await (const consumer of jsm.consumers.list(STREAMS.log(7))) await jsm.consumers.delete(STREAMS.log(7), consumer.name);
    if (seq % 10 === 7) proxy.cut();
    if (seq % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await until(async () => seen.length >= 30);
  stop.abort();
  await tail;
  expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
});

test('a tail that is overtaken by trimming says so, one that goes on past it does not', async () => {
  const log = await JetStreamLog.open(direct, 7);
  for (let seq = 0; seq < 400; seq += 1) await log.append(blockOf('a', { bytes: 40_000 }), seq);
  const slow = log.tail(0, new AbortController().signal)[Symbol.asyncIterator]();
  expect((await slow.next()).value).toMatchObject({ seq: 1 });
  await log.saveSnapshot({ seq: 390, state: {} });
  await log.trim(390);
  const rest = (async () => {
    for (let last = 1; ; last += 1) expect((await slow.next()).value).toMatchObject({ seq: last + 1 });
  })();
  await expect(rest).rejects.toMatchObject({ code: 'log-trimmed' });
});

test('what is no block, or was deleted, is reported and not passed over', async () => {
  const log = await JetStreamLog.open(direct, 7);
  await log.append(blockOf('a'), 0);
  await direct.request('cadre.log.07', '{"v":', { timeout: 1000 });
  await direct.request('cadre.log.07', '{"v":9}', { timeout: 1000 });
  await log.append(blockOf('a'), 3);
  for (const [after, problem] of [
    [0, 'not JSON'],
    [2, 'version is 9'],
  ] as const) {
    await expect(collect(log.read(after))).rejects.toMatchObject({ code: 'log-corrupt', message: expect.stringContaining(problem) });
  }
  await jsm.streams.deleteMessage(STREAMS.log(7), 3);
  await expect(collect(log.tail(2, new AbortController().signal))).rejects.toMatchObject({
    code: 'log-corrupt',
    message: expect.stringContaining('deleted'),
  });
  expect((await collect(log.read(3))).map(({ seq }) => seq)).toEqual([4]);
});

async function connectTo(url: string): Promise<NatsConnection> {
  const nats = await connect({ servers: url, reconnectTimeWait: 50, maxReconnectAttempts: -1, noAsyncTraces: true });
  connections.push(nats);
  return nats;
}

async function openThroughProxy(options: JetStreamLogOptions = {}): Promise<JetStreamLog> {
  return JetStreamLog.open(await connectTo(proxy.url), 7, options);
}

/** As an owner does it: two in flight, and the next one as soon as there is room. */
async function appendInPairs(log: ShardLog, blocks: Block[], start: number, onSent?: (i: number) => void): Promise<void> {
  const underway: Promise<void>[] = [];
  for (const [i, block] of blocks.entries()) {
    underway.push(log.append(block, start + i).then((outcome) => expect(outcome).toEqual({ stored: true, seq: start + i + 1 })));
    onSent?.(i);
    if (underway.length === 2) await underway.shift();
  }
  await Promise.all(underway);
}

function stored(...seqs: number[]): unknown[] {
  return seqs.map((seq) => ({ stored: true, seq }));
}

async function lastSeq(): Promise<number> {
  return (await jsm.streams.info(STREAMS.log(7))).state.last_seq;
}

async function ids(): Promise<string[]> {
  return (await collect((await JetStreamLog.open(direct, 7)).read(0))).map(({ block }) => block.id);
}

async function collect(blocks: AsyncIterable<StoredBlock>): Promise<StoredBlock[]> {
  const all: StoredBlock[] = [];
  for await (const block of blocks) all.push(block);
  return all;
}

async function until(condition: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
