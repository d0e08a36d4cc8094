/** Bodies in the object store bucket, named by the SHA-256 of their bytes. */
import { BUCKETS, type BlobRef } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import type { NatsConnection } from '@nats-io/transport-node';
import { sha256 } from './digest.js';
import { blobCorrupt, blobMissing, blobTooLarge } from './errors.js';
import { BodyDamaged, ObjectBucket, type ObjectHead } from './object-bucket.js';

export const MAX_BLOB_BYTES = 64 * 1024 * 1024;

export class JetStreamBlobs implements Blobs {
  readonly #bucket: ObjectBucket;

  private constructor(bucket: ObjectBucket) {
    this.#bucket = bucket;
  }

  /** The bucket must exist: see `ensureTopology`. */
  static async open(nats: NatsConnection): Promise<JetStreamBlobs> {
    return new JetStreamBlobs(await ObjectBucket.open(nats, BUCKETS.blobs));
  }

  /**
   * The media type is kept in the reference only: the same bytes may be put under several.
   * @throws CadreError `blob-too-large` above 64 MiB, `store-unavailable` (retriable)
   */
  async put(bytes: Uint8Array, mediaType: string): Promise<BlobRef> {
    if (bytes.length > MAX_BLOB_BYTES) throw blobTooLarge(bytes.length, MAX_BLOB_BYTES);
    const digest = await sha256(bytes);
    const ref: BlobRef = { sha256: digest.toString('hex'), size: bytes.length, mediaType };
    if ((await this.#bucket.nearbyHead(ref.sha256)) !== undefined) return ref;
    // `changed`: the same bytes were put by somebody else meanwhile, which is as good.
    await this.#bucket.put(ref.sha256, bytes, { expected: 0, digest });
    return ref;
  }

  /** @throws CadreError `blob-missing`, `blob-corrupt`, `store-unavailable` (retriable) */
  async get(ref: BlobRef): Promise<Uint8Array> {
    const head = await this.#head(ref);
    if (head === undefined) throw blobMissing(ref.sha256);
    if (head.size > MAX_BLOB_BYTES) throw blobTooLarge(head.size, MAX_BLOB_BYTES);
    try {
      const bytes = await this.#bucket.get(head);
      if ((await sha256(bytes)).toString('hex') !== ref.sha256) throw new BodyDamaged('its content is not what its name says');
      return bytes;
    } catch (cause) {
      if (cause instanceof BodyDamaged) throw blobCorrupt(ref.sha256, cause.message, cause);
      throw cause;
    }
  }

  /** @throws CadreError `store-unavailable` (retriable) */
  async has(ref: BlobRef): Promise<boolean> {
    return (await this.#head(ref)) !== undefined;
  }

  close(): void {
    this.#bucket.close();
  }

  async #head({ sha256 }: BlobRef): Promise<ObjectHead | undefined> {
    return (await this.#bucket.nearbyHead(sha256)) ?? (await this.#bucket.head(sha256));
  }
}
