/** The log of a shard in memory, held to the same contract as the real one. Blocks are kept as JSON, so that nobody shares objects. */
import { BLOCK_LIMITS, type Block } from '@cadre/contracts';
import type { AppendOutcome, LogSnapshot, ShardLog, StoredBlock } from '@cadre/engine';
import { decodeBlock, encodeBlock } from '../block-codec.js';
import { logTrimmed, trimUnsafe } from '../errors.js';

const MAX_BLOCK_BYTES = 1024 * 1023;

/** What several `MemoryShardLog`s share, as owners of one shard share a stream. */
export class MemoryLogStore {
  readonly blocks = new Map<number, { id: string; bytes: Uint8Array }>();
  readonly seqOfId = new Map<string, number>();
  readonly waiting = new Set<() => void>();
  lastSeq = 0;
  firstSeq = 1;
  snapshot: string | undefined;

  put(id: string, bytes: Uint8Array): number {
    this.lastSeq += 1;
    this.blocks.set(this.lastSeq, { id, bytes });
    this.seqOfId.set(id, this.lastSeq);
    for (const wake of this.waiting) wake();
    return this.lastSeq;
  }
}

export class MemoryShardLog implements ShardLog {
  readonly shard: number;
  readonly #store: MemoryLogStore;
  #inFlight: { expectedSeq: number; outcome: Promise<AppendOutcome> }[] = [];

  /** @param store the same one for a second owner of the shard */
  constructor(shard: number, store = new MemoryLogStore()) {
    this.shard = shard;
    this.#store = store;
  }

  async lastSeq(): Promise<number> {
    return this.#store.lastSeq;
  }

  async append(block: Block, expectedSeq: number, json?: string): Promise<AppendOutcome> {
    if (block.shard !== this.shard) throw new TypeError(`a block of shard ${block.shard} does not belong into the log of ${this.shard}`);
    if (this.#inFlight.length >= BLOCK_LIMITS.inFlight) throw new TypeError(`at most ${BLOCK_LIMITS.inFlight} appends at once`);
    const bytes = encodeBlock(block, MAX_BLOCK_BYTES, json);
    const before = this.#inFlight.find((other) => other.expectedSeq === expectedSeq - 1);
    const entry = { expectedSeq, outcome: this.#storeAfter(before?.outcome, block.id, bytes, expectedSeq) };
    this.#inFlight.push(entry);
    return entry.outcome.finally(() => {
      this.#inFlight = this.#inFlight.filter((other) => other !== entry);
    });
  }

  read(afterSeq: number): AsyncIterable<StoredBlock> {
    return this.#readTo(afterSeq + 1, this.#store.lastSeq);
  }

  async *tail(afterSeq: number, signal: AbortSignal): AsyncGenerator<StoredBlock, void, undefined> {
    for (let next = afterSeq + 1; !signal.aborted;) {
      this.#checkStart(next);
      if (next > this.#store.lastSeq) {
        await this.#news(signal);
        continue;
      }
      yield this.#blockAt(next);
      next += 1;
    }
  }

  async loadSnapshot(): Promise<LogSnapshot | undefined> {
    return this.#store.snapshot === undefined ? undefined : (JSON.parse(this.#store.snapshot) as LogSnapshot);
  }

  async saveSnapshot(snapshot: LogSnapshot): Promise<void> {
    if (((await this.loadSnapshot())?.seq ?? 0) < snapshot.seq) this.#store.snapshot = JSON.stringify(snapshot);
  }

  async trim(uptoSeq: number): Promise<void> {
    const saved = (await this.loadSnapshot())?.seq ?? 0;
    if (uptoSeq > saved) throw trimUnsafe(this.shard, uptoSeq, saved);
    for (; this.#store.firstSeq <= uptoSeq; this.#store.firstSeq += 1) this.#store.blocks.delete(this.#store.firstSeq);
  }

  async #storeAfter(
    before: Promise<AppendOutcome> | undefined,
    id: string,
    bytes: Uint8Array,
    expectedSeq: number,
  ): Promise<AppendOutcome> {
    const earlier = await before; // also without one: as on a network, a block is stored some time after the call
    if (earlier?.stored === false) return earlier;
    const already = this.#store.seqOfId.get(id);
    if (already !== undefined) return { stored: true, seq: already };
    return expectedSeq === this.#store.lastSeq ? { stored: true, seq: this.#store.put(id, bytes) } : { stored: false, reason: 'fenced' };
  }

  async *#readTo(from: number, to: number): AsyncGenerator<StoredBlock, void, undefined> {
    for (let next = from; next <= to; next += 1) {
      this.#checkStart(next);
      yield this.#blockAt(next);
    }
  }

  #checkStart(next: number): void {
    if (next < this.#store.firstSeq) throw logTrimmed(this.shard, next, this.#store.firstSeq);
  }

  #blockAt(seq: number): StoredBlock {
    return { seq, block: decodeBlock(this.shard, seq, this.#store.blocks.get(seq)!.bytes) };
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#store.waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#store.waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }
}
