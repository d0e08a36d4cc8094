import { JetStreamBlobs } from '@cadre/event-log';
import { NatsCommandSender } from '@cadre/messaging';
import { OpenAiModel, loadPrices } from '@cadre/models';
import type { ServiceContext } from '@cadre/service-kit';
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import type { WorkBench } from './work-bench.js';
import { WorkMeter } from './work-meter.js';
import type { WorkerConfig } from './worker.config.js';
import { WorkerDuty } from './worker-duty.js';
import type { WorkerSpec } from './worker-duty.js';
import type { ToolFactory } from './worker-options.js';

/** Wires a worker: its model, its line to the owners, its blobs. */
@Module({})
export class WorkerModule {
  static with(context: ServiceContext<WorkerConfig>, spec: WorkerSpec, tools: ToolFactory): DynamicModule {
    return {
      module: WorkerModule,
      providers: [{ provide: WorkerDuty, useFactory: async () => new WorkerDuty(context, spec, await makeBench(context, tools)) }],
    };
  }
}

async function makeBench(context: ServiceContext<WorkerConfig>, tools: ToolFactory): Promise<WorkBench> {
  const { nats, config, metrics } = context;
  return {
    workerId: context.instanceId,
    sender: new NatsCommandSender(nats),
    blobs: await JetStreamBlobs.open(nats),
    model: makeModel(context),
    tools,
    workDir: config.CADRE_WORK_DIR,
    meter: new WorkMeter(metrics),
    context,
  };
}

function makeModel({ config, log }: ServiceContext<WorkerConfig>): OpenAiModel {
  return new OpenAiModel({
    baseUrl: config.OPENAI_BASE_URL,
    ...(config.OPENAI_API_KEY !== undefined && { apiKey: config.OPENAI_API_KEY }),
    defaultModel: config.CADRE_MODEL,
    timeoutMs: config.CADRE_MODEL_TIMEOUT_MS,
    responseFormat: config.CADRE_RESPONSE_FORMAT,
    prices: loadPrices(config.CADRE_PRICES),
    onWarning: (message) => log.warn({}, message),
  });
}
