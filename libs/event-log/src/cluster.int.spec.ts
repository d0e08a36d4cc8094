/** The log, leases and bodies on three servers, each stream with three copies, and what the loss of a server costs. */
import { BUCKETS, STREAMS, type Block } from '@cadre/contracts';
import type { Lease, StoredBlock } from '@cadre/engine';
import { startNatsCluster, type NatsCluster } from '@cadre/nats-server';
import { jest } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { guardBroker, type BrokerDemand } from './broker-guard.js';
import { JetStreamLeases } from './jetstream-leases.js';
import { JetStreamLog } from './jetstream-log.js';
import { blobsContract } from './testing/blobs-contract.js';
import { blobsFixture, leasesFixture, logFixture, type Place } from './testing/jetstream-fixtures.js';
import { leasesContract } from './testing/leases-contract.js';
import { blockOf, shardLogContract } from './testing/shard-log-contract.js';
import { ensureTopology } from './topology.js';

jest.setTimeout(90_000);

const never = new AbortController().signal;
const demand: BrokerDemand = { profile: 'durable', shards: 8, replicas: 0, acceptUnverified: false, monitors: [], minVersion: '2.14.4' };
let cluster: NatsCluster;
const place = (): Place => ({ servers: cluster.servers, replicas: 3 });

beforeAll(async () => {
  cluster = await startNatsCluster();
  const all = await Promise.all(cluster.servers.map((servers) => connect({ servers })));
  // As services do that start at the same time on different servers.
  await Promise.all(all.map((nats) => ensureTopology(nats, { shards: 8, replicas: 3 })));
  await Promise.all(all.map((nats) => nats.close()));
});
afterAll(() => cluster.stop());

shardLogContract('JetStreamLog with three copies', () => logFixture(place()));
leasesContract('JetStreamLeases with three copies', () => leasesFixture(place()));
blobsContract('JetStreamBlobs with three copies', () => blobsFixture(place()));

describe('the guard', () => {
  let nats: NatsConnection;
  beforeEach(async () => {
    nats = await connect({ servers: cluster.servers });
    await ensureTopology(nats, { shards: 8, replicas: 3 });
  });
  afterEach(() => nats.close());

  test('asks every server and wants three copies under durable', async () => {
    const { replicas, servers, warnings } = await guardBroker(nats, demand);
    expect({ replicas, warnings }).toEqual({ replicas: 3, warnings: [] });
    expect(servers.map(({ name }) => name).sort()).toEqual(['n1', 'n2', 'n3']);
    expect((await guardBroker(nats, { ...demand, profile: 'fast' })).replicas).toBe(1);
    expect((await guardBroker(nats, { ...demand, replicas: 1 })).warnings).toEqual([expect.stringContaining('CADRE_REPLICAS=1')]);
  });

  test('refuses streams with fewer copies, and so does ensureTopology; more copies than asked for are left alone', async () => {
    const jsm = await jetstreamManager(nats);
    await jsm.streams.delete(STREAMS.events);
    await ensureTopology(nats, { shards: 8, replicas: 1 });
    const copies = async (stream: string): Promise<number> => (await jsm.streams.info(stream)).config.num_replicas;
    expect([await copies(STREAMS.events), await copies(STREAMS.log(0))]).toEqual([1, 3]);
    const refused = {
      code: 'topology-replicas',
      message: expect.stringContaining(`${STREAMS.events} (1)`),
      remedy: expect.stringContaining('--replicas 3'),
    };
    await expect(guardBroker(nats, demand)).rejects.toMatchObject(refused);
    await expect(ensureTopology(nats, { shards: 8, replicas: 3 })).rejects.toMatchObject(refused);
    await jsm.streams.delete(STREAMS.events);
  });
});

test('kill -9 of the leader in the middle of appends: nothing acknowledged is lost, appends go on, leases are had again, and services can start', async () => {
  const { open, close } = await logFixture(place());
  const nats = await connect({ servers: cluster.servers, reconnectTimeWait: 100, maxReconnectAttempts: -1 });
  const writer = new Writer(await JetStreamLog.open(nats, 7));
  const stop = new AbortController();
  const tailed = follow((await open()).tail(0, stop.signal));
  const leases = await JetStreamLeases.open(nats);
  const before = await leases.acquire('cluster-spec', 'a', never);
  let held: Lease = before;
  const keeping = (async () => {
    while (!stop.signal.aborted) {
      await new Promise((resolve) => held.lost.addEventListener('abort', resolve));
      if (!stop.signal.aborted) held = await leases.acquire('cluster-spec', 'a', never);
    }
  })();
  const writing = writer.run(stop.signal);
  for (const stream of [STREAMS.log(7), `KV_${BUCKETS.leases}`]) {
    await until(() => writer.acknowledged.length > 50);
    const leader = await cluster.leaderOf(stream);
    await leader.kill();
    const killedAt = performance.now();
    const starting = serviceStart();
    // Not only what was on the wire: the next ones too.
    const count = writer.acknowledged.length;
    await until(() => writer.acknowledged.length > count + 20);
    await until(() => held.isHeld());
    expect(performance.now() - killedAt).toBeLessThan(30_000);
    expect(await starting).toEqual(['1 of 3 servers of the cluster did not tell how they keep data.']);
    await leader.start();
  }
  stop.abort();
  await writing;
  expect(held.epoch).toBeGreaterThanOrEqual(before.epoch);
  await held.release();
  await keeping;
  const stored = await collect((await open()).read(0));
  expect(stored.map(({ block }) => block.id)).toEqual(writer.acknowledged);
  expect(tailed.map(({ block }) => block.id)).toEqual(writer.acknowledged.slice(0, tailed.length));
  expect(tailed.length).toBeGreaterThan(50);
  await nats.close();
  await close();
});

/** What a service does at its start; @returns the warnings */
async function serviceStart(): Promise<string[]> {
  const nats = await connect({ servers: cluster.servers });
  const { warnings, replicas } = await guardBroker(nats, demand);
  await ensureTopology(nats, { shards: 8, replicas });
  await nats.close();
  return warnings;
}

/** Appends as an owner does it: two in flight, the next one as soon as there is room; the only writer, so never fenced. */
class Writer {
  /** Ids in the order of their places. */
  readonly acknowledged: string[] = [];

  constructor(private readonly log: JetStreamLog) {}

  async run(signal: AbortSignal): Promise<void> {
    const underway: Promise<void>[] = [];
    for (let seq = 0; !signal.aborted; seq += 1) {
      underway.push(this.#append(blockOf('a', { bytes: 2000 }), seq));
      if (underway.length === 2) await underway.shift();
    }
    await Promise.all(underway);
  }

  async #append(block: Block, seq: number): Promise<void> {
    expect(await this.log.append(block, seq)).toEqual({ stored: true, seq: seq + 1 });
    this.acknowledged.push(block.id);
  }
}

function follow(blocks: AsyncIterable<StoredBlock>): StoredBlock[] {
  const seen: StoredBlock[] = [];
  void (async () => {
    for await (const block of blocks) seen.push(block);
  })();
  return seen;
}

async function collect(blocks: AsyncIterable<StoredBlock>): Promise<StoredBlock[]> {
  const all: StoredBlock[] = [];
  for await (const block of blocks) all.push(block);
  return all;
}

async function until(condition: () => boolean, timeoutMs = 60_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
