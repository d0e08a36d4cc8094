/** Bodies in memory. */
import { createHash } from 'node:crypto';
import type { BlobRef } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import { blobCorrupt, blobMissing, blobTooLarge } from '../errors.js';
import { MAX_BLOB_BYTES } from '../jetstream-blobs.js';

export class MemoryBlobs implements Blobs {
  /** By SHA-256; tests may look and damage. */
  readonly bodies = new Map<string, Uint8Array>();

  async put(bytes: Uint8Array, mediaType: string): Promise<BlobRef> {
    if (bytes.length > MAX_BLOB_BYTES) throw blobTooLarge(bytes.length, MAX_BLOB_BYTES);
    const sha256 = sha256Of(bytes);
    if (!this.bodies.has(sha256)) this.bodies.set(sha256, Uint8Array.from(bytes));
    return { sha256, size: bytes.length, mediaType };
  }

  async get(ref: BlobRef): Promise<Uint8Array> {
    const bytes = this.bodies.get(ref.sha256);
    if (bytes === undefined) throw blobMissing(ref.sha256);
    if (sha256Of(bytes) !== ref.sha256) throw blobCorrupt(ref.sha256, 'its digest differs');
    return Uint8Array.from(bytes);
  }

  async has({ sha256 }: BlobRef): Promise<boolean> {
    return this.bodies.has(sha256);
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
