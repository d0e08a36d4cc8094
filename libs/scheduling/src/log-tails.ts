/** Follows the logs of all shards into `OpenWork`, from each one's snapshot on. */
import { emptyShard, pause, type Clock, type ShardLog, type ShardState } from '@cadre/engine';
import type { OpenWork } from './open-work.js';

export interface TailReports {
  caughtUp(shard: number, seq: number, ms: number): void;
  failed(shard: number, error: unknown): void;
}

const RETRY_MS = 250;

export class LogTails {
  /** Shards that have reached the end of their log as it was when they began. */
  readonly #caughtUp = new Set<number>();

  constructor(
    private readonly logs: readonly ShardLog[],
    private readonly work: OpenWork,
    private readonly clock: Clock,
    private readonly reports: TailReports,
    private readonly onChange: () => void,
  ) {}

  /** While a shard is being read anew its work is only half known; nothing may be concluded then. */
  get complete(): boolean {
    return this.#caughtUp.size === this.logs.length;
  }

  /** Follows until the signal aborts. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all(this.logs.map((log) => this.#followOne(log, signal)));
  }

  async #followOne(log: ShardLog, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#followOnce(log, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.reports.failed(log.shard, error);
      }
      this.#caughtUp.delete(log.shard);
      await pause(this.clock, RETRY_MS, signal);
    }
  }

  async #followOnce(log: ShardLog, signal: AbortSignal): Promise<void> {
    const began = this.clock.now();
    const end = await log.lastSeq();
    const snapshot = await log.loadSnapshot();
    const from = snapshot?.seq ?? 0;
    this.work.reset(log.shard, (snapshot?.state as unknown as ShardState | undefined) ?? emptyShard(), this.clock.now());
    const arrive = (seq: number) => {
      if (seq < end || this.#caughtUp.has(log.shard)) return;
      this.#caughtUp.add(log.shard);
      this.reports.caughtUp(log.shard, seq, this.clock.now() - began);
    };
    arrive(from);
    for await (const { seq, block } of log.tail(from, signal)) {
      this.work.apply(block, this.clock.now());
      arrive(seq);
      if (block.commits.length > 0) this.onChange();
    }
  }
}
