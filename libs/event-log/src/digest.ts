/** SHA-256 without holding up the event loop: large bodies are hashed on another thread. */
import { createHash, webcrypto } from 'node:crypto';

const INLINE_BYTES = 256 * 1024;

export async function sha256(bytes: Uint8Array): Promise<Buffer> {
  if (bytes.length <= INLINE_BYTES) return createHash('sha256').update(bytes).digest();
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}
