/** The model behind all agents of a worker: one gate and one breaker for all attempts of the process. */
import { FleetGate } from '@cadre/agents';
import type { CallGate, ModelPort } from '@cadre/agents';
import { steadyClock } from '@cadre/messaging';
import { ModelBreaker, OpenAiModel, loadPrices } from '@cadre/models';
import type { BreakerChange } from '@cadre/models';
import type { ServiceContext } from '@cadre/service-kit';
import { NatsGovernor } from './nats-governor.js';
import type { WorkerConfig } from './worker.config.js';

const WAIT_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** @param life of the worker: nobody takes its calls for those of an earlier one */
export function makeModel(context: ServiceContext<WorkerConfig>, life: string): ModelPort {
  const { config, log, metrics } = context;
  const server = config.OPENAI_BASE_URL;
  const defaultModel = config.CADRE_MODEL;
  const gate = makeGate(context, life);
  const model = new OpenAiModel({
    ...{ baseUrl: server, defaultModel },
    ...(config.OPENAI_API_KEY !== undefined && { apiKey: config.OPENAI_API_KEY }),
    timeoutMs: config.CADRE_MODEL_TIMEOUT_MS,
    ...(config.CADRE_MODEL_IDLE_MS !== undefined && { idleMs: config.CADRE_MODEL_IDLE_MS }),
    ...(config.CADRE_MAX_OUTPUT_TOKENS && { maxOutputTokens: config.CADRE_MAX_OUTPUT_TOKENS }),
    responseFormat: config.CADRE_RESPONSE_FORMAT,
    prices: loadPrices(config.CADRE_PRICES),
    ...(gate && { gate }),
    onWarning: (message) => log.warn({}, message),
  });
  const changes = metrics.counter('cadre_model_breaker_changes_total', 'Changes of breakers of model servers', ['model', 'state']);
  const onChange = (change: BreakerChange) => {
    changes.inc({ model: change.model, state: change.state });
    log.warn(change, 'the breaker of a model server has changed');
  };
  return new ModelBreaker(model, { server, defaultModel, onChange, isGoverned: (name) => gate?.governs(name) ?? false });
}

/** None where nothing is limited: then nothing is asked. */
function makeGate(context: ServiceContext<WorkerConfig>, life: string): CallGate | undefined {
  const { config, metrics, instanceId } = context;
  const limits = config.MODEL_LIMITS;
  if (Object.keys(limits).length === 0) return undefined;
  const labels = ['model', 'outcome'];
  const waits = metrics.histogram('cadre_model_wait_seconds', 'Time that calls waited for the allowance of a model', labels, WAIT_SECONDS);
  const refused = metrics.counter('cadre_model_refused_total', 'Calls that a model server refused for its limits all the same', ['model']);
  return new FleetGate({
    server: config.OPENAI_BASE_URL,
    limits,
    worker: `${instanceId}.${life}`,
    governor: new NatsGovernor(context),
    clock: steadyClock,
    onWaited: (model, ms, granted) => waits.observe(ms / 1000, { model, outcome: granted ? 'granted' : 'given-up' }),
    onRefused: (model) => refused.inc({ model }),
  });
}
