/**
 * Snapshots of one shard as gzipped JSON in the object store. The name changes over to a new snapshot only when all of it is stored,
 * and the one before is kept under `snapshot-<nn>-previous`, so that a crash at any moment leaves a whole one. An owner that was
 * fenced without noticing cannot replace a newer snapshot: entries only change from the revision that was looked at.
 */
import { BUCKETS, shardName } from '@cadre/contracts';
import type { LogSnapshot } from '@cadre/engine';
import type { NatsConnection } from '@nats-io/transport-node';
import { sha256 } from './digest.js';
import { storeUnavailable } from './errors.js';
import { BodyDamaged, ObjectBucket, type ObjectHead } from './object-bucket.js';
import { decodeSnapshot, encodeSnapshot } from './snapshot-codec.js';

const ROUNDS = 3;

export class SnapshotStore {
  readonly #bucket: ObjectBucket;
  readonly #shard: number;
  readonly #name: string;
  readonly #previous: string;

  private constructor(bucket: ObjectBucket, shard: number) {
    this.#bucket = bucket;
    this.#shard = shard;
    this.#name = `snapshot-${shardName(shard)}`;
    this.#previous = `${this.#name}-previous`;
  }

  static async open(nats: NatsConnection, shard: number): Promise<SnapshotStore> {
    return new SnapshotStore(await ObjectBucket.open(nats, BUCKETS.blobs), shard);
  }

  /** Sequence of the newest saved snapshot; 0 when there is none. */
  async savedSeq(): Promise<number> {
    return seqOf(await this.#bucket.head(this.#name));
  }

  /** The newest snapshot that is whole. `damaged`: why others were passed over. */
  async load(): Promise<{ snapshot?: LogSnapshot; damaged?: Error }> {
    let damaged: Error | undefined;
    for (const name of [this.#name, this.#previous]) {
      try {
        const head = await this.#bucket.head(name);
        if (head !== undefined) return { snapshot: await this.#read(head), ...(damaged && { damaged }) };
      } catch (error) {
        if (!(error instanceof BodyDamaged)) throw error;
        damaged ??= error;
      }
    }
    return damaged === undefined ? {} : { damaged };
  }

  /** Saves unless a snapshot at or past this sequence is there. The state must not change meanwhile. */
  async save(snapshot: LogSnapshot): Promise<void> {
    const bytes = await encodeSnapshot(this.#shard, snapshot);
    const digest = await sha256(bytes);
    const metadata = { seq: String(snapshot.seq) };
    for (let round = 0; round < ROUNDS; round += 1) {
      const current = await this.#bucket.head(this.#name);
      if (current !== undefined && seqOf(current) >= snapshot.seq) return;
      const options = { expected: current?.revision ?? 0, digest, chunksPrefix: this.#name, metadata };
      if ((await this.#bucket.put(this.#name, bytes, options)) === 'changed') continue;
      if (current !== undefined) await this.#bucket.point(this.#previous, current);
      return this.#sweep();
    }
    throw storeUnavailable('The object store', new Error('the snapshot was replaced by others again and again'));
  }

  close(): void {
    this.#bucket.close();
  }

  async #read(head: ObjectHead): Promise<LogSnapshot> {
    const bytes = await this.#bucket.get(head);
    try {
      return await decodeSnapshot(this.#shard, bytes);
    } catch (cause) {
      throw new BodyDamaged('it cannot be decoded', { cause });
    }
  }

  /**
   * Removes the chunks of older snapshots and of saves that broke off. A save of another process that is under way loses its chunks
   * too, which is safe: it began before our entry, so its own entry will be refused.
   */
  async #sweep(): Promise<void> {
    const heads = await Promise.all([this.#bucket.head(this.#name), this.#bucket.head(this.#previous)]);
    const kept = new Set(heads.map((head) => head?.chunksId));
    for (const chunks of await this.#bucket.chunksUnder(this.#name)) {
      if (!kept.has(chunks)) await this.#bucket.dropChunks(chunks);
    }
  }
}

function seqOf(head: ObjectHead | undefined): number {
  return Number(head?.metadata['seq'] ?? 0);
}
