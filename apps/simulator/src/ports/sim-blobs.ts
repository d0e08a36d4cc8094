/** `Blobs` of one life, over its wire. */
import { createHash } from 'node:crypto';
import { CadreError, type BlobRef } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import type { Wire } from '../wire.js';

const TRIES = 5;

export class SimBlobs implements Blobs {
  constructor(
    private readonly wire: Wire,
    private readonly stored: Map<string, Uint8Array>,
  ) {}

  async put(bytes: Uint8Array, mediaType: string): Promise<BlobRef> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await this.#surely('blob-put', () => void this.stored.set(sha256, bytes));
    return { sha256, size: bytes.length, mediaType };
  }

  async get(ref: BlobRef): Promise<Uint8Array> {
    const bytes = await this.#surely('blob-get', () => this.stored.get(ref.sha256));
    if (!bytes) throw new CadreError('blob-missing', `no blob ${ref.sha256}`);
    return bytes;
  }

  has({ sha256 }: BlobRef): Promise<boolean> {
    return this.#surely('blob-head', () => this.stored.has(sha256));
  }

  async #surely<T>(port: string, act: () => T): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.wire.ask(port, act);
      } catch (cause) {
        if (tries === TRIES) throw new CadreError('blobs-unavailable', 'the object store does not answer', { retriable: true, cause });
      }
    }
  }
}
