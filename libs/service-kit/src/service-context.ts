/** What every part of a service may use; injectable under `SERVICE_CONTEXT`. */
import type { MicroService, RequestEndpoint, RequestHandler, ServeOptions } from '@cadre/messaging';
import type { PassCrashPoint } from '@cadre/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { BaseConfig } from './base-config.js';
import type { Health } from './health.js';
import type { Metrics } from './metrics.js';
import type { Tracing } from './tracing.js';

export const SERVICE_CONTEXT = Symbol('cadre.service-context');

export interface ServiceContext<C extends BaseConfig = BaseConfig> {
  /** For example `gateway`. */
  name: string;
  /** Unique among all processes; letters, digits, - and _. */
  instanceId: string;
  config: C;
  nats: NatsConnection;
  log: Logger;
  metrics: Metrics;
  health: Health;
  tracing: Tracing;
  micro: MicroService;
  /** `serveRequests`, shown in `nats micro`, logged, counted. The endpoint is stopped by whoever asked for it. */
  serve(subject: string, options: ServeOptions, handler: RequestHandler): RequestEndpoint;
  /** Set only when the process shall die at a named point; see `passingPoints`. */
  pass?: PassCrashPoint;
  /**
   * Asks the service to stop because it cannot go on: logged, graceful, exit code 1.
   * For broken invariants of a background duty; never for bad input.
   */
  fail(error: unknown): void;
}
