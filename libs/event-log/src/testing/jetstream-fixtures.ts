/** The real forms of the ports on given servers, as their contract suites want them. For specs of this library. */
import { BUCKETS, STREAMS } from '@cadre/contracts';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { JetStreamBlobs } from '../jetstream-blobs.js';
import { JetStreamLeases } from '../jetstream-leases.js';
import { JetStreamLog } from '../jetstream-log.js';
import { ensureTopology } from '../topology.js';
import type { BlobsFixture } from './blobs-contract.js';
import type { LeasesFixture } from './leases-contract.js';
import type { ShardLogFixture } from './shard-log-contract.js';

const BLOBS = `OBJ_${BUCKETS.blobs}`;

export interface Place {
  /** One address for each server. */
  servers: string[];
  replicas: number;
}

/** Each `open` is a connection of its own, as of another process. */
class Connections {
  readonly #all: NatsConnection[] = [];

  constructor(private readonly servers: string[]) {}

  async another(): Promise<NatsConnection> {
    const nats = await connect({ servers: this.servers, noAsyncTraces: true });
    this.#all.push(nats);
    return nats;
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((nats) => nats.close()));
  }
}

/** Shard 7 with an empty log and no snapshots. */
export async function logFixture({ servers, replicas }: Place): Promise<ShardLogFixture> {
  const connections = new Connections(servers);
  const admin = await connections.another();
  const jsm = await jetstreamManager(admin);
  for (const stream of [STREAMS.log(7), BLOBS]) await jsm.streams.delete(stream).catch(() => undefined);
  await ensureTopology(admin, { shards: 8, replicas });
  return { open: async () => JetStreamLog.open(await connections.another(), 7), close: () => connections.close() };
}

/** The bucket must exist. */
export async function leasesFixture({ servers }: Place): Promise<LeasesFixture> {
  const connections = new Connections(servers);
  const admin = await connections.another();
  return {
    open: async () => {
      const nats = await connections.another();
      return { leases: await JetStreamLeases.open(nats), die: () => nats.close() };
    },
    revoke: async (lease) => {
      const thief = headers();
      thief.set('Nats-TTL', '1s');
      await admin.request(`$KV.${BUCKETS.leases}.${lease.name}`, '{"holder":"thief","token":"x"}', { headers: thief, timeout: 1000 });
    },
    close: () => connections.close(),
  };
}

/** An empty bucket. */
export async function blobsFixture({ servers, replicas }: Place): Promise<BlobsFixture> {
  const connections = new Connections(servers);
  const nats = await connections.another();
  const jsm = await jetstreamManager(nats);
  await jsm.streams.delete(BLOBS).catch(() => undefined);
  await ensureTopology(nats, { shards: 1, replicas });
  return {
    blobs: await JetStreamBlobs.open(nats),
    storedBytes: async () => (await jsm.streams.info(BLOBS)).state.bytes,
    damage: async (sha256) => {
      const entry = Buffer.from(sha256).toString('base64url');
      const padded = entry + '='.repeat((4 - (entry.length % 4)) % 4);
      const head = await jsm.streams.getMessage(BLOBS, { last_by_subj: `$O.${BUCKETS.blobs}.M.${padded}` });
      const { nuid } = head!.json<{ nuid: string }>();
      const chunk = await jsm.streams.getMessage(BLOBS, { last_by_subj: `$O.${BUCKETS.blobs}.C.${nuid}` });
      const bytes = Uint8Array.from(chunk!.data);
      bytes[0]! ^= 1;
      await jsm.streams.deleteMessage(BLOBS, chunk!.seq);
      await nats.request(chunk!.subject, bytes, { timeout: 2000 });
    },
    close: () => connections.close(),
  };
}
