import { hash, randomBytes } from 'node:crypto';
import { AgentRoster, BatchingModel } from '@cadre/agents';
import type { ModelPort, Performer, WorkSurroundings } from '@cadre/agents';
import { CadreError, labelText } from '@cadre/contracts';
import { AgentMemories, SharedContext } from '@cadre/engine';
import { JetStreamBlobs, KvAgentStore, KvContextStore, KvMemoryStore, KvResultCache } from '@cadre/event-log';
import type { McpTools } from '@cadre/mcp';
import { natsChannels, NatsCommandSender, systemChance, systemClock } from '@cadre/messaging';
import type { ServiceContext } from '@cadre/service-kit';
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { codeAgent } from './code-agent.js';
import { openMcp } from './mcp-servers.js';
import { makeModel } from './make-model.js';
import { modelAgent } from './model-agent.js';
import { WorkMeter } from './work-meter.js';
import { workReports } from './work-reports.js';
import type { WorkerConfig } from './worker.config.js';
import { WorkerDuty } from './worker-duty.js';
import type { WorkerSpec } from './worker-duty.js';
import type { WorkerOptions } from './worker-options.js';

type Means = Required<Pick<WorkerOptions, 'tools' | 'performers' | 'env'>>;

/** Wires a worker: its agents' work, its line to the owners, its blobs. */
@Module({})
export class WorkerModule {
  static with(context: ServiceContext<WorkerConfig>, spec: WorkerSpec, means: Means): DynamicModule {
    const useFactory = async () => {
      const mcp = await openMcp(context, spec, means.env);
      const roster = new AgentRoster(spec.agents, spec.templates, mcp, context.config.CADRE_LABELS);
      assertHosting(context, spec, roster);
      const store = spec.templates.length > 0 ? await KvAgentStore.open(context.nats) : undefined;
      return new WorkerDuty(context, spec, await surroundings(context, means, { roster, slots: spec.slots, mcp }), {
        roster,
        ...(store && { store }),
        ...(mcp && { mcp }),
      });
    };
    return { module: WorkerModule, providers: [{ provide: WorkerDuty, useFactory }] };
  }
}

/** An agent that requires labels which its worker has not is left out; a worker without any agent would be of no use. */
function assertHosting({ log, config }: ServiceContext<WorkerConfig>, spec: WorkerSpec, roster: AgentRoster): void {
  const here = new Set(roster.own.map(({ name }) => name));
  const left = spec.agents.filter(({ name }) => !here.has(name));
  const labels = labelText(config.CADRE_LABELS ?? {});
  for (const { name, requires = {} } of left)
    log.warn({ agent: name, requires: labelText(requires), labels }, 'the agent is not hosted here: it requires other labels');
  if (here.size > 0) return;
  throw new CadreError('agent-invalid', `No agent of this worker can be hosted: each requires other labels than ${labels || 'none'}.`, {
    remedy: 'Set CADRE_LABELS.',
  });
}

async function surroundings(
  context: ServiceContext<WorkerConfig>,
  means: Means,
  { roster, slots, mcp }: Pick<Around, 'roster' | 'slots' | 'mcp'>,
): Promise<WorkSurroundings> {
  const { nats, log, metrics, tracing, instanceId, pass } = context;
  const blobs = await JetStreamBlobs.open(nats);
  const store = await KvContextStore.open(nats);
  const shared = new SharedContext({ store, blobs, clock: systemClock, chance: systemChance });
  const memories = new AgentMemories({ store: await KvMemoryStore.open(nats), clock: systemClock, chance: systemChance });
  const life = randomBytes(8).toString('hex');
  const isCode = (agent: string) => Object.hasOwn(means.performers, agent);
  return {
    workerId: instanceId,
    life,
    modelTimeoutMs: context.config.CADRE_MODEL_TIMEOUT_MS,
    ...{ clock: systemClock, chance: systemChance, blobs },
    sender: new NatsCommandSender(nats),
    digest,
    performerOf: performers(context, means, { blobs, shared, memories, roster, slots, mcp, servers: await makeModel(context, life) }),
    cache: { results: await KvResultCache.open(nats), setting: settingOf(context.config) },
    reports: workReports(log, new WorkMeter(metrics), isCode),
    span: ({ runId, taskId, attempt, traceparent }, { name }, work) => {
      const attributes = { 'cadre.run': runId, 'cadre.task': taskId, 'cadre.attempt': attempt, 'gen_ai.agent.name': name };
      return tracing.span('attempt', traceparent, attributes, (trace) => work(trace.format()));
    },
    ...(pass && { at: pass }),
  };
}

function digest(text: string): string {
  return hash('sha256', text, 'hex');
}

/** A result of another model or of another server is another result. */
function settingOf({ OPENAI_BASE_URL, CADRE_MODEL, CADRE_MODELS, CADRE_RESPONSE_FORMAT }: WorkerConfig): string {
  return JSON.stringify([CADRE_MODELS ?? OPENAI_BASE_URL, CADRE_MODEL, CADRE_RESPONSE_FORMAT]);
}

interface Around {
  blobs: JetStreamBlobs;
  shared: SharedContext;
  memories: AgentMemories;
  roster: AgentRoster;
  slots: number;
  mcp: McpTools | undefined;
  servers: ModelPort;
}

function performers(
  context: ServiceContext<WorkerConfig>,
  means: Means,
  { blobs, shared, memories, roster, slots, mcp, servers }: Around,
): WorkSurroundings['performerOf'] {
  const { config, tracing, nats } = context;
  const workDir = config.CADRE_WORK_DIR;
  const { desk } = natsChannels(nats);
  const elsewhere = mcp ? { mcp } : {};
  const code = new Map<string, Performer>(
    Object.entries(means.performers).map(([agent, perform]) => [agent, codeAgent(perform, { blobs, workDir, shared, desk, ...elsewhere })]),
  );
  const model = new BatchingModel(servers, { clock: systemClock, most: slots, digest });
  const withModel = modelAgent({
    ...{ model, blobs, shared, memories, tracing, workDir, desk, ...elsewhere },
    ...{ tools: means.tools, clock: systemClock, chance: systemChance },
    publishTokens: (subject, part) => void (nats.isClosed() || nats.publish(subject, JSON.stringify(part))),
  });
  return (agent) => code.get(roster.templateOf(agent) ?? agent.name) ?? withModel;
}
