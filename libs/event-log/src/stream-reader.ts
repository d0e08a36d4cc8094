/**
 * Reads one stream in order through short-lived consumers without acknowledgements. nats.js has an ordered consumer as well, but it
 * notices a lost consumer only by missing heartbeats, stalls silently in some cases, and does not know that trimming makes a hole
 * that must be reported. Here a consumer is thrown away at the first doubt and the next one starts at the number after the last one
 * delivered, so there is one way of recovery and it is used all the time.
 */
import { AckPolicy, DeliverPolicy, JetStreamApiCodes, JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { nanos, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { freshInbox, watchConnection, type ConnectionState } from './connection.js';

export interface Delivered {
  seq: number;
  data: Uint8Array;
}

const BATCH = 512;
const BATCH_BYTES = 4 * 1024 * 1024;
/** More is asked for when no more than this many are asked for or unread. */
const LOW_WATER = 256;
const EXPIRES_MS = 20_000;
const HEARTBEAT_MS = 1000;
/** Without any sign of life for this long the consumer counts as lost. */
const SILENCE_MS = 3000;

export class StreamReader {
  readonly #nats: NatsConnection;
  readonly #connection: ConnectionState;
  readonly #jsm: JetStreamManager;
  readonly #stream: string;

  constructor(nats: NatsConnection, connection: ConnectionState, jsm: JetStreamManager, stream: string) {
    this.#nats = nats;
    this.#connection = connection;
    this.#jsm = jsm;
    this.#stream = stream;
  }

  /** First and last sequence; `first` is `last + 1` when nothing is stored any more. */
  async bounds(): Promise<{ first: number; last: number }> {
    const { first_seq: first, last_seq: last } = (await this.#connection.whileUp(this.#jsm.streams.info(this.#stream))).state;
    return { first: Math.max(first, 1), last };
  }

  /** Messages from `startSeq` on, through one consumer. Must be closed. Rejects when the consumer cannot be created. */
  async deliver(startSeq: number, signal?: AbortSignal): Promise<Delivery> {
    const adding = this.#jsm.consumers.add(this.#stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: startSeq,
      inactive_threshold: nanos(60_000),
      mem_storage: true,
      num_replicas: 1,
    });
    const consumer = await this.#connection.whileUp(adding);
    return new Delivery(this.#nats, `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${consumer.name}`, signal, () => {
      // An unused consumer also goes by itself after its inactivity threshold.
      if (!this.#nats.isClosed()) void this.#jsm.consumers.delete(this.#stream, consumer.name).catch(() => undefined);
    });
  }
}

/** The messages of one consumer as they arrive. Ends without an error as soon as the consumer is in doubt or the signal aborts. */
export class Delivery {
  readonly #nats: NatsConnection;
  readonly #subject: string;
  readonly #inbox: string;
  readonly #signal: AbortSignal | undefined;
  readonly #close: () => void;
  #queue: Delivered[] = [];
  #head = 0;
  #pull = 0;
  /** Messages that were asked for and are still to come. */
  #outstanding = 0;
  #ended = false;
  #heardAt = performance.now();
  #wake: (() => void) | undefined;

  constructor(nats: NatsConnection, subject: string, signal: AbortSignal | undefined, onClose: () => void) {
    this.#nats = nats;
    this.#subject = subject;
    this.#inbox = freshInbox(nats);
    this.#signal = signal;
    const subscription = nats.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => (error ? this.#end() : this.#receive(message)),
    });
    const unwatch = watchConnection(nats, (type) => {
      if (type === 'disconnect' || type === 'close') this.#end();
    });
    const watchdog = setInterval(() => {
      if (this.#outstanding > 0 && performance.now() - this.#heardAt > SILENCE_MS) this.#end();
    }, 500);
    const onAbort = (): void => this.#end();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#close = () => {
      clearInterval(watchdog);
      unwatch();
      signal?.removeEventListener('abort', onAbort);
      if (!nats.isClosed()) subscription.unsubscribe();
      onClose();
    };
    this.#askForMore();
  }

  /** The next message, if one is here. Nothing is handed out after an abort. */
  take(): Delivered | undefined {
    if (this.#signal?.aborted) return undefined;
    const next = this.#queue[this.#head];
    if (next === undefined) return undefined;
    this.#head += 1;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
    this.#askForMore();
    return next;
  }

  /** Waits for the next message; undefined at the end. */
  async wait(): Promise<Delivered | undefined> {
    for (;;) {
      const next = this.take();
      if (next !== undefined) return next;
      if (this.#ended || this.#signal?.aborted) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#ended = true;
    this.#close();
  }

  #askForMore(): void {
    if (this.#ended || this.#outstanding + this.#queue.length - this.#head > LOW_WATER || this.#nats.isClosed()) return;
    this.#pull += 1;
    if (this.#outstanding === 0) this.#heardAt = performance.now();
    this.#outstanding += BATCH;
    const request = { batch: BATCH, max_bytes: BATCH_BYTES, expires: nanos(EXPIRES_MS), idle_heartbeat: nanos(HEARTBEAT_MS) };
    this.#nats.publish(this.#subject, JSON.stringify(request), { reply: `${this.#inbox}.${this.#pull}` });
  }

  #receive(message: Msg): void {
    this.#heardAt = performance.now();
    if (message.subject.startsWith(this.#inbox)) return this.#receiveStatus(message);
    this.#queue.push({ seq: streamSequence(message.reply ?? ''), data: message.data });
    this.#outstanding = Math.max(0, this.#outstanding - 1);
    this.#rouse();
  }

  #receiveStatus(message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code === 100) return; // a heartbeat
    const text = message.headers?.description.toLowerCase() ?? '';
    const pullIsOver = code === 404 || code === 408 || (code === 409 && (text.includes('max') || text.includes('batch')));
    if (!pullIsOver) return this.#end();
    // Should this count ever go wrong, so that nothing is asked for, the watchdog ends the delivery.
    const unfulfilled = Number(message.headers?.get('Nats-Pending-Messages'));
    this.#outstanding = Math.max(0, this.#outstanding - (unfulfilled || 0));
    this.#askForMore();
  }

  #end(): void {
    this.#ended = true;
    this.#rouse();
  }

  #rouse(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** From `$JS.ACK.<stream>.<consumer>.<count>.<seq>.…` or the longer form with domain and account. */
function streamSequence(reply: string): number {
  const tokens = reply.split('.');
  return Number(tokens.length === 9 ? tokens[5] : tokens[7]);
}

export function isStreamMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}
