/** One term as the folding monitor: follows every shard with one store until it is told to end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lease, ShardLog } from '@cadre/engine';
import type { HistoryStore } from '@cadre/history';
import { FeedPublisher } from './feed-publisher.js';
import type { RunMetrics } from './run-metrics.js';
import { ShardFollower, type FollowerReports } from './shard-follower.js';
import type { WorkerRoll } from './worker-roll.js';

export interface TermSurroundings {
  lease: Lease;
  store: HistoryStore;
  logs: readonly ShardLog[];
  feed: FeedPublisher;
  runMetrics: RunMetrics;
  roll: WorkerRoll;
  reports: FollowerReports;
}

const LOOK_EVERY_MS = 2000;

export class MonitorTerm {
  readonly followers: ShardFollower[];

  constructor(private readonly around: TermSurroundings) {
    const { store, feed, logs, reports } = around;
    this.followers = logs.map((log) => new ShardFollower({ log, store, publish: (folded) => feed.publish(folded) }, reports));
  }

  /** Works until the lease is lost or the signal aborts; on return nothing of it writes any more. */
  async serve(signal: AbortSignal): Promise<void> {
    const end = AbortSignal.any([signal, this.around.lease.lost]);
    await Promise.all([...this.followers.map((follower) => follower.follow(end)), this.#lookAround(end)]);
  }

  async #lookAround(end: AbortSignal): Promise<void> {
    const { store, roll, runMetrics } = this.around;
    while (!end.aborted) {
      await Promise.all(this.followers.map((follower) => follower.look()));
      // Only figures: the next look tries again.
      await store.openRuns().then(
        (counts) => runMetrics.setOpen(counts),
        () => undefined,
      );
      await roll.write(store).catch(() => undefined);
      await sleep(LOOK_EVERY_MS, undefined, { signal: end }).catch(() => undefined);
    }
  }
}
