/** The worker's duty within its service: announces itself, takes offers and cancellations, and leaves in order. */
import { randomBytes } from 'node:crypto';
import { AttemptDesk, Pulse } from '@cadre/agents';
import type { AgentRoster, Vitals, WorkSurroundings } from '@cadre/agents';
import { Backlog, CancelBatch, OfferBatch, SUBJECTS, queueReliefOf } from '@cadre/contracts';
import type { AgentDefinition, AgentState, AgentSummary, AgentTemplate } from '@cadre/contracts';
import type { AgentStore, StoredAgent } from '@cadre/engine';
import type { McpTools } from '@cadre/mcp';
import type { ServiceContext } from '@cadre/service-kit';
import type { Subscription } from '@nats-io/transport-node';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { z } from 'zod';
import { statesOf } from './mcp-servers.js';
import { sweepWorkspaces } from './sweep-workspaces.js';
import type { WorkerConfig } from './worker.config.js';

export interface WorkerSpec {
  specialty: string;
  agents: AgentDefinition[];
  templates: AgentTemplate[];
  slots: number;
}

/**
 * The worker's agents; `mcp`: tools of other servers that they have; `store`: where those come from that are defined at run time, left out
 * without templates.
 */
export interface WorkerAgents {
  roster: AgentRoster;
  store?: AgentStore & { close(): void };
  mcp?: McpTools;
}

export class WorkerDuty implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly epoch: string;
  private readonly desk: AttemptDesk;
  private readonly pulse: Pulse;
  private phase: AgentState | 'serving' = 'created';
  private subscriptions: Subscription[] = [];
  /** How far the definitions are hosted that were made at run time; see `Heartbeat`. */
  private definitions = 0;
  private hostingDue = false;

  constructor(
    private readonly context: ServiceContext<WorkerConfig>,
    private readonly spec: WorkerSpec,
    private readonly around: WorkSurroundings,
    private readonly agents: WorkerAgents,
  ) {
    this.epoch = around.life ?? randomBytes(8).toString('hex');
    this.desk = new AttemptDesk([...agents.roster.own], spec.slots, around, () => this.pulse.beatSoon());
    this.pulse = this.makePulse();
    context.metrics.gauge('cadre_attempts_held', 'Attempts held now', [], () => this.desk.heldCount);
    context.metrics.gauge('cadre_slots', 'Attempts that may be held at once', [], () => this.desk.openSlots);
    context.health.register('worker', () => ({ ok: this.phase === 'serving', detail: this.vitals().state }));
  }

  async onApplicationBootstrap(): Promise<void> {
    const { nats, log } = this.context;
    this.phase = 'initializing';
    this.pulse.start();
    await sweepWorkspaces(this.context.config.CADRE_WORK_DIR);
    this.subscriptions = [
      this.listen(SUBJECTS.offers(this.around.workerId, this.epoch), OfferBatch, (batch) => this.desk.take(batch)),
      this.listen(SUBJECTS.cancels(this.around.workerId), CancelBatch, (batch) => this.desk.cancel(batch)),
      this.listen(SUBJECTS.backlog, Backlog, (backlog) => this.desk.hearBacklog(backlog)),
    ];
    this.agents.store?.watch((stored) => this.learn(stored));
    this.agents.mcp?.watch(() => this.regrant());
    await nats.flush();
    this.phase = 'serving';
    this.pulse.beatSoon();
    log.info({ agents: this.agents.roster.own.map((agent) => agent.name), slots: this.spec.slots, epoch: this.epoch }, 'ready for offers');
  }

  /** Beats go on while work is finished or handed back, so that nobody takes the worker for lost meanwhile. */
  async beforeApplicationShutdown(): Promise<void> {
    const { nats, config, log } = this.context;
    this.subscriptions[0]?.unsubscribe();
    const closing = this.desk.close(config.SHUTDOWN_GRACE_MS);
    this.pulse.beatSoon();
    log.info({ held: this.desk.heldCount, graceMs: config.SHUTDOWN_GRACE_MS }, 'taking no more offers');
    await closing;
    for (const subscription of this.subscriptions.slice(1)) subscription.unsubscribe();
    this.agents.store?.close();
    await this.agents.mcp?.close();
    this.phase = 'terminated';
    this.pulse.stop();
    if (!nats.isClosed()) await nats.flush().catch(() => undefined);
  }

  private makePulse(): Pulse {
    const { nats } = this.context;
    const { specialty } = this.spec;
    const labels = this.context.config.CADRE_LABELS;
    const { workerId } = this.around;
    const identity = {
      workerId,
      epoch: this.epoch,
      startedAt: Date.now(),
      specialty,
      ...(labels && Object.keys(labels).length > 0 && { labels }),
      agents: this.agents.roster.own.map((agent) => this.summaryOf(agent)),
    };
    return new Pulse(
      identity,
      () => this.vitals(),
      this.around.clock,
      (heartbeat) => nats.publish(SUBJECTS.heartbeat(workerId), JSON.stringify(heartbeat)),
    );
  }

  private vitals(): Vitals {
    const { mcp, roster, store } = this.agents;
    const templates = roster.templates.map(({ name, description, tools }) => ({ name, description, tools }));
    const told = {
      held: this.desk.held(),
      ...(store && { definitions: this.definitions }),
      ...(templates.length > 0 && { templates }),
      ...(mcp && { mcp: statesOf(mcp) }),
    };
    if (this.phase !== 'serving') return { state: this.phase, slots: 0, ...told };
    return { state: told.held.length > 0 ? 'running' : 'idle', slots: this.desk.openSlots, ...told };
  }

  /** At the start, and after trouble, hundreds come at once; they are hosted together. */
  private learn(stored: StoredAgent): void {
    const { roster } = this.agents;
    if (roster.take(stored)) {
      const { tenant, name, version } = stored.record;
      this.context.log.info(
        { tenant, agent: name, version },
        roster.hasMade(name) ? 'the agent is hosted here' : 'the agent is here no more',
      );
    }
    if (this.hostingDue) return;
    this.hostingDue = true;
    this.around.clock.soon(() => {
      this.hostingDue = false;
      this.definitions = roster.revision;
      this.desk.host(roster.all());
    });
  }

  /** What others are granted by the operator now counts for attempts that begin from here on. */
  private regrant(): void {
    this.agents.roster.regrant();
    this.desk.host(this.agents.roster.all());
  }

  private summaryOf(agent: AgentDefinition): AgentSummary {
    const { name, description, skills, model, maxParallel, tools, labels } = agent;
    const underLoad = queueReliefOf(agent);
    return {
      name,
      description,
      skills,
      model: model ?? this.context.config.CADRE_MODEL,
      ...(maxParallel !== undefined && { maxParallel }),
      tools,
      ...(labels && { labels }),
      ...(underLoad && { underLoad }),
    };
  }

  /** A message that is not what it should be is dropped with a warning; nothing that comes over the wire may end the worker. */
  private listen<T>(subject: string, schema: z.ZodType<T>, take: (message: T) => void): Subscription {
    return this.context.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error) return this.context.log.warn({ err: error, subject }, 'subscription failed');
        try {
          take(schema.parse(message.json()));
        } catch (cause) {
          this.context.log.warn({ err: cause, subject }, 'a message was dropped: it is not what belongs on its subject');
        }
      },
    });
  }
}
