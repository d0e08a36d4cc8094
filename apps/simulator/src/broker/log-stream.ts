/** The stream of one shard and its snapshot, as the broker has them. */
import type { Block, Json } from '@cadre/contracts';
import type { StoredBlock } from '@cadre/engine';

export type AppendReply = { kind: 'stored'; seq: number } | { kind: 'conflict' };

export class LogStream {
  firstSeq = 1;
  lastSeq = 0;
  /** Seen by whoever watches, before anybody else. */
  onStored: (seq: number, block: Block) => void = () => undefined;
  /** Sees each snapshot that replaces the one before. */
  onSnapshot: (seq: number, json: string) => void = () => undefined;
  readonly #blocks = new Map<number, StoredBlock>();
  readonly #tails = new Set<(stored: StoredBlock) => void>();
  #snapshot: { seq: number; json: string } | undefined;

  constructor(readonly shard: number) {}

  append(json: string, expectedSeq: number): AppendReply {
    if (expectedSeq !== this.lastSeq) return { kind: 'conflict' };
    this.lastSeq += 1;
    // Nobody shares objects with the writer, as on a wire.
    const stored = { seq: this.lastSeq, block: JSON.parse(json) as Block };
    this.#blocks.set(this.lastSeq, stored);
    this.onStored(stored.seq, stored.block);
    for (const hear of this.#tails) hear(stored);
    return { kind: 'stored', seq: stored.seq };
  }

  at(seq: number): StoredBlock | undefined {
    return this.#blocks.get(seq);
  }

  /** At most so many blocks from a sequence on. */
  slice(fromSeq: number, most: number): { firstSeq: number; lastSeq: number; blocks: StoredBlock[] } {
    const blocks: StoredBlock[] = [];
    for (let seq = Math.max(fromSeq, this.firstSeq); seq <= this.lastSeq && blocks.length < most; seq += 1)
      blocks.push(this.#blocks.get(seq)!);
    return { firstSeq: this.firstSeq, lastSeq: this.lastSeq, blocks };
  }

  follow(hear: (stored: StoredBlock) => void): () => void {
    this.#tails.add(hear);
    return () => this.#tails.delete(hear);
  }

  get snapshotSeq(): number {
    return this.#snapshot?.seq ?? 0;
  }

  loadSnapshot(): { seq: number; state: Json } | undefined {
    return this.#snapshot && { seq: this.#snapshot.seq, state: JSON.parse(this.#snapshot.json) as Json };
  }

  /** Only a newer one replaces the one that is there. */
  saveSnapshot(seq: number, json: string): void {
    if (seq <= this.snapshotSeq) return;
    this.#snapshot = { seq, json };
    this.onSnapshot(seq, json);
  }

  /** @param notPast the snapshot @returns false when it would leave a gap behind it */
  trim(uptoSeq: number, notPast = this.snapshotSeq): boolean {
    if (uptoSeq > notPast) return false;
    for (; this.firstSeq <= uptoSeq; this.firstSeq += 1) this.#blocks.delete(this.firstSeq);
    return true;
  }
}
