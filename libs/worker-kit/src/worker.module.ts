import { hash, randomBytes } from 'node:crypto';
import type { ModelPort, Performer, WorkSurroundings } from '@cadre/agents';
import type { AgentDefinition } from '@cadre/contracts';
import { SharedContext } from '@cadre/engine';
import { JetStreamBlobs, KvContextStore } from '@cadre/event-log';
import { natsChannels, NatsCommandSender, systemChance, systemClock } from '@cadre/messaging';
import { ModelBreaker, OpenAiModel, loadPrices } from '@cadre/models';
import type { BreakerChange } from '@cadre/models';
import type { ServiceContext } from '@cadre/service-kit';
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { codeAgent } from './code-agent.js';
import { modelAgent } from './model-agent.js';
import { WorkMeter } from './work-meter.js';
import { workReports } from './work-reports.js';
import type { WorkerConfig } from './worker.config.js';
import { WorkerDuty } from './worker-duty.js';
import type { WorkerSpec } from './worker-duty.js';
import type { WorkerOptions } from './worker-options.js';

type Means = Required<Pick<WorkerOptions, 'tools' | 'performers'>>;

/** Wires a worker: its agents' work, its line to the owners, its blobs. */
@Module({})
export class WorkerModule {
  static with(context: ServiceContext<WorkerConfig>, spec: WorkerSpec, means: Means): DynamicModule {
    const useFactory = async () => new WorkerDuty(context, spec, await surroundings(context, means));
    return { module: WorkerModule, providers: [{ provide: WorkerDuty, useFactory }] };
  }
}

async function surroundings(context: ServiceContext<WorkerConfig>, means: Means): Promise<WorkSurroundings> {
  const { nats, log, metrics, tracing, instanceId, pass } = context;
  const blobs = await JetStreamBlobs.open(nats);
  const store = await KvContextStore.open(nats);
  const shared = new SharedContext({ store, blobs, clock: systemClock, chance: systemChance });
  const isCode = (agent: string) => Object.hasOwn(means.performers, agent);
  return {
    workerId: instanceId,
    life: randomBytes(8).toString('hex'),
    ...{ clock: systemClock, chance: systemChance, blobs },
    sender: new NatsCommandSender(nats),
    digest: (text) => hash('sha256', text, 'hex'),
    performerOf: performers(context, means, { blobs, shared }),
    reports: workReports(log, new WorkMeter(metrics), isCode),
    span: ({ runId, taskId, attempt, traceparent }, { name }, work) => {
      const attributes = { 'cadre.run': runId, 'cadre.task': taskId, 'cadre.attempt': attempt, 'gen_ai.agent.name': name };
      return tracing.span('attempt', traceparent, attributes, (trace) => work(trace.format()));
    },
    ...(pass && { at: pass }),
  };
}

interface Stores {
  blobs: JetStreamBlobs;
  shared: SharedContext;
}

function performers(context: ServiceContext<WorkerConfig>, means: Means, { blobs, shared }: Stores): WorkSurroundings['performerOf'] {
  const { config, tracing, nats } = context;
  const workDir = config.CADRE_WORK_DIR;
  const { desk } = natsChannels(nats);
  const code = new Map<string, Performer>(
    Object.entries(means.performers).map(([agent, perform]) => [agent, codeAgent(perform, { blobs, workDir, shared, desk })]),
  );
  const model = makeModel(context);
  const withModel = modelAgent({
    ...{ model, blobs, shared, tracing, workDir, desk },
    tools: means.tools,
    clock: systemClock,
    chance: systemChance,
  });
  return ({ name }: AgentDefinition) => code.get(name) ?? withModel;
}

/** One breaker for all attempts of the process: what one finds out about a model server spares the others. */
function makeModel({ config, log, metrics }: ServiceContext<WorkerConfig>): ModelPort {
  const server = config.OPENAI_BASE_URL;
  const defaultModel = config.CADRE_MODEL;
  const model = new OpenAiModel({
    ...{ baseUrl: server, defaultModel },
    ...(config.OPENAI_API_KEY !== undefined && { apiKey: config.OPENAI_API_KEY }),
    timeoutMs: config.CADRE_MODEL_TIMEOUT_MS,
    responseFormat: config.CADRE_RESPONSE_FORMAT,
    prices: loadPrices(config.CADRE_PRICES),
    onWarning: (message) => log.warn({}, message),
  });
  const changes = metrics.counter('cadre_model_breaker_changes_total', 'Changes of breakers of model servers', ['model', 'state']);
  const onChange = (change: BreakerChange) => {
    changes.inc({ model: change.model, state: change.state });
    log.warn(change, 'the breaker of a model server has changed');
  };
  return new ModelBreaker(model, { server, defaultModel, onChange });
}
