/**
 * Follows one shard's log into the history and the feed: tail from the stored position, publish, write with the new position. Whatever
 * fails is tried again from the stored position; a block is written exactly once, an event published at least once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CadreError } from '@cadre/contracts';
import type { ShardLog, ShardState, StoredBlock } from '@cadre/engine';
import type { ApplyOutcome, FoldedCommit, HistoryStore } from '@cadre/history';
import { inBatches } from './in-batches.js';

/** What a follower tells about itself; the service turns it into logs and metrics. */
export interface FollowerReports {
  applied(shard: number, outcome: ApplyOutcome): void;
  /** The log no longer reached back to the position; the snapshot took its place. */
  rebuilt(shard: number, from: number, to: number): void;
  failed(shard: number, error: unknown, nextTryMs: number): void;
}

export interface FollowerSurroundings {
  log: ShardLog;
  store: HistoryStore;
  publish: (folded: readonly FoldedCommit[]) => Promise<unknown>;
}

/** Commits taken at once at most: bounds a transaction and the memory held. */
const BATCH_COMMITS = 1000;
/** Followers this close to the log's end count as caught up. */
const NEAR_BLOCKS = 50;
const RETRY = { firstMs: 100, mostMs: 5000 };

export class ShardFollower {
  /** The last block folded; undefined before the first look. */
  position: number | undefined;
  /** The log's last block as of the last look. */
  lastSeq: number | undefined;
  #caughtUp = false;
  #problem: string | undefined;

  constructor(
    private readonly around: FollowerSurroundings,
    private readonly reports: FollowerReports,
  ) {}

  get shard(): number {
    return this.around.log.shard;
  }

  /** Blocks behind the log's end, as of the last look; undefined while nobody has looked. */
  get lag(): number | undefined {
    return this.position === undefined || this.lastSeq === undefined ? undefined : Math.max(0, this.lastSeq - this.position);
  }

  /** Ready once it has been near the end of the log; a later failure shows in the detail. */
  get health(): { ok: boolean; detail: string } {
    if (this.#problem !== undefined) return { ok: this.#caughtUp, detail: this.#problem };
    if (this.#caughtUp) return { ok: true, detail: `at block ${this.position ?? 0}` };
    return { ok: false, detail: `catching up: block ${this.position ?? 0} of ${this.lastSeq ?? '?'}` };
  }

  /** Follows until the signal aborts. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    let pauseMs = RETRY.firstMs;
    while (!signal.aborted) {
      const began = this.position;
      try {
        await this.#followOnce(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof CadreError && error.code === 'log-trimmed' && (await this.#rebuilt())) continue;
        pauseMs = this.position === began ? Math.min(RETRY.mostMs, pauseMs * 2) : RETRY.firstMs;
        this.#problem = error instanceof Error ? error.message : String(error);
        this.reports.failed(this.shard, error, pauseMs);
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Asks how long the log is. Does not reject: while the log does not answer, the last value stays. */
  async look(): Promise<void> {
    this.lastSeq = await this.around.log.lastSeq().catch(() => this.lastSeq);
    this.#noteProgress();
  }

  async #followOnce(signal: AbortSignal): Promise<void> {
    const { log, store, publish } = this.around;
    const from = await store.position(this.shard);
    const lastSeq = await log.lastSeq();
    if (from > lastSeq) throw foreignLog(this.shard, from, lastSeq);
    this.position = from;
    this.lastSeq = lastSeq;
    this.#noteProgress();
    const open = (left: AbortSignal) => log.tail(from, AbortSignal.any([signal, left]));
    const weigh = ({ block }: StoredBlock) => Math.max(1, block.commits.length);
    for await (const blocks of inBatches(open, BATCH_COMMITS, weigh)) {
      const outcome = await store.apply(this.shard, blocks, async (folded) => void (await publish(folded)));
      this.position = outcome.position;
      this.#problem = undefined;
      this.#noteProgress();
      this.reports.applied(this.shard, outcome);
    }
  }

  #noteProgress(): void {
    if (this.position !== undefined && this.lastSeq !== undefined && this.position >= this.lastSeq - NEAR_BLOCKS) this.#caughtUp = true;
  }

  async #rebuilt(): Promise<boolean> {
    try {
      const snapshot = await this.around.log.loadSnapshot();
      const from = await this.around.store.position(this.shard);
      if (snapshot === undefined || snapshot.seq <= from) return false;
      await this.around.store.rebuild(this.shard, snapshot.seq, snapshot.state as unknown as ShardState);
      this.reports.rebuilt(this.shard, from, snapshot.seq);
      return true;
    } catch (error) {
      this.reports.failed(this.shard, error, 0);
      return false;
    }
  }
}

function foreignLog(shard: number, position: number, lastSeq: number): CadreError {
  return new CadreError('history-ahead', `the history has folded ${position} blocks of shard ${shard}, but the log has only ${lastSeq}`, {
    remedy: "the log was replaced: give the monitor an empty history (folder or database), or bring back the log's data",
  });
}
