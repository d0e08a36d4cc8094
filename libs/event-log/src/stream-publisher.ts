/**
 * Publishes to streams and says what became of each message: stored, refused, or unknown. The client's own publish makes an inbox
 * entry, a timer and a stack trace per message; here one inbox and one sweep serve all, which halves the client's CPU time. Nothing is
 * ever sent again from here: only the caller knows how to find out whether a message with a lost acknowledgement is there.
 */
import type { MsgHdrs, NatsConnection, Subscription } from '@nats-io/transport-node';
import { freshInbox, watchConnection } from './connection.js';

export type PublishReply =
  | { kind: 'stored'; seq: number; duplicate: boolean }
  /** The server's answer: certainly not stored by this message. `code` is JetStream's error code. */
  | { kind: 'refused'; code: number; description: string }
  /** No answer: it may be stored, or still become stored. */
  | { kind: 'unknown'; reason: 'timeout' | 'no-responders' | 'disconnected' | 'closed' };

/** JetStream's codes for: another last sequence; the same while a proposal is under way; a message of that id is just being stored. */
const CONFLICTS: ReadonlySet<number> = new Set([10071, 10164, 10158]);

/** Lets a message go after a time. The server counts whole seconds, at least one. */
export function ttlHeader(ms: number): [string, string] {
  return ['Nats-TTL', `${Math.max(1, Math.ceil(ms / 1000))}s`];
}

export function isConflict(reply: PublishReply): boolean {
  return reply.kind === 'refused' && CONFLICTS.has(reply.code);
}

interface Waiting {
  resolve: (reply: PublishReply) => void;
  until: number;
}

export class StreamPublisher {
  readonly #nats: NatsConnection;
  readonly #ackTimeoutMs: number;
  readonly #prefix: string;
  readonly #inbox: Subscription;
  readonly #unwatch: () => void;
  readonly #waiting = new Map<string, Waiting>();
  #lastToken = 0;
  #sweep: NodeJS.Timeout | undefined;

  /** @param ackTimeoutMs how long to wait for an answer before it counts as unknown, in milliseconds */
  constructor(nats: NatsConnection, ackTimeoutMs: number) {
    this.#nats = nats;
    this.#ackTimeoutMs = ackTimeoutMs;
    this.#prefix = `${freshInbox(nats)}.`;
    this.#inbox = nats.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (error) return this.#answerAll('closed');
        this.#answer(message.subject.slice(this.#prefix.length), message.data, message.headers);
      },
    });
    this.#unwatch = watchConnection(nats, (type) => {
      if (type === 'disconnect') this.#answerAll('disconnected');
      if (type === 'close') this.#answerAll('closed');
    });
  }

  /**
   * The message is on its way when this returns, before the promise settles; the promise never rejects for reasons of the network.
   * @param headers name and value pairs without line breaks
   */
  send(subject: string, payload: Uint8Array, headers: readonly (readonly [string, string])[]): Promise<PublishReply> {
    this.#lastToken += 1;
    const token = this.#lastToken.toString(36);
    if (this.#nats.isClosed() || this.#nats.isDraining()) return Promise.resolve({ kind: 'unknown', reason: 'closed' });
    this.#nats.publish(subject, payload, { reply: this.#prefix + token, headers: encodedHeaders(headers) });
    return new Promise((resolve) => {
      this.#waiting.set(token, { resolve, until: performance.now() + this.#ackTimeoutMs });
      this.#sweep ??= setInterval(() => this.#expire(), Math.max(10, this.#ackTimeoutMs / 4));
    });
  }

  close(): void {
    this.#unwatch();
    if (!this.#nats.isClosed()) this.#inbox.unsubscribe();
    this.#answerAll('closed');
  }

  #answer(token: string, data: Uint8Array, headers: MsgHdrs | undefined): void {
    const waiting = this.#waiting.get(token);
    if (waiting === undefined) return; // too late: it already counts as unknown
    this.#waiting.delete(token);
    this.#rest();
    waiting.resolve(data.length === 0 && headers?.code === 503 ? { kind: 'unknown', reason: 'no-responders' } : parseAnswer(data));
  }

  #answerAll(reason: 'disconnected' | 'closed'): void {
    for (const [token, waiting] of this.#waiting) {
      this.#waiting.delete(token);
      waiting.resolve({ kind: 'unknown', reason });
    }
    this.#rest();
  }

  #expire(): void {
    const now = performance.now();
    for (const [token, waiting] of this.#waiting) {
      if (waiting.until > now) continue;
      this.#waiting.delete(token);
      waiting.resolve({ kind: 'unknown', reason: 'timeout' });
    }
    this.#rest();
  }

  #rest(): void {
    if (this.#waiting.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}

/** The connection only asks headers for their encoding, so it is made here in one go. */
function encodedHeaders(headers: readonly (readonly [string, string])[]): MsgHdrs {
  let text = 'NATS/1.0\r\n';
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  const bytes = Buffer.from(`${text}\r\n`, 'latin1');
  return { encode: () => bytes } as unknown as MsgHdrs;
}

function parseAnswer(data: Uint8Array): PublishReply {
  try {
    const answer = JSON.parse(new TextDecoder().decode(data)) as {
      seq?: number;
      duplicate?: boolean;
      error?: { err_code?: number; description?: string };
    };
    if (answer.error)
      return { kind: 'refused', code: answer.error.err_code ?? 0, description: answer.error.description ?? 'no reason given' };
    if (typeof answer.seq === 'number') return { kind: 'stored', seq: answer.seq, duplicate: answer.duplicate === true };
  } catch {
    // Falls through: an answer that nobody can read settles nothing.
  }
  return { kind: 'unknown', reason: 'timeout' };
}
