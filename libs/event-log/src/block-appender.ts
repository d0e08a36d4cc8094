/**
 * Appends blocks, each exactly once. The fence is the stream's sequence: a block says after which number it comes. Two traps:
 * - A number says where, not after what. Were two blocks on the wire at once and another owner's claim took the first one's place, the
 *   second one's number would fit again and it would be stored without the first. So a block leaves only when the one before is
 *   known to be stored; meanwhile it waits here, encoded. With one replica no loss of throughput could be measured. (Naming the last
 *   message's id instead is no way out: nats-server 2.15 checks it only when a replicated entry is applied, and a mismatch there left
 *   a stream of three replicas without a leader.)
 * - An answer may get lost, and a message sent again may meet its own first copy. So whatever is not a clear yes is settled by
 *   looking at the very place where the block would be.
 */
import { BLOCK_LIMITS, HEADERS, CadreError, STREAMS, SUBJECTS, type Block } from '@cadre/contracts';
import type { AppendOutcome } from '@cadre/engine';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { encodeBlock } from './block-codec.js';
import { backoffMs, pause, type ConnectionState } from './connection.js';
import { logRefused, logUnavailable } from './errors.js';
import { isConflict, StreamPublisher, type PublishReply } from './stream-publisher.js';

const FENCED: AppendOutcome = { stored: false, reason: 'fenced' };
const ENVELOPE_BYTES = 1024;
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;

export interface AppendTiming {
  /** After this long without an answer the server is asked what happened. */
  ackTimeoutMs: number;
  /** After this long without knowing what happened the append fails with `log-unavailable`. */
  settleMs: number;
}

interface Draft {
  id: string;
  expectedSeq: number;
  bytes: Uint8Array;
  claimedBy: string | undefined;
}

interface InFlight {
  draft: Draft;
  outcome: Promise<AppendOutcome>;
}

export class BlockAppender {
  readonly #nats: NatsConnection;
  readonly #streams: JetStreamManager['streams'];
  readonly #shard: number;
  readonly #timing: AppendTiming;
  readonly #publisher: StreamPublisher;
  readonly #connection: ConnectionState;
  #inFlight: InFlight[] = [];

  constructor(
    nats: NatsConnection,
    connection: ConnectionState,
    streams: JetStreamManager['streams'],
    shard: number,
    timing: AppendTiming,
  ) {
    this.#nats = nats;
    this.#connection = connection;
    this.#streams = streams;
    this.#shard = shard;
    this.#timing = timing;
    this.#publisher = new StreamPublisher(nats, timing.ackTimeoutMs);
  }

  /** See `ShardLog.append`. */
  async append(block: Block, expectedSeq: number, json?: string): Promise<AppendOutcome> {
    if (block.shard !== this.#shard) throw new TypeError(`a block of shard ${block.shard} does not belong into the log of ${this.#shard}`);
    if (this.#inFlight.length >= BLOCK_LIMITS.inFlight) throw new TypeError(`at most ${BLOCK_LIMITS.inFlight} appends at once`);
    const maxBytes = (this.#nats.info?.max_payload ?? DEFAULT_MAX_PAYLOAD) - ENVELOPE_BYTES;
    const bytes = encodeBlock(block, maxBytes, json);
    const draft: Draft = { id: block.id, expectedSeq, bytes, claimedBy: block.kind === 'claim' ? block.owner : undefined };
    const before = this.#inFlight.find((other) => other.draft.expectedSeq === expectedSeq - 1);
    const entry: InFlight = { draft, outcome: this.#store(draft, before) };
    this.#inFlight.push(entry);
    return entry.outcome.finally(() => {
      this.#inFlight = this.#inFlight.filter((other) => other !== entry);
    });
  }

  close(): void {
    this.#publisher.close();
  }

  async #store(draft: Draft, before: InFlight | undefined): Promise<AppendOutcome> {
    // If the block before is fenced, so is this one; if nobody knows what became of it, the same error is the answer here.
    if (before !== undefined && !(await before.outcome).stored) return FENCED;
    const until = performance.now() + this.#timing.settleMs;
    for (let tries = 0; ; tries += 1) {
      const reply = await this.#send(draft);
      if (reply.kind === 'stored') return { stored: true, seq: reply.seq };
      const place = await this.#lookAt(draft, until);
      if (place === 'ours') return { stored: true, seq: draft.expectedSeq + 1 };
      if (place === 'taken') return FENCED;
      if (reply.kind === 'refused' && !isConflict(reply)) throw logRefused(this.#shard, reply.code, reply.description);
      if (performance.now() > until) throw logUnavailable(this.#shard, new Error(describe(reply)));
      await pause(backoffMs(tries));
    }
  }

  #send(draft: Draft): Promise<PublishReply> {
    const headers: [string, string][] = [
      [HEADERS.blockId, draft.id],
      [HEADERS.messageId, draft.id],
      [HEADERS.expectedLastSequence, String(draft.expectedSeq)],
    ];
    if (draft.claimedBy !== undefined) headers.push([HEADERS.claim, draft.claimedBy]);
    return this.#publisher.send(SUBJECTS.log(this.#shard), draft.bytes, headers);
  }

  /** Asks the stream's leader what is in the draft's place; replicas might not know yet. */
  async #lookAt(draft: Draft, until: number): Promise<'ours' | 'taken' | 'free'> {
    const stream = STREAMS.log(this.#shard);
    const seq = draft.expectedSeq + 1;
    let seenPast = false;
    for (let tries = 0; ; tries += 1) {
      await this.#connection.whenUp(until - performance.now());
      try {
        const there = await this.#connection.whileUp(this.#streams.getMessage(stream, { seq }));
        if (there) return there.header.get(HEADERS.blockId) === draft.id ? 'ours' : 'taken';
        const { last_seq: last } = (await this.#connection.whileUp(this.#streams.info(stream))).state;
        if (last === draft.expectedSeq) return 'free';
        // Behind: the caller knows of blocks that this log does not have. Past: stored between the two questions, or trimmed since.
        if (last < draft.expectedSeq || seenPast) return 'taken';
        seenPast = true;
      } catch (cause) {
        if (cause instanceof CadreError) throw cause;
        if (performance.now() > until || this.#nats.isClosed()) throw logUnavailable(this.#shard, cause);
        await pause(backoffMs(tries));
      }
    }
  }
}

function describe(reply: PublishReply): string {
  return reply.kind === 'unknown' ? `no answer (${reply.reason})` : `answer ${JSON.stringify(reply)}`;
}
