/** Answers with what an agent or a person has stored, so that no browser runs what is in it. */
import type { BlobRef } from '@cadre/contracts';
import type { Blobs } from '@cadre/engine';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** @param about the name, which may hold folders @throws CadreError those of the bodies */
export async function sendBody(
  blob: BlobRef,
  { name, blobs }: { name: string; blobs: Blobs },
  http: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const etag = `"${blob.sha256}"`;
  void reply
    .header('etag', etag)
    // A name may get another content later on.
    .header('cache-control', 'private, no-cache')
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox")
    .header('content-disposition', disposition(name.split('/').at(-1) ?? name));
  if (matches(http.headers['if-none-match'], etag)) {
    await reply.status(304).send();
    return;
  }
  const bytes = await blobs.get(blob);
  await reply.header('content-type', contentType(blob.mediaType)).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

function matches(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((each) => ['*', etag, `W/${etag}`].includes(each.trim()));
}

function contentType(mediaType: string): string {
  const safe = /^[\w.+-]+\/[\w.+-]+(;[\w.+= -]*)?$/.test(mediaType) ? mediaType : 'application/octet-stream';
  return safe.startsWith('text/') && !safe.includes('charset') ? `${safe}; charset=utf-8` : safe;
}

function disposition(fileName: string): string {
  const ascii = fileName.replace(/[^\x20-\x7e]|["\\]/g, '_');
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(fileName)}`;
}
