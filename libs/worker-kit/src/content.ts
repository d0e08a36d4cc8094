/** Texts that may be too long for a message. */
import { CadreError, INLINE_LIMIT_BYTES, utf8Bytes } from '@cadre/contracts';
import type { Content } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';

const PREVIEW_CHARACTERS = 400;

/** The text itself when it is short, else a reference to a blob that holds it. */
export async function storeText(text: string, blobs: Blobs): Promise<Content> {
  const sound = text.toWellFormed();
  if (utf8Bytes(sound) <= INLINE_LIMIT_BYTES) return { text: sound };
  const ref = await blobs.put(new TextEncoder().encode(sound), 'text/markdown');
  return { ref, preview: sound.slice(0, PREVIEW_CHARACTERS).toWellFormed() };
}

export async function readText(content: Content, blobs: Blobs): Promise<string> {
  if ('text' in content) return content.text;
  return new TextDecoder().decode(await blobs.get(content.ref));
}

/** How an attempt learns that nobody waits for it any more. */
export function attemptClosed(): CadreError {
  return new CadreError('attempt-closed', 'The attempt is closed: its run was cancelled, its time was up, or another attempt took over.');
}
