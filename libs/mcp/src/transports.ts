/** How a server is reached. What comes from it is bounded before it is read: a message that is too long never lies in memory as a whole. */
import type { Readable } from 'node:stream';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { BoundedLines } from './bounded-lines.js';
import type { Secrets } from './references.js';
import type { McpServer } from './server-file.js';

/** In the `_meta` of each call: the same for a call that is repeated because nobody knows how the first one ended. */
export const CALL_KEY = 'cadre/call-key';

/** Beside the result itself a message has little; lists of tools have to fit, too. */
const LEAST_MESSAGE_BYTES = 1024 * 1024;
const STDERR = { lineCharacters: 1000, linesPerMinute: 60 } as const;

export interface TransportEars {
  /** A line of the program's stderr. */
  said(line: string): void;
  /** A message was longer than allowed: the answer of this call, or (undefined) who knows of which. */
  tooLong(callKey?: string): void;
}

/** Errors: those of `Secrets.fill`. */
export function openTransport(server: McpServer, secrets: Secrets, ears: TransportEars): Transport {
  const mostBytes = Math.max(server.maxResultBytes, LEAST_MESSAGE_BYTES);
  return server.url === undefined ? stdio(server, secrets, mostBytes, ears) : http(server.url, server, secrets, mostBytes, ears);
}

/** The program's environment: what every program needs (PATH, HOME, USER, …) and what the operator names; nothing else of the worker's. */
function stdio(server: McpServer, secrets: Secrets, mostBytes: number, ears: TransportEars): Transport {
  const { command = '', args, cwd } = server;
  const env = secrets.fill(server.env);
  const transport = new StdioClientTransport({ command, args, env, stderr: 'pipe', ...(cwd !== undefined && { cwd }) });
  // The library's own buffer ends the server for a message that is too long; it has no setting that puts another one there.
  Object.assign(transport, { _readBuffer: new BoundedLines(mostBytes, () => ears.tooLong()) });
  listen(transport.stderr as Readable, (line) => ears.said(secrets.clear(line)));
  return transport;
}

function http(url: string, server: McpServer, secrets: Secrets, mostBytes: number, ears: TransportEars): Transport {
  return new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: secrets.fill(server.headers) },
    fetch: async (input, init) => bounded(await fetch(input, init), mostBytes, () => ears.tooLong(callKeyOf(init?.body))),
  });
}

function callKeyOf(body: unknown): string | undefined {
  if (typeof body !== 'string') return undefined;
  const sent = JSON.parse(body) as { params?: { _meta?: { [CALL_KEY]?: string } } };
  return sent.params?._meta?.[CALL_KEY];
}

/** Of a stream of events each is bounded, of all else the whole body. */
function bounded(response: Response, mostBytes: number, tooLong: () => void): Response {
  if (response.body === null) return response;
  const events = response.headers.get('content-type')?.includes('text/event-stream') ?? false;
  let size = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const end = events ? lastBreak(chunk) : -1;
      size = end < 0 ? size + chunk.byteLength : chunk.byteLength - end;
      if (size <= mostBytes) return controller.enqueue(chunk);
      tooLong();
      controller.error(new Error(`The answer has more than ${mostBytes} bytes.`));
    },
  });
  const { status, statusText, headers } = response;
  const limited = new Response(response.body.pipeThrough(limit), { status, statusText, headers });
  // A response that is made has no address; redirects are told by it.
  Object.defineProperties(limited, { url: { value: response.url }, redirected: { value: response.redirected } });
  return limited;
}

/** Behind the last empty line of a chunk, where an event has ended; -1: none ends in it. */
function lastBreak(chunk: Uint8Array): number {
  const NEWLINE = 10;
  for (let at = chunk.byteLength - 1; at > 0; at -= 1) {
    if (chunk[at] !== NEWLINE) continue;
    if (chunk[at - 1] === NEWLINE || (chunk[at - 1] === 13 && chunk[at - 2] === NEWLINE)) return at + 1;
  }
  return -1;
}

/** Lines of a stream, cut to what a log bears: long ones, and more than so many in a minute, are left out. */
function listen(stream: Readable, hear: (line: string) => void): void {
  let [begun, minute, lines] = ['', 0, 0];
  stream.on('data', (chunk: Buffer) => {
    const parts = `${begun}${chunk.toString('utf8')}`.split('\n');
    begun = (parts.pop() as string).slice(0, STDERR.lineCharacters);
    const now = Math.floor(Date.now() / 60_000);
    if (now !== minute) [minute, lines] = [now, 0];
    for (const part of parts) {
      if (part.trim() === '') continue;
      lines += 1;
      if (lines <= STDERR.linesPerMinute) hear(part.slice(0, STDERR.lineCharacters));
      if (lines === STDERR.linesPerMinute) hear('(more in this minute is left out)');
    }
  });
}
