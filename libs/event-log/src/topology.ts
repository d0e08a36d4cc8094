/** Creates the streams and buckets of Cadre, or brings existing ones into shape. */
import { BUCKETS, CHANNEL_LIMITS, STREAMS, SUBJECTS } from '@cadre/contracts';
import {
  DiscardPolicy,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { backoffMs, pause } from './connection.js';
import { storeUnavailable, tooFewReplicas, topologyFailed, topologyMismatch } from './errors.js';
import { isStreamMissing } from './stream-reader.js';

export interface TopologyOptions {
  /** Number of shards, 1 to 100; streams of further shards are left alone. */
  shards: number;
  /** Copies that each stream has at least. New ones get so many; an existing one with fewer is an error, more are left alone. Default 1. */
  replicas?: number;
}

type Shape = { [K in keyof StreamConfig]?: StreamConfig[K] | undefined } & { name: string };

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/**
 * These cannot be changed on an existing stream, or only with loss. `persist_mode: async` acknowledges what is not on disk, whatever the
 * server's sync setting.
 */
const FIXED: readonly (keyof Shape)[] = ['retention', 'storage', 'persist_mode', 'mirror', 'sealed'];
/** While a cluster forms or elects a leader, requests fail for some seconds. */
const PATIENCE_MS = 15_000;

/**
 * May be called by any number of processes at once, and again. Waits up to 15 s while a cluster has no leader.
 * @throws CadreError `topology-mismatch` when a stream exists in a shape that cannot be changed, `topology-replicas` when it has too few
 *   copies, `topology-failed` and `store-unavailable` (retriable)
 */
export async function ensureTopology(nats: NatsConnection, { shards, replicas = 1 }: TopologyOptions): Promise<void> {
  const jsm = await jetstreamManager(nats, { timeout: 3000, checkAPI: false });
  for (const shape of shapes(shards)) await ensureStream(jsm, shape, replicas);
}

/**
 * Looks without changing anything: what exists must be of a kind that `ensureTopology` can use. Streams that are missing or do not answer
 * are passed over; whoever needs them finds out.
 * @throws CadreError `topology-mismatch`, `topology-replicas`
 */
export async function checkTopology(nats: NatsConnection, { shards, replicas = 1 }: TopologyOptions): Promise<void> {
  const jsm = await jetstreamManager(nats, { timeout: 2000, checkAPI: false });
  const found = await Promise.all(
    shapes(shards).map(async (shape) => ({ shape, existing: (await jsm.streams.info(shape.name).catch(() => undefined))?.config })),
  );
  const few = found.flatMap(({ shape, existing }) => {
    if (existing === undefined) return [];
    refuseUnfit(shape, existing);
    return existing.num_replicas < replicas ? [{ name: shape.name, replicas: existing.num_replicas }] : [];
  });
  if (few.length > 0) throw tooFewReplicas(few, replicas);
}

function shapes(shards: number): Shape[] {
  if (!Number.isInteger(shards) || shards < 1 || shards > 100) throw new TypeError('shards must be 1 to 100');
  const logs = Array.from({ length: shards }, (_, shard) => logShape(shard));
  // No stream of ours may acknowledge what it has not kept, or be a copy of another.
  const plain = { no_ack: false, sealed: false, mirror: undefined, persist_mode: undefined };
  const buckets = [leasesShape(), definitionsShape(), contextShape(), channelsShape(), agentsShape(), resultsShape(), blobsShape()];
  const shapes = [...logs, ingressShape(), eventsShape(), messagesShape(), ...buckets];
  return shapes.map((shape) => ({ ...shape, ...plain }));
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
    max_age: 0,
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
    // Events are stored in atomic batches.
    allow_atomic: true,
    duplicate_window: nanos(2 * MINUTE),
  };
}

/** Each message has a subject and a time to live of its own; how many a channel keeps is its senders' doing. */
function messagesShape(): Shape {
  return {
    name: STREAMS.messages,
    description: 'Cadre: messages of durable channels',
    subjects: [SUBJECTS.messagesAll],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(CHANNEL_LIMITS.ageMs),
    max_msgs_per_subject: 1,
    allow_msg_ttl: true,
    allow_direct: true,
    deny_purge: false,
    duplicate_window: nanos(2 * MINUTE),
  };
}

/** As the client's KV makes it. */
function bucketShape(bucket: string, description: string): Shape {
  return {
    name: `KV_${bucket}`,
    description,
    subjects: [`$KV.${bucket}.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_age: 0,
    max_msgs_per_subject: 1,
    allow_rollup_hdrs: true,
    allow_direct: true,
    deny_delete: true,
  };
}

/** Entries with a time to live, whose end leaves a marker for a minute. */
function leasesShape(): Shape {
  return { ...bucketShape(BUCKETS.leases, 'Cadre: leases'), allow_msg_ttl: true, subject_delete_marker_ttl: nanos(MINUTE) };
}

/** What is there is never changed. */
const definitionsShape = (): Shape => bucketShape(BUCKETS.definitions, 'Cadre: definitions, in versions');

/** Entries that are forgotten some time after the end of an artifact. */
const contextShape = (): Shape => ({ ...bucketShape(BUCKETS.context, 'Cadre: shared context'), allow_msg_ttl: true });
/** Entries of removed agents are forgotten some time later. */
const agentsShape = (): Shape => ({ ...bucketShape(BUCKETS.agents, 'Cadre: agents defined at run time'), allow_msg_ttl: true });
const channelsShape = (): Shape => bucketShape(BUCKETS.channels, 'Cadre: channels');

/** Entries that each have a time to live. The oldest make room for new ones: whoever looks for them does without. */
function resultsShape(): Shape {
  const shape = bucketShape(BUCKETS.results, 'Cadre: results that stand for later ones');
  return { ...shape, allow_msg_ttl: true, discard: DiscardPolicy.Old, max_msgs: 100_000 };
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
    max_age: 0,
    allow_rollup_hdrs: true,
    allow_direct: true,
  };
}

async function ensureStream(jsm: JetStreamManager, shape: Shape, replicas: number): Promise<void> {
  const existing = await currentConfig(jsm, shape.name);
  if (existing === undefined) return create(jsm, { ...shape, num_replicas: replicas });
  refuseUnfit(shape, existing);
  if (existing.num_replicas < replicas) throw tooFewReplicas([{ name: shape.name, replicas: existing.num_replicas }], replicas);
  const differing = differences(shape, existing);
  if (differing.length === 0) return;
  try {
    await jsm.streams.update(shape.name, { ...existing, ...shape } as StreamConfig);
  } catch (cause) {
    throw topologyMismatch(shape.name, `${differing.join(', ')} could not be changed: ${messageOf(cause)}`, cause);
  }
}

function differences(shape: Shape, existing: StreamConfig): (keyof Shape)[] {
  return (Object.keys(shape) as (keyof Shape)[]).filter((key) => !same(shape[key], existing[key]));
}

function refuseUnfit(shape: Shape, existing: StreamConfig): void {
  const fixed = differences(shape, existing).filter((key) => FIXED.includes(key));
  if (fixed.length === 0) return;
  const shown = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  throw topologyMismatch(
    shape.name,
    fixed.map((key) => `${key} is ${shown(existing[key])} instead of ${shown(shape[key] ?? 'not set')}`).join(', '),
  );
}

async function currentConfig(jsm: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await patiently(() => jsm.streams.info(name))).config;
  } catch (cause) {
    if (isStreamMissing(cause)) return undefined;
    throw storeUnavailable('JetStream', cause);
  }
}

async function create(jsm: JetStreamManager, shape: Shape): Promise<void> {
  try {
    await patiently(() => jsm.streams.add(shape as Partial<StreamConfig> & { name: string })); // the same shape at the same time by another process is no error
  } catch (cause) {
    throw topologyFailed(shape.name, messageOf(cause), cause);
  }
}

/** Goes on while the trouble is one that passes: no answer, no leader (10008, 10009), peers that are not known yet (10005). */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask();
    } catch (cause) {
      const passing = !(cause instanceof JetStreamApiError) || [10005, 10008, 10009].includes(cause.code);
      if (!passing || performance.now() > until) throw cause;
      await pause(backoffMs(tries));
    }
  }
}

/** The server leaves out what is false, empty or zero. */
function same(wanted: unknown, actual: unknown): boolean {
  return JSON.stringify(wanted || null) === JSON.stringify(actual || null);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
