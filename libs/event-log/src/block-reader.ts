/** Turns deliveries, which may break off at any time, into blocks without gap and repeat. */
import { CadreError, STREAMS } from '@cadre/contracts';
import type { StoredBlock } from '@cadre/engine';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { decodeBlock } from './block-codec.js';
import { backoffMs, pause, type ConnectionState } from './connection.js';
import { logCorrupt, logMissing, logTrimmed, logUnavailable } from './errors.js';
import { isStreamMissing, StreamReader, type Delivery } from './stream-reader.js';

export class BlockReader {
  readonly #nats: NatsConnection;
  readonly #connection: ConnectionState;
  readonly #jsm: JetStreamManager;
  readonly #shard: number;
  readonly #stream: string;
  readonly #reader: StreamReader;
  readonly #settleMs: number;

  /** @param settleMs how long a bounded read may be without progress before it fails with `log-unavailable` */
  constructor(nats: NatsConnection, connection: ConnectionState, jsm: JetStreamManager, shard: number, settleMs: number) {
    this.#nats = nats;
    this.#connection = connection;
    this.#jsm = jsm;
    this.#shard = shard;
    this.#stream = STREAMS.log(shard);
    this.#reader = new StreamReader(nats, connection, jsm, this.#stream);
    this.#settleMs = settleMs;
  }

  async lastSeq(): Promise<number> {
    return (await this.#bounds()).last;
  }

  async firstSeq(): Promise<number> {
    return (await this.#bounds()).first;
  }

  /** See `ShardLog.read`. The end is asked for at once, not at the first step of the iteration. */
  read(afterSeq: number): AsyncGenerator<StoredBlock, void, undefined> {
    const last = this.lastSeq();
    last.catch(() => undefined); // reported by the iteration, if there is one
    return this.#readTo(afterSeq, last);
  }

  /** See `ShardLog.tail`. */
  tail(afterSeq: number, signal: AbortSignal): AsyncGenerator<StoredBlock, void, undefined> {
    return this.#follow(afterSeq + 1, Number.MAX_SAFE_INTEGER, signal);
  }

  async *#readTo(afterSeq: number, last: Promise<number>): AsyncGenerator<StoredBlock, void, undefined> {
    yield* this.#follow(afterSeq + 1, await last, undefined);
  }

  async *#follow(from: number, to: number, signal: AbortSignal | undefined): AsyncGenerator<StoredBlock, void, undefined> {
    let next = from;
    let suspect = 0;
    let failures = 0;
    let progressAt = performance.now();
    while (next <= to && !signal?.aborted) {
      let problem: unknown;
      let delivery: Delivery | undefined;
      await this.#connection.whenUp(this.#settleMs, signal);
      try {
        const { first, last } = await this.#bounds();
        if (first > next) throw logTrimmed(this.#shard, next, first);
        // Almost never needed, but a block that somebody deleted would else be asked for again and again.
        if (suspect === next && next <= last) await this.#checkThere(next);
        suspect = next;
        delivery = await this.#reader.deliver(next, signal);
        for (;;) {
          const delivered = delivery.take() ?? (await delivery.wait());
          // A hole: the check at the start of the next round says whether it was trimmed.
          if (delivered?.seq !== next) break;
          yield { seq: next, block: decodeBlock(this.#shard, next, delivered.data) };
          next += 1;
          failures = 0;
          progressAt = performance.now();
          if (next > to) return;
        }
      } catch (error) {
        if (error instanceof CadreError && !error.retriable) throw error;
        problem = error;
      } finally {
        delivery?.close();
      }
      if (this.#nats.isClosed()) throw logUnavailable(this.#shard, problem ?? new Error('the connection is closed'));
      if (signal === undefined && performance.now() - progressAt > this.#settleMs) throw logUnavailable(this.#shard, problem);
      if (failures > 0 && !signal?.aborted) await pause(backoffMs(failures), signal);
      failures += 1;
    }
  }

  async #checkThere(seq: number): Promise<void> {
    if ((await this.#jsm.streams.getMessage(this.#stream, { seq })) === null) throw logCorrupt(this.#shard, seq, 'it was deleted');
  }

  async #bounds(): Promise<{ first: number; last: number }> {
    try {
      return await this.#reader.bounds();
    } catch (cause) {
      if (isStreamMissing(cause)) throw logMissing(this.#stream, cause);
      throw logUnavailable(this.#shard, cause);
    }
  }
}
