/** The models behind all agents of a worker: one gate for each server and one breaker for each model, for all attempts of the process. */
import { readFileSync } from 'node:fs';
import { FleetGate } from '@cadre/agents';
import type { CallGate, ModelPort } from '@cadre/agents';
import type { ModelLimitTable } from '@cadre/contracts';
import { steadyClock } from '@cadre/messaging';
import { ModelServers, WatchedFile, keyReader, loadPrices, parseModelsFile, singleServer } from '@cadre/models';
import type { ModelServersParts } from '@cadre/models';
import type { ServiceContext } from '@cadre/service-kit';
import { NatsGovernor } from './nats-governor.js';
import type { WorkerConfig } from './worker.config.js';

const WAIT_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** @param life of the worker: nobody takes its calls for those of an earlier one. Error `models-file-invalid` */
export async function makeModel(context: ServiceContext<WorkerConfig>, life: string): Promise<ModelPort> {
  const { config, log } = context;
  const path = config.CADRE_MODELS;
  if (path === undefined) return new ModelServers(singleServer(config, config.MODEL_LIMITS), partsOf(context, life));
  let servers: ModelServers | undefined;
  await WatchedFile.open({
    path,
    onText: (text) => {
      const file = parseModelsFile(text, path);
      if (servers) log.info({ path }, 'the models file has changed');
      servers?.replace(file);
      servers ??= new ModelServers(file, partsOf(context, life));
    },
    onFault: (error) => log.warn({ err: error, path }, 'the models file cannot be used; the models stay as they were'),
  });
  return servers!;
}

function partsOf(context: ServiceContext<WorkerConfig>, life: string): ModelServersParts {
  const { config, log, metrics } = context;
  const changes = metrics.counter('cadre_model_breaker_changes_total', 'Changes of breakers of model servers', ['model', 'state']);
  const fallbacks = metrics.counter('cadre_model_fallbacks_total', 'Calls that went to another target of their model', [
    'model',
    'from',
    'to',
  ]);
  return {
    keyOf: keyReader({ ...process.env, OPENAI_API_KEY: config.OPENAI_API_KEY }, (path) => readFileSync(path, 'utf8')),
    gateOf: gates(context, life),
    prices: loadPrices(config.CADRE_PRICES),
    defaultModel: config.CADRE_MODEL,
    timeoutMs: config.CADRE_MODEL_TIMEOUT_MS,
    ...(config.CADRE_MODEL_IDLE_MS !== undefined && { idleMs: config.CADRE_MODEL_IDLE_MS }),
    onWarning: (message) => log.warn({}, message),
    onBreaker: (change) => {
      changes.inc({ model: change.model, state: change.state });
      log.warn(change, 'the breaker of a model server has changed');
    },
    onFallback: ({ model, from, to, error }) => {
      fallbacks.inc({ model, from, to });
      log.warn({ model, from, to, code: error.code }, `the model ${model} is asked at ${to}: ${error.message}`);
    },
    random: () => Math.random(),
    now: () => Date.now(),
  };
}

/** None where nothing is limited: then nothing is asked. */
function gates(context: ServiceContext<WorkerConfig>, life: string): (server: string, limits: ModelLimitTable) => CallGate | undefined {
  const { metrics, instanceId } = context;
  const labels = ['model', 'outcome'];
  const waits = metrics.histogram('cadre_model_wait_seconds', 'Time that calls waited for the allowance of a model', labels, WAIT_SECONDS);
  const refused = metrics.counter('cadre_model_refused_total', 'Calls that a model server refused for its limits all the same', ['model']);
  const governor = new NatsGovernor(context);
  let made = 0;
  return (server, limits) => {
    if (Object.keys(limits).length === 0) return undefined;
    made += 1;
    return new FleetGate({
      server,
      limits,
      // Of one server with other limits the governor hears as of another worker: passes of the earlier gate are still on their way.
      worker: `${instanceId}.${life}${made === 1 ? '' : `.${made}`}`,
      governor,
      clock: steadyClock,
      onWaited: (model, ms, granted) => waits.observe(ms / 1000, { model, outcome: granted ? 'granted' : 'given-up' }),
      onRefused: (model) => refused.inc({ model }),
    });
  };
}
