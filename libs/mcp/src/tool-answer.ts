/** What a server answered, as a tool's result: text for the model, everything else as files of the workspace. */
import type { Json } from '@cadre/contracts';
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/client';

/** Keeps a file for the attempt. @returns the path that it has there */
export type KeepFile = (name: string, bytes: Uint8Array) => Promise<string>;

const EXTENSIONS: Readonly<Record<string, string>> = {
  ...{ 'image/png': 'png', 'image/jpeg': 'jpg', 'image/gif': 'gif', 'image/webp': 'webp', 'image/svg+xml': 'svg' },
  ...{ 'audio/wav': 'wav', 'audio/mpeg': 'mp3', 'audio/ogg': 'ogg', 'application/pdf': 'pdf', 'application/json': 'json' },
  ...{ 'application/gzip': 'gz', 'application/x-gzip': 'gz', 'application/zip': 'zip', 'text/csv': 'csv', 'text/plain': 'txt' },
};

interface Read {
  texts: string[];
  files: string[];
}

/**
 * Structured content if there is some, else the texts as one. A result that says it is an error becomes `{error}`.
 * @param keep left out: files are described only @param stem of the names of files
 */
export async function answerOf(result: CallToolResult, stem: string, keep?: KeepFile): Promise<Json> {
  const read: Read = { texts: [], files: [] };
  for (const block of result.content ?? []) await readBlock(block, read, stem, keep);
  const text = read.texts.join('\n');
  if (result.isError === true) return { error: text || 'The tool failed and does not say why.' };
  const files = read.files.length > 0 ? { files: read.files } : {};
  const structured = result.structuredContent as Json | undefined;
  if (structured === undefined) return { text, ...files };
  return read.files.length === 0 ? structured : { result: structured, ...files };
}

async function readBlock(block: ContentBlock, read: Read, stem: string, keep?: KeepFile): Promise<void> {
  if (block.type === 'text') read.texts.push(block.text);
  else if (block.type === 'resource_link') read.texts.push(`[${block.name}: ${block.uri}]`);
  else if (block.type === 'resource') {
    const { resource } = block;
    if ('text' in resource) read.texts.push(`[${resource.uri}]\n${resource.text}`);
    else await keepBytes(resource.blob, resource.mimeType, read, stem, keep);
  } else if (block.type === 'image' || block.type === 'audio') await keepBytes(block.data, block.mimeType, read, stem, keep);
  else read.texts.push(`[content of an unknown kind: ${String((block as { type: unknown }).type)}]`);
}

async function keepBytes(base64: string, mediaType: string | undefined, read: Read, stem: string, keep?: KeepFile): Promise<void> {
  const bytes = Buffer.from(base64, 'base64');
  const kind = mediaType ?? 'unknown kind';
  if (keep === undefined) return void read.texts.push(`[${bytes.byteLength} bytes of ${kind}]`);
  try {
    const path = await keep(`${stem}-${read.files.length + 1}.${EXTENSIONS[kind] ?? 'bin'}`, bytes);
    read.files.push(path);
    read.texts.push(`[${bytes.byteLength} bytes of ${kind}: the file ${path}]`);
  } catch (error) {
    // The call has happened: that there is no room for a file of its answer is no failure of it.
    read.texts.push(`[${bytes.byteLength} bytes of ${kind}, which could not be kept: ${(error as Error).message}]`);
  }
}
