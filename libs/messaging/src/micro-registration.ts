/**
 * Registration as a NATS micro service (ADR-32), so that `nats micro ls`, `info` and `stats` show every service of Cadre. Written here
 * because the client's own package for it is a prerelease tied to an older core.
 */
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { RequestEndpoint } from './serve-requests.js';

export interface MicroServiceOptions {
  /** Letters, digits, - and _. */
  name: string;
  /** Unique among the instances: letters, digits, - and _. */
  id: string;
  /** Semantic version. */
  version: string;
  description?: string;
  metadata?: Record<string, string>;
}

export interface MicroService {
  /** Shows an endpoint in INFO and STATS. */
  add(endpoint: RequestEndpoint): void;
  stop(): Promise<void>;
}

const NAME = /^[A-Za-z0-9_-]+$/;
const VERBS = ['PING', 'INFO', 'STATS'] as const;
type Verb = (typeof VERBS)[number];

export function registerMicroService(nats: NatsConnection, options: MicroServiceOptions): MicroService {
  if (!NAME.test(options.name) || !NAME.test(options.id)) throw new TypeError('a service name and id hold letters, digits, - and _ only');
  const endpoints: RequestEndpoint[] = [];
  const identity = { name: options.name, id: options.id, version: options.version, metadata: options.metadata ?? {} };
  const started = new Date().toISOString();
  const answers: Record<Verb, () => object> = {
    PING: () => ({ type: 'io.nats.micro.v1.ping_response', ...identity }),
    INFO: () => ({
      type: 'io.nats.micro.v1.info_response',
      ...identity,
      description: options.description ?? '',
      endpoints: endpoints.map(describe),
    }),
    STATS: () => ({
      type: 'io.nats.micro.v1.stats_response',
      ...identity,
      started,
      endpoints: endpoints.map((endpoint) => ({ ...describe(endpoint), ...figures(endpoint) })),
    }),
  };
  const subscriptions = VERBS.flatMap((verb) => listen(nats, verb, options, answers[verb]));
  return {
    add: (endpoint) => void endpoints.push(endpoint),
    stop: async () => {
      await Promise.all(
        subscriptions.filter((each) => !each.isClosed() && !each.isDraining()).map((each) => each.drain().catch(() => undefined)),
      );
    },
  };
}

function listen(nats: NatsConnection, verb: Verb, options: MicroServiceOptions, answer: () => object): Subscription[] {
  const callback = (error: Error | null, message: Msg) => {
    if (!error) message.respond(JSON.stringify(answer()));
  };
  return [`$SRV.${verb}`, `$SRV.${verb}.${options.name}`, `$SRV.${verb}.${options.name}.${options.id}`].map((subject) =>
    nats.subscribe(subject, { callback }),
  );
}

function describe(endpoint: RequestEndpoint) {
  return { name: endpoint.name, subject: endpoint.subject, queue_group: endpoint.queue, metadata: {} };
}

/** Times are nanoseconds there. */
function figures(endpoint: RequestEndpoint) {
  const stats = endpoint.stats();
  const total = Math.round(stats.processingMs * 1e6);
  return {
    num_requests: stats.requests,
    num_errors: stats.errors,
    last_error: stats.lastError,
    processing_time: total,
    average_processing_time: stats.requests === 0 ? 0 : Math.round(total / stats.requests),
  };
}
