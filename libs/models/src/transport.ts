/**
 * One request to a model server and its answer, streamed or in one piece. Limits how long a server may be silent, not how long it may
 * write.
 */
import { pipeline, type Duplex } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { CadreError } from '@cadre/contracts';
import { request } from 'undici';
import type { Dispatcher } from 'undici';
import { abortError, silenceError } from './errors.js';
import { parsedJson } from './reading/json-spans.js';
import { EventReader } from './server-events.js';
import { ServerRefusal, refusalInside } from './server-words.js';
import { CutAnswer, UnreadableAnswer } from './wire-api.js';
import type { Collector } from './wire-api.js';

/** Names the setting, for people. */
export interface SilenceLimits {
  first: { name: string; ms: number };
  between: { name: string; ms: number };
}

export interface Post {
  url: string;
  headers: Record<string, string>;
  body: string;
  dispatcher: Dispatcher;
  /** Base URL, for people. */
  server: string;
  limits: SilenceLimits;
  signal: AbortSignal;
  collector(): Collector;
}

/** What a server may send in one piece. */
const MAX_BODY = 64 * 1024 * 1024;
/** How long an answer that is complete may take to end. */
const AFTERWORD_MS = 3000;

/**
 * The whole answer as a JSON value. Errors: `ServerRefusal`, `UnreadableAnswer`, `CutAnswer`, `CadreError` (silence, the signal's), those
 * of the connection. The connection is closed when the signal aborts, so that the server stops writing.
 */
export async function post(asked: Post): Promise<unknown> {
  if (asked.signal.aborted) throw abortError(asked.signal, false);
  return new Exchange(asked).run();
}

class Exchange {
  private readonly stop = new AbortController();
  private settle: { resolve(answer: unknown): void; reject(error: unknown): void } | undefined;
  private timer: NodeJS.Timeout | undefined;
  private collector: Collector | undefined;

  constructor(private readonly asked: Post) {}

  /** Ends at once when it is ended: what the connection does then is nobody's concern. */
  async run(): Promise<unknown> {
    const { signal } = this.asked;
    const onAbort = () => this.end(abortError(signal, true));
    signal.addEventListener('abort', onAbort, { once: true });
    this.listen();
    try {
      return await new Promise((resolve, reject) => {
        this.settle = { resolve, reject };
        this.exchange()
          .then(resolve, reject)
          .finally(() => clearTimeout(this.timer));
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  private end(error: CadreError): void {
    this.settle?.reject(error);
    this.stop.abort();
  }

  /** The silence from here on is limited. Behind a complete answer the count of its tokens may follow, and is not waited for long. */
  private listen(heard = false): void {
    clearTimeout(this.timer);
    const { limits, server } = this.asked;
    const { collector } = this;
    const limit = heard ? limits.between : limits.first;
    this.timer = setTimeout(
      () => {
        if (collector?.complete) this.deliver(collector);
        else this.end(silenceError(server, limit, heard ? (collector?.written ?? '') : undefined));
        this.stop.abort();
      },
      collector?.complete ? Math.min(limit.ms, AFTERWORD_MS) : limit.ms,
    );
  }

  private deliver(collector: Collector): void {
    this.settle?.resolve(collector.whole());
  }

  private async exchange(): Promise<unknown> {
    const { url, headers, body, dispatcher } = this.asked;
    const response = await request(url, {
      ...{
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        body,
      },
      ...{ dispatcher, signal: this.stop.signal, headersTimeout: 0, bodyTimeout: 0 },
    });
    const told = plainHeaders(response.headers);
    const { statusCode: status } = response;
    const answer = unpacked(response.body, told['content-encoding']);
    if (status < 200 || status >= 300) throw new ServerRefusal(status, bodyOf(await this.text(answer)), told);
    if (/event-stream/.test(told['content-type'] ?? '')) return this.events(answer);
    return this.whole(await this.text(answer), told);
  }

  /** The server did not stream, or streams under another name. */
  private whole(text: string, headers: Record<string, string>): unknown {
    if (/^\s*(data|event|:)/.test(text)) return this.collected([text]);
    const value = parsedJson(text);
    if (value === undefined) throw new UnreadableAnswer('it is no JSON');
    const refusal = refusalInside(value, headers);
    const isAnswer = typeof value === 'object' && value !== null && ('choices' in value || 'content' in value || 'output' in value);
    if (refusal && !isAnswer) throw refusal;
    return value;
  }

  private async text(body: AsyncIterable<Buffer>): Promise<string> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of body) {
      this.listen(true);
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_BODY) throw new UnreadableAnswer('it has no end');
    }
    return text + decoder.decode();
  }

  private async events(body: AsyncIterable<Buffer>): Promise<unknown> {
    const decoder = new TextDecoder();
    const pieces = async function* (this: Exchange): AsyncGenerator<string> {
      for await (const chunk of body) {
        this.listen(true);
        yield decoder.decode(chunk, { stream: true });
      }
      yield decoder.decode();
    };
    return this.collected(pieces.call(this));
  }

  private async collected(pieces: AsyncIterable<string> | Iterable<string>): Promise<unknown> {
    const collector = (this.collector = this.asked.collector());
    const reader = new EventReader();
    try {
      for await (const piece of pieces) {
        // What follows the last event is read to its end, so that the connection can be used again.
        if (reader.add(piece).filter((event) => collector.add(event)).length > 0) this.deliver(collector);
        if (collector.complete) this.listen(true);
      }
      reader.end().forEach((event) => collector.add(event));
    } catch (error) {
      if (error instanceof ServerRefusal || error instanceof UnreadableAnswer) throw error;
      if (collector.complete) return collector.whole();
      throw new CutAnswer(error instanceof Error ? error.message : String(error), collector.written, error);
    }
    if (!collector.complete && !collector.isWhole?.()) {
      throw new CutAnswer('the stream ended, and said neither why nor that it was the end', collector.written);
    }
    return collector.whole();
  }
}

/** What is not asked for, some gateways do all the same. Each piece is given on as it comes, also where the packing goes on. */
const UNPACKERS: Record<string, () => Duplex> = {
  gzip: () => createGunzip({ flush: constants.Z_SYNC_FLUSH }),
  'x-gzip': () => createGunzip({ flush: constants.Z_SYNC_FLUSH }),
  deflate: () => createInflate({ flush: constants.Z_SYNC_FLUSH }),
  br: () => createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH }),
  zstd: () => createZstdDecompress(),
};

function unpacked(body: Dispatcher.ResponseData['body'], encoding = 'identity'): AsyncIterable<Buffer> {
  const unpacker = UNPACKERS[encoding.trim().toLowerCase()]?.();
  // What fails on either side ends the reading of the other.
  return unpacker ? pipeline(body, unpacker, () => undefined) : body;
}

function bodyOf(text: string): unknown {
  const value = parsedJson(text);
  return typeof value === 'object' && value !== null ? value : text;
}

function plainHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) => {
    const one = Array.isArray(value) ? value[0] : value;
    return one === undefined ? [] : [[name.toLowerCase(), one] as const];
  });
  return Object.fromEntries(entries);
}
