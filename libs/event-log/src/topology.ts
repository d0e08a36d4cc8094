/** Creates the streams and buckets of Cadre, or brings existing ones into shape. */
import { BUCKETS, STREAMS, SUBJECTS } from '@cadre/contracts';
import {
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { storeUnavailable, topologyFailed, topologyMismatch } from './errors.js';
import { isStreamMissing } from './stream-reader.js';

export interface TopologyOptions {
  /** Number of shards, 1 to 100; streams of further shards are left alone. */
  shards: number;
  /** Copies of each stream in a cluster. Default 1. */
  replicas?: number;
}

type Shape = Partial<StreamConfig> & { name: string };

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/** These cannot be changed on an existing stream, or only with loss. */
const FIXED: readonly (keyof StreamConfig)[] = ['retention', 'storage'];

/**
 * May be called by any number of processes at once, and again.
 * @throws CadreError `topology-mismatch` when a stream exists in a shape that cannot be changed, `topology-failed` and `store-unavailable` (retriable)
 */
export async function ensureTopology(nats: NatsConnection, { shards, replicas = 1 }: TopologyOptions): Promise<void> {
  if (!Number.isInteger(shards) || shards < 1 || shards > 100) throw new TypeError('shards must be 1 to 100');
  const jsm = await jetstreamManager(nats, { timeout: 10_000, checkAPI: false });
  const logs = Array.from({ length: shards }, (_, shard) => logShape(shard));
  for (const shape of [...logs, ingressShape(), eventsShape(), leasesShape(), blobsShape()]) {
    await ensureStream(jsm, { ...shape, num_replicas: replicas });
  }
}

function logShape(shard: number): Shape {
  return {
    name: STREAMS.log(shard),
    description: `Cadre: the log of shard ${shard}`,
    subjects: [SUBJECTS.log(shard)],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_age: 0,
    max_msgs: -1,
    max_bytes: -1,
    allow_direct: true,
    deny_delete: false,
    deny_purge: false,
    // Recognises a block that is sent again; the sequence would refuse it as well.
    duplicate_window: nanos(2 * MINUTE),
  };
}

function ingressShape(): Shape {
  return {
    name: STREAMS.ingress,
    description: 'Cadre: events from outside',
    subjects: [SUBJECTS.ingressAll],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    allow_direct: true,
    duplicate_window: nanos(2 * MINUTE),
  };
}

function eventsShape(): Shape {
  return {
    name: STREAMS.events,
    description: 'Cadre: the event feed',
    subjects: [SUBJECTS.eventsAll],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(7 * DAY),
    allow_direct: true,
    duplicate_window: nanos(2 * MINUTE),
  };
}

/** As the client's KV makes it, plus entries with a time to live, whose end leaves a marker for a minute. */
function leasesShape(): Shape {
  return {
    name: `KV_${BUCKETS.leases}`,
    description: 'Cadre: leases',
    subjects: [`$KV.${BUCKETS.leases}.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    allow_rollup_hdrs: true,
    allow_direct: true,
    deny_delete: true,
    allow_msg_ttl: true,
    subject_delete_marker_ttl: nanos(MINUTE),
  };
}

/** As the client's object store makes it. */
function blobsShape(): Shape {
  return {
    name: `OBJ_${BUCKETS.blobs}`,
    description: 'Cadre: bodies and snapshots',
    subjects: [`$O.${BUCKETS.blobs}.C.>`, `$O.${BUCKETS.blobs}.M.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    allow_rollup_hdrs: true,
    allow_direct: true,
  };
}

async function ensureStream(jsm: JetStreamManager, shape: Shape): Promise<void> {
  const existing = await currentConfig(jsm, shape.name);
  if (existing === undefined) return create(jsm, shape);
  const differing = (Object.keys(shape) as (keyof Shape)[]).filter((key) => !same(shape[key], existing[key]));
  if (differing.length === 0) return;
  const fixed = differing.filter((key) => FIXED.includes(key));
  if (fixed.length > 0) {
    throw topologyMismatch(
      shape.name,
      fixed.map((key) => `${key} is ${String(existing[key])} instead of ${String(shape[key])}`).join(', '),
    );
  }
  try {
    await jsm.streams.update(shape.name, { ...existing, ...shape });
  } catch (cause) {
    throw topologyMismatch(shape.name, `${differing.join(', ')} could not be changed: ${messageOf(cause)}`, cause);
  }
}

async function currentConfig(jsm: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await jsm.streams.info(name)).config;
  } catch (cause) {
    if (isStreamMissing(cause)) return undefined;
    throw storeUnavailable('JetStream', cause);
  }
}

async function create(jsm: JetStreamManager, shape: Shape): Promise<void> {
  try {
    await jsm.streams.add(shape); // the same shape at the same time by another process is no error
  } catch (cause) {
    throw topologyFailed(shape.name, messageOf(cause), cause);
  }
}

/** The server leaves out what is false, empty or zero. */
function same(wanted: unknown, actual: unknown): boolean {
  return JSON.stringify(wanted || null) === JSON.stringify(actual || null);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
