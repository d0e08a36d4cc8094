import { CadreError, type Command } from '@cadre/contracts';
import { AgentMemories, AgentRegistry, SharedContext, type Blobs } from '@cadre/engine';
import { JetStreamBlobs, KvAgentStore, KvContextStore, KvMemoryStore, ensureTopology, WorkflowStore } from '@cadre/event-log';
import { ChannelRegistry, MessageDesk, NatsCommandSender, natsChannels, systemChance, systemClock } from '@cadre/messaging';
import { passingPoints, SERVICE_CONTEXT, type ServiceContext } from '@cadre/service-kit';
import { Inject, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { AgentDesk } from './agents/agent-desk.js';
import { AgentsController } from './agents/agents.controller.js';
import { MemoriesController } from './agents/memories.controller.js';
import { WorkerRoster } from './agents/worker-roster.js';
import { AggregationsController } from './aggregations/aggregations.controller.js';
import { RunResults } from './aggregations/run-results.js';
import { ArtifactsController } from './artifacts/artifacts.controller.js';
import { ChannelsController } from './channels/channels.controller.js';
import { MessagesController } from './channels/messages.controller.js';
import { ContextController } from './context/context.controller.js';
import { EventsController } from './feed/events.controller.js';
import { OpenStreams } from './feed/open-streams.js';
import { RunFeed } from './feed/run-feed.js';
import type { GatewayConfig } from './gateway.config.js';
import { BLOBS, CHANNELS } from './gateway-tokens.js';
import { HistoryClient } from './history/history-client.js';
import { DeadLetters } from './ingress/dead-letters.js';
import { IngressController } from './ingress/ingress.controller.js';
import { IngressDesk } from './ingress/ingress-desk.js';
import { QuestionsController } from './questions/questions.controller.js';
import { KnownShard } from './runs/known-shard.js';
import { RunIntake } from './runs/run-intake.js';
import { RunStarter } from './runs/run-starter.js';
import { WorkflowClock } from './workflows/workflow-clock.js';
import { WorkflowTriggers } from './workflows/workflow-triggers.js';
import { WorkflowsController } from './workflows/workflows.controller.js';
import { RunsController } from './runs/runs.controller.js';
import { SubmissionReader } from './runs/submission-reader.js';
import { TenantBudgets } from './tenants/tenant-budgets.js';
import { TenantsController } from './tenants/tenants.controller.js';
import { UploadBudget } from './runs/upload-budget.js';

type Context = ServiceContext<GatewayConfig>;
type Channels = ReturnType<typeof natsChannels>;

const blobs = {
  provide: BLOBS,
  inject: [SERVICE_CONTEXT],
  useFactory: async ({ nats, config, pass }: Context): Promise<Blobs> => {
    await ensureTopology(nats, { shards: config.CADRE_SHARDS, replicas: config.CADRE_REPLICAS });
    const store: Blobs = await JetStreamBlobs.open(nats);
    return passingPoints(store, pass, { put: { before: 'gateway-before-blob', after: 'gateway-blob-stored' } });
  },
};
const history = {
  provide: HistoryClient,
  inject: [SERVICE_CONTEXT],
  useFactory: ({ nats, config }: Context) => new HistoryClient(nats, config.ANSWER_TIMEOUT_MS),
};
const feed = {
  provide: RunFeed,
  inject: [SERVICE_CONTEXT, HistoryClient],
  useFactory: ({ nats, log }: Context, client: HistoryClient) => new RunFeed(nats, client, log),
};
const intake = {
  provide: RunIntake,
  inject: [SERVICE_CONTEXT, BLOBS],
  useFactory: ({ nats, metrics, config, pass }: Context, store: Blobs) =>
    new RunIntake({
      sender: passingPoints(new NatsCommandSender(nats), pass, {
        send: {
          before: 'gateway-before-start-run',
          after: 'gateway-run-answered',
          when: ([first]: Command[]) => first?.type === 'StartRun',
        },
      }),
      blobs: store,
      metrics,
      shards: config.CADRE_SHARDS,
      timeoutMs: config.ANSWER_TIMEOUT_MS,
    }),
};
const starter = {
  provide: RunStarter,
  inject: [RunIntake, HistoryClient],
  useFactory: (runs: RunIntake, client: HistoryClient) => new RunStarter(runs, client),
};
const results = {
  provide: RunResults,
  inject: [HistoryClient, BLOBS],
  useFactory: (client: HistoryClient, store: Blobs) => new RunResults(client, store),
};
const workflows = {
  provide: WorkflowStore,
  // The topology comes first.
  inject: [SERVICE_CONTEXT, BLOBS],
  useFactory: ({ nats }: Context) => WorkflowStore.open(nats),
};
const context = {
  provide: SharedContext,
  inject: [SERVICE_CONTEXT, BLOBS],
  useFactory: async ({ nats }: Context, store: Blobs) =>
    new SharedContext({ store: await KvContextStore.open(nats), blobs: store, clock: systemClock, chance: systemChance }),
};
const memories = {
  provide: AgentMemories,
  // The topology comes first.
  inject: [SERVICE_CONTEXT, BLOBS],
  useFactory: async ({ nats }: Context) =>
    new AgentMemories({ store: await KvMemoryStore.open(nats), clock: systemClock, chance: systemChance }),
};
const triggers = {
  provide: WorkflowTriggers,
  inject: [WorkflowStore, RunIntake],
  useFactory: (store: WorkflowStore, runs: RunIntake) => new WorkflowTriggers(store, runs),
};
const clock = {
  provide: WorkflowClock,
  inject: [SERVICE_CONTEXT, WorkflowTriggers],
  useFactory: ({ log, config }: Context, started: WorkflowTriggers) =>
    new WorkflowClock({ triggers: started, clock: systemClock, log, catchUpMs: config.CRON_CATCH_UP_MS }),
};
const budgets = {
  provide: TenantBudgets,
  inject: [SERVICE_CONTEXT],
  useFactory: ({ nats, config }: Context) =>
    new TenantBudgets({ sender: new NatsCommandSender(nats), shards: config.CADRE_SHARDS, timeoutMs: config.ANSWER_TIMEOUT_MS }),
};
const submissions = {
  provide: SubmissionReader,
  inject: [SERVICE_CONTEXT, BLOBS],
  useFactory: ({ config, metrics }: Context, store: Blobs) => {
    const budget = new UploadBudget(config.UPLOAD_MEMORY_BYTES);
    metrics.gauge('cadre_upload_buffered_bytes', 'Memory taken by uploads under way', [], () => budget.usedBytes);
    return new SubmissionReader(store, budget, { fileBytes: config.UPLOAD_MAX_BYTES, files: config.UPLOAD_MAX_FILES });
  },
};
const channels = {
  provide: CHANNELS,
  // The topology comes first.
  inject: [SERVICE_CONTEXT, BLOBS],
  useFactory: ({ nats }: Context): Channels => natsChannels(nats),
};
const registry = { provide: ChannelRegistry, inject: [CHANNELS], useFactory: (made: Channels) => made.registry };
const messages = { provide: MessageDesk, inject: [CHANNELS], useFactory: (made: Channels) => made.desk };
const streams = { provide: OpenStreams, inject: [SERVICE_CONTEXT], useFactory: (context: Context) => new OpenStreams(context) };
const roster = {
  provide: WorkerRoster,
  inject: [SERVICE_CONTEXT],
  useFactory: ({ nats, log, metrics }: Context) => new WorkerRoster(nats, log, metrics),
};
const agents = {
  provide: AgentDesk,
  // The topology comes first.
  inject: [SERVICE_CONTEXT, BLOBS, WorkerRoster],
  useFactory: async ({ nats }: Context, _: Blobs, heard: WorkerRoster) =>
    new AgentDesk(new AgentRegistry(await KvAgentStore.open(nats), systemClock), heard),
};
const dead = {
  provide: DeadLetters,
  // The topology comes first.
  inject: [SERVICE_CONTEXT, BLOBS],
  useFactory: async ({ nats, config }: Context) => {
    const letters = new DeadLetters(nats);
    await letters.prepare(config.CADRE_REPLICAS);
    return letters;
  },
};
const ingress = {
  provide: IngressDesk,
  inject: [SERVICE_CONTEXT, RunIntake, HistoryClient, DeadLetters, WorkflowTriggers],
  useFactory: (context: Context, runs: RunIntake, client: HistoryClient, letters: DeadLetters, started: WorkflowTriggers) => {
    const { nats, log, metrics, health, config, pass } = context;
    const ports = { intake: runs, history: client, triggers: started, dead: letters };
    const options = { nats, log, metrics, health, ...ports, parallel: config.INGRESS_PARALLEL };
    return new IngressDesk({ ...options, ...(pass === undefined ? {} : { pass }) });
  },
};

@Module({
  controllers: [
    RunsController,
    AggregationsController,
    QuestionsController,
    EventsController,
    ChannelsController,
    MessagesController,
    IngressController,
    WorkflowsController,
    ArtifactsController,
    ContextController,
    AgentsController,
    MemoriesController,
    TenantsController,
  ],
  providers: [
    ...[
      blobs,
      history,
      feed,
      streams,
      intake,
      starter,
      results,
      workflows,
      context,
      triggers,
      clock,
      budgets,
      submissions,
      roster,
      dead,
      ingress,
    ],
    ...[channels, registry, messages, memories, agents, KnownShard],
  ],
})
export class GatewayModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    private readonly workers: WorkerRoster,
    private readonly desk: IngressDesk,
    private readonly triggers: WorkflowTriggers,
    private readonly clock: WorkflowClock,
    private readonly messages: MessageDesk,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.workers.start();
    await this.triggers.open();
    await this.desk.start().catch((cause: unknown) => {
      throw new CadreError('topology-failed', `CADRE_INGRESS cannot be read: ${(cause as Error).message}`, { retriable: true, cause });
    });
    this.clock.start();
    this.context.log.debug({}, 'events from outside are taken');
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.workers.stop();
    await Promise.all([this.desk.stop(), this.clock.stop(), this.messages.close()]);
    this.triggers.close();
  }
}
