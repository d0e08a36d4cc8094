/** Texts that may be too long for a message. */
import { CALL_INLINE_BYTES, INLINE_LIMIT_BYTES, fitsBytes } from '@cadre/contracts';
import type { CallBody, Content } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';

const PREVIEW_CHARACTERS = 400;

/** The text itself when it is short, else a reference to a blob that holds it. */
export async function storeText(text: string, blobs: Blobs): Promise<Content> {
  const sound = text.toWellFormed();
  if (fitsBytes(sound, INLINE_LIMIT_BYTES)) return { text: sound };
  const ref = await blobs.put(new TextEncoder().encode(sound), 'text/markdown');
  return { ref, preview: sound.slice(0, PREVIEW_CHARACTERS).toWellFormed() };
}

/** Always in a blob, whatever its length: for what is rarely looked at and should weigh nothing where it is named. */
export async function storeApart(text: string, mediaType: string, blobs: Blobs): Promise<Content> {
  const sound = text.toWellFormed();
  const ref = await blobs.put(new TextEncoder().encode(sound), mediaType);
  return { ref, preview: sound.slice(0, PREVIEW_CHARACTERS).toWellFormed() };
}

/** Errors: those of the blobs. */
export async function readText(content: Content, blobs: Blobs): Promise<string> {
  return 'text' in content ? content.text : new TextDecoder().decode(await blobs.get(content.ref));
}

/** What a call answered, as its record holds it. */
export async function storeBody(text: string, blobs: Blobs): Promise<CallBody> {
  const sound = text.toWellFormed();
  if (fitsBytes(sound, CALL_INLINE_BYTES)) return { text: sound };
  return { ref: await blobs.put(new TextEncoder().encode(sound), 'application/json') };
}

/** Errors: those of the blobs. */
export async function readBody(body: CallBody | undefined, blobs: Blobs): Promise<string> {
  if (body === undefined) return 'null';
  return 'text' in body ? body.text : new TextDecoder().decode(await blobs.get(body.ref));
}
