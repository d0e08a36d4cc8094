/** The scheduler's duty: one leads by lease, the others listen and wait. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandReply } from '@cadre/contracts';
import type { Lease, Leases, ShardLog } from '@cadre/engine';
import { JetStreamLeases, JetStreamLog, ensureTopology } from '@cadre/event-log';
import { NatsCommandSender } from '@cadre/messaging';
import type { Unmatched } from '@cadre/scheduling';
import type { ServiceContext } from '@cadre/service-kit';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { CommandDesk, type Finding } from './command-desk.js';
import { HeartbeatEar } from './heartbeat-ear.js';
import { OfferLine } from './offer-line.js';
import { SchedulerMetrics } from './scheduler-metrics.js';
import type { SchedulerConfig } from './scheduler.config.js';
import { SchedulingTerm, type TermReports } from './scheduling-term.js';

const LEASE = 'scheduler';
const RETRY_MS = 500;
const SHOW_MS = 1000;

export class SchedulerDuty implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #stopping = new AbortController();
  readonly #ear: HeartbeatEar;
  readonly #metrics: SchedulerMetrics;
  readonly #logs: ShardLog[] = [];
  #term: SchedulingTerm | undefined;
  #working: Promise<void> = Promise.resolve();
  #showing: NodeJS.Timeout | undefined;
  /** What was last said about unmatched work, so that it is said once. */
  #told = '';

  constructor(private readonly context: ServiceContext<SchedulerConfig>) {
    this.#ear = new HeartbeatEar(context.nats);
    this.#metrics = new SchedulerMetrics(context.metrics);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { nats, config, health, metrics } = this.context;
    await ensureTopology(nats, { shards: config.CADRE_SHARDS, replicas: config.CADRE_REPLICAS });
    const leases = await JetStreamLeases.open(nats);
    for (let shard = 0; shard < config.CADRE_SHARDS; shard += 1) this.#logs.push(await JetStreamLog.open(nats, shard));
    metrics.gauge('cadre_scheduler_leader', '1 while this scheduler makes the offers', [], () => (this.#term ? 1 : 0));
    metrics.gauge('cadre_heartbeats_malformed', 'Messages that should have been heartbeats', [], () => this.#ear.malformed);
    health.register('scheduler', () => this.#health());
    this.#showing = setInterval(() => this.#metrics.showWorkers(this.#ear.directory, Date.now()), SHOW_MS);
    this.#working = this.#work(leases);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#showing);
    await this.#working;
    this.#ear.stop();
  }

  /** Ready work that no live agent can do; a standby does not know. */
  get unmatched(): { leader: boolean; unmatched: readonly Unmatched[] } {
    return { leader: this.#term !== undefined, unmatched: this.#term?.unmatched ?? [] };
  }

  async #work(leases: Leases): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const lease = await leases.acquire(LEASE, this.context.instanceId, signal);
        await this.#serveTerm(lease);
      } catch (error) {
        if (signal.aborted) return;
        this.context.log.error({ err: error }, 'scheduling stopped; trying again');
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #serveTerm(lease: Lease): Promise<void> {
    const { config, log, nats } = this.context;
    const commands = new CommandDesk(new NatsCommandSender(nats), (finding, reply) => this.#answered(finding, reply));
    const parts = { lease, logs: this.#logs, ear: this.#ear, line: new OfferLine(nats), commands, metrics: this.#metrics };
    const settings = { ageingMs: config.AGEING_MS, unmatchedMs: config.UNMATCHED_MS };
    try {
      this.#term = new SchedulingTerm({ ...parts, ...settings, reports: this.#reports() });
      log.info({ epoch: lease.epoch }, 'leading');
      await this.#term.serve(this.#stopping.signal);
      log.info({ epoch: lease.epoch }, 'no longer leading');
    } finally {
      this.#term = undefined;
      await lease.release().catch(() => undefined);
    }
  }

  #health(): { ok: boolean; detail: string } {
    if (this.#term === undefined) return { ok: true, detail: 'standby' };
    return this.#term.working ? { ok: true, detail: 'leading' } : { ok: false, detail: 'reading the logs and listening to the workers' };
  }

  #answered({ command, label }: Finding, reply: CommandReply): void {
    const { type, runId } = command;
    const { log } = this.context;
    const taskId = 'taskId' in command ? command.taskId : undefined;
    log.debug({ type, runId, taskId, reply }, 'command answered');
    if (reply.outcome !== 'accepted') return;
    if (command.type === 'LoseAttempt') {
      this.#metrics.lost.inc({ cause: label });
      log.warn({ runId, taskId, attempt: command.attempt, workerId: command.workerId, reason: command.reason }, 'the attempt was lost');
    } else {
      this.#metrics.expired.inc({ what: label });
      log.info({ runId, taskId }, `the time of the ${label} is up`);
    }
  }

  #reports(): TermReports {
    const { log } = this.context;
    return {
      caughtUp: (shard, seq, ms) => log.info({ shard, seq, ms: Math.round(ms) }, 'read the log'),
      failed: (shard, error) => log.warn({ shard, err: error }, 'following the log failed; reading it anew'),
      unmatched: (list) => this.#tellUnmatched(list),
    };
  }

  #tellUnmatched(list: readonly Unmatched[]): void {
    const summary = JSON.stringify(list.map(({ skills, agent }) => ({ skills, agent })));
    if (list.length > 0 && summary !== this.#told) {
      this.context.log.warn(
        { unmatched: list },
        'work waits that no live agent can do; start a worker with such an agent, or cancel the run',
      );
    }
    this.#told = summary;
  }
}
