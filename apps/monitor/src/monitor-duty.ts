/**
 * The monitor's duty. Every monitor opens its database; the one with the lease folds. With PostgreSQL all share one database and all answer
 * queries. With PGlite each has its own (a folder belongs to one process, others wait for it), so only the one that folds answers.
 * The database is opened before the lease is asked for: starting PGlite keeps the process busy for longer than a lease lives.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CadreError, SUBJECTS } from '@cadre/contracts';
import type { Lease, Leases, ShardLog } from '@cadre/engine';
import { JetStreamLeases, JetStreamLog, ensureTopology } from '@cadre/event-log';
import { openHistory, type HistoryStore } from '@cadre/history';
import type { RequestEndpoint } from '@cadre/messaging';
import { passingPoints, type ServiceContext } from '@cadre/service-kit';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { FeedPublisher } from './feed-publisher.js';
import type { MonitorConfig } from './monitor.config.js';
import { MonitorTerm } from './monitor-term.js';
import { QueryDesk } from './query-desk.js';
import { RunMetrics } from './run-metrics.js';
import type { FollowerReports } from './shard-follower.js';
import { WorkerRoll } from './worker-roll.js';

const LEASE = 'monitor';
const RETRY_MS = 500;

export class MonitorDuty implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #stopping = new AbortController();
  readonly #runMetrics: RunMetrics;
  readonly #roll: WorkerRoll;
  readonly #feed: FeedPublisher;
  #logs: ShardLog[] = [];
  #leases: Leases | undefined;
  #store: HistoryStore | undefined;
  #problem: string | undefined = 'opening the history';
  #term: MonitorTerm | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(private readonly context: ServiceContext<MonitorConfig>) {
    this.#runMetrics = new RunMetrics(context.metrics);
    this.#roll = new WorkerRoll(context.nats);
    this.#feed = passingPoints(new FeedPublisher(context.nats), context.pass, {
      publish: { before: 'monitor-before-feed', after: 'monitor-feed-published' },
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    const { nats, config, health } = this.context;
    await ensureTopology(nats, { shards: config.CADRE_SHARDS, replicas: config.CADRE_REPLICAS });
    this.#leases = await JetStreamLeases.open(nats);
    for (let shard = 0; shard < config.CADRE_SHARDS; shard += 1) this.#logs.push(await JetStreamLog.open(nats, shard));
    this.#exposeLag();
    health.register('history', () => this.#health());
    this.#working = this.#work(this.#leases).catch((error: unknown) => this.context.fail(error));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    this.#roll.stop();
    await this.#working;
    await this.#store?.close();
  }

  async #work(leases: Leases): Promise<void> {
    const store = await this.#opened();
    if (store === undefined) return;
    this.#store = store;
    const shared = this.context.config.DATABASE_URL !== undefined;
    const endpoint = shared ? this.#answerQueries(store) : undefined;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const lease = await leases.acquire(LEASE, this.context.instanceId, signal);
        await this.#serveTerm(lease, store, shared);
      } catch (error) {
        if (signal.aborted) break;
        this.context.log.error({ err: error }, 'folding stopped; trying again');
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    await endpoint?.stop();
  }

  async #serveTerm(lease: Lease, store: HistoryStore, shared: boolean): Promise<void> {
    const endpoint = shared ? undefined : this.#answerQueries(store);
    try {
      const around = { lease, store, logs: this.#logs, feed: this.#feed, runMetrics: this.#runMetrics, roll: this.#roll };
      this.#term = new MonitorTerm({ ...around, reports: this.#reports() });
      this.context.log.info({ epoch: lease.epoch }, 'folding the logs into the history');
      await this.#term.serve(this.#stopping.signal);
    } finally {
      this.#term = undefined;
      await endpoint?.stop();
      await lease.release().catch(() => undefined);
    }
  }

  /** Tries until the database opens; undefined when told to stop. Rejects when trying again cannot help. */
  async #opened(): Promise<HistoryStore | undefined> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const store = passingPoints(await this.#openHistory(), this.context.pass, { apply: { after: 'monitor-history-written' } });
        this.#problem = undefined;
        return store;
      } catch (error) {
        if (!(error instanceof CadreError) || !error.retriable) throw error;
        if (this.#problem !== error.message)
          this.context.log.warn({ err: error, remedy: error.remedy }, 'the history cannot be opened; trying on');
        this.#problem = error.message;
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  #openHistory(): Promise<HistoryStore> {
    const { DATABASE_URL, CADRE_HISTORY_DIR } = this.context.config;
    if (DATABASE_URL === undefined && CADRE_HISTORY_DIR === undefined) {
      this.context.log.warn(
        {},
        'the history is in memory and will be gone with this process; set CADRE_HISTORY_DIR or DATABASE_URL to keep it',
      );
    }
    return openHistory({
      ...(DATABASE_URL !== undefined ? { databaseUrl: DATABASE_URL } : CADRE_HISTORY_DIR !== undefined && { dataDir: CADRE_HISTORY_DIR }),
      onError: (error) => this.context.log.warn({ err: error }, 'a connection to the database broke'),
    });
  }

  #answerQueries(store: HistoryStore): RequestEndpoint {
    const { nats, config } = this.context;
    const answerBytes = () => nats.info?.max_payload ?? 1024 * 1024;
    const desk = new QueryDesk({ store, logs: this.#logs, catchUpMs: config.CATCH_UP_MS, answerBytes });
    return this.context.serve(SUBJECTS.history, { queue: 'monitor', name: 'history' }, (request) => desk.answer(request));
  }

  #health(): { ok: boolean; detail: string } {
    if (this.#problem !== undefined) return { ok: false, detail: this.#problem };
    const followers = this.#term?.followers;
    if (followers === undefined) return { ok: true, detail: 'standby' };
    const states = followers.map((follower) => follower.health);
    return { ok: states.every((state) => state.ok), detail: states.map((state, shard) => `shard ${shard}: ${state.detail}`).join('; ') };
  }

  #exposeLag(): void {
    const lag = this.context.metrics.gauge('cadre_history_lag_blocks', 'Blocks of the log that are not in the history yet', [], () =>
      (this.#term?.followers ?? []).reduce((sum, follower) => sum + (follower.lag ?? 0), 0),
    );
    lag.set(0);
    this.context.metrics.gauge('cadre_history_leader', '1 while this monitor folds the logs', [], () => (this.#term ? 1 : 0));
  }

  #reports(): FollowerReports {
    const { log, metrics } = this.context;
    const blocks = metrics.counter('cadre_history_blocks_total', 'Blocks folded into the history');
    const events = metrics.counter('cadre_history_commits_total', 'Commits folded into the history');
    const damaged = metrics.counter('cadre_history_skipped_total', 'Commits left out because the log is damaged there');
    const positions = new Map<number, number>();
    return {
      applied: (shard, { position, folded, skipped }) => {
        this.#runMetrics.count(folded);
        blocks.inc({}, Math.max(0, position - (positions.get(shard) ?? position - 1)));
        positions.set(shard, position);
        events.inc({}, folded.length);
        for (const { commit, reason } of skipped) {
          damaged.inc();
          log.error({ shard, runId: commit.runId, seq: commit.seq, reason }, 'a commit of the log cannot be folded; it is left out');
        }
      },
      rebuilt: (shard, from, to) =>
        log.warn(
          { shard, from, to },
          'the log was trimmed before the history had it; open runs were taken from the snapshot, details in between are lost',
        ),
      failed: (shard, error, nextTryMs) => {
        const remedy = error instanceof CadreError ? error.remedy : undefined;
        log.warn({ shard, err: error, nextTryMs, remedy }, 'following the log failed; trying again');
      },
    };
  }
}
