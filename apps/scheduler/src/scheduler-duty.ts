/** The scheduler's duty: one leads by lease, the others listen and wait. */
import type { CommandReply } from '@cadre/contracts';
import type { ShardLog } from '@cadre/engine';
import { JetStreamLeases, JetStreamLog, KvAgentStore, ensureTopology } from '@cadre/event-log';
import { NatsCommandSender, systemChance, systemClock } from '@cadre/messaging';
import {
  DESK_TIMING,
  TermKeeper,
  type AgentBreakerView,
  type Finding,
  type TaskTensor,
  type TermKeeperReports,
  type Unmatched,
} from '@cadre/scheduling';
import type { ServiceContext } from '@cadre/service-kit';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { crashingLine, crashingLog, crashingSender } from './crashing-wires.js';
import { GovernorDuty } from './governor-duty.js';
import { NatsHeartbeatEar } from './nats-heartbeat-ear.js';
import { NatsOfferLine } from './nats-offer-line.js';
import { SchedulerMetrics } from './scheduler-metrics.js';
import type { SchedulerConfig } from './scheduler.config.js';

const SHOW_MS = 1000;

export class SchedulerDuty implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #ear: NatsHeartbeatEar;
  readonly #metrics: SchedulerMetrics;
  #keeper: TermKeeper | undefined;
  #governor: GovernorDuty | undefined;
  /** Where agents are kept that are defined at run time. A standby follows them, too. */
  #agents: KvAgentStore | undefined;
  #showing: NodeJS.Timeout | undefined;
  /** What was last said about unmatched work, so that it is said once. */
  #told = '';
  /** The agents that were last said to fail. */
  #toldOpen: ReadonlySet<string> = new Set();

  constructor(private readonly context: ServiceContext<SchedulerConfig>) {
    this.#ear = new NatsHeartbeatEar(context.nats);
    this.#metrics = new SchedulerMetrics(context.metrics);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { nats, config, health, metrics, pass } = this.context;
    await ensureTopology(nats, { shards: config.CADRE_SHARDS, replicas: config.CADRE_REPLICAS });
    const leases = await JetStreamLeases.open(nats);
    this.#governor = await GovernorDuty.open(this.context);
    this.#agents = await KvAgentStore.open(nats);
    this.#agents.watch((stored) => this.#ear.learn(stored));
    const logs: ShardLog[] = [];
    for (let shard = 0; shard < config.CADRE_SHARDS; shard += 1) logs.push(crashingLog(await JetStreamLog.open(nats, shard), pass));
    metrics.gauge('cadre_scheduler_leader', '1 while this scheduler makes the offers', [], () => (this.#term ? 1 : 0));
    metrics.gauge('cadre_heartbeats_malformed', 'Messages that should have been heartbeats', [], () => this.#ear.malformed);
    health.register('scheduler', () => this.#health());
    this.#showing = setInterval(() => {
      this.#metrics.showWorkers(this.#ear.directory, Date.now());
      this.#governor?.show();
    }, SHOW_MS);
    const wires = {
      ear: this.#ear,
      line: crashingLine(new NatsOfferLine(nats), pass),
      sender: crashingSender(new NatsCommandSender(nats), pass),
    };
    const around = { holder: this.context.instanceId, leases, logs, ...wires, clock: systemClock, chance: systemChance };
    const breaker = {
      failures: config.AGENT_BREAKER_FAILURES,
      windowMs: config.AGENT_BREAKER_WINDOW_MS,
      coolDownMs: config.AGENT_BREAKER_COOL_DOWN_MS,
    };
    const kept = { ...DESK_TIMING.tenantSlots.kept, percent: config.TENANT_KEPT_PERCENT };
    const tenantSlots = { each: config.TENANT_SLOTS, of: config.TENANT_SLOTS_OF, kept };
    const timing = { ageingMs: config.AGEING_MS, unmatchedMs: config.UNMATCHED_MS, breaker, tenantSlots };
    this.#keeper = new TermKeeper(around, timing, this.#reports());
    this.#keeper.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#showing);
    await this.#keeper?.stop();
    await this.#governor?.close();
    this.#agents?.close();
    this.#ear.stop();
  }

  get #term() {
    return this.#keeper?.term;
  }

  /** Ready work that no live agent can do, and the agents that get none because they fail; a standby does not know. */
  get unmatched(): { leader: boolean; unmatched: readonly Unmatched[]; breakers: readonly AgentBreakerView[] } {
    const term = this.#term;
    return { leader: term !== undefined, unmatched: term?.unmatched ?? [], breakers: term?.breakers ?? [] };
  }

  /** A standby has none. */
  get tensor(): TaskTensor | undefined {
    return this.#term?.tensor;
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

  #reports(): TermKeeperReports {
    const { log } = this.context;
    return {
      leading: (epoch) => {
        this.#governor?.lead(epoch);
        log.info({ epoch }, 'leading');
      },
      standby: (epoch) => {
        void this.#governor?.rest();
        this.#metrics.clearWork();
        log.info({ epoch }, 'no longer leading');
      },
      stopped: (cause) => log.error({ err: cause }, 'scheduling stopped; trying again'),
      answered: (finding, reply) => this.#answered(finding, reply),
      caughtUp: (shard, seq, ms) => log.info({ shard, seq, ms: Math.round(ms) }, 'read the log'),
      failed: (shard, error) => log.warn({ shard, err: error }, 'following the log failed; reading it anew'),
      offered: (offers, messages) => {
        this.#metrics.offers.inc({}, offers);
        this.#metrics.offerMessages.inc({}, messages);
      },
      cancelled: (attempts) => this.#metrics.cancels.inc({}, attempts),
      show: (work, desk, unmatched, now) => {
        this.#tellUnmatched(unmatched);
        this.#tellBreakers(desk.breakers(now));
        this.#metrics.showWork(work, desk, unmatched, now);
      },
    };
  }

  #tellBreakers(list: readonly AgentBreakerView[]): void {
    const { log } = this.context;
    const open = new Set(list.map(({ agent }) => agent));
    for (const breaker of list) {
      if (!this.#toldOpen.has(breaker.agent)) log.warn({ ...breaker }, 'the agent fails at everything; it gets no work for a while');
    }
    for (const agent of this.#toldOpen) if (!open.has(agent)) log.info({ agent }, 'the agent works again');
    this.#toldOpen = open;
  }

  #tellUnmatched(list: readonly Unmatched[]): void {
    const summary = JSON.stringify(list.map(({ reason, why, skills, agent }) => ({ reason, why, skills, agent })));
    if (list.length > 0 && summary !== this.#told) {
      this.context.log.warn(
        { unmatched: list },
        'work waits that no live agent can do; start a worker with such an agent, see why those that could do it fail, or cancel the run',
      );
    }
    this.#told = summary;
  }
}
