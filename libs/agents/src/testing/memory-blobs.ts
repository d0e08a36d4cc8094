/** Blobs in memory, named by a digest that is good enough for specs. */
import { CadreError } from '@cadre/contracts';
import type { BlobRef } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import { plainDigest } from './plain-digest.js';

export class MemoryBlobs implements Blobs {
  readonly bodies = new Map<string, Uint8Array>();

  async put(bytes: Uint8Array, mediaType: string): Promise<BlobRef> {
    const sha256 = plainDigest(new TextDecoder('latin1').decode(bytes));
    this.bodies.set(sha256, bytes);
    return { sha256, size: bytes.byteLength, mediaType };
  }

  async get({ sha256 }: BlobRef): Promise<Uint8Array> {
    const bytes = this.bodies.get(sha256);
    if (!bytes) throw new CadreError('blob-missing', `There is no blob ${sha256}.`);
    return bytes;
  }

  async has({ sha256 }: BlobRef): Promise<boolean> {
    return this.bodies.has(sha256);
  }
}
