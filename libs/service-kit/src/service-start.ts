/**
 * The start and the end of every service. Order at the start: settings, logs, NATS, Nest, HTTP; ready once all of it stands. At the end:
 * not ready, duties stop taking work and hand back (`beforeApplicationShutdown`), HTTP closes, NATS drains.
 */
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { CadreError } from '@cadre/contracts';
import { registerMicroService, serveRequests } from '@cadre/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { CONFIG_EXIT_CODE, loadConfig, type BaseConfig } from './base-config.js';
import { crashAt } from './crash-points.js';
import { connectBroker } from './connect-broker.js';
import { FrameworkLog } from './framework-log.js';
import { Health } from './health.js';
import { KitModule } from './kit.module.js';
import { announceLast, answerLast, refuseWaiting } from './last-requests.js';
import { createLog } from './log.js';
import { Metrics } from './metrics.js';
import { addOperationRoutes } from './operation-routes.js';
import { ProblemFilter, sendProblem } from './problem.filter.js';
import { guardProcess, type ProcessGuard } from './process-guard.js';
import { writeReadyFile } from './ready-file.js';
import type { ServiceContext } from './service-context.js';
import { startTracing } from './start-tracing.js';

/** How long a request may take to arrive whole, uploads included. */
const REQUEST_TIMEOUT_MS = 300_000;
/** Of the time that a stop may take: so long requests may still wait for what they need. */
const PATIENT_PART = 0.8;

export interface ServiceOptions<C extends BaseConfig> {
  /** Letters, digits, - and _; shown in logs, metrics, `nats micro`. */
  name: string;
  schema: z.ZodType<C>;
  module: (context: ServiceContext<C>) => DynamicModule | Type;
  /** Called before the routes are bound. */
  configure?: (app: NestFastifyApplication, context: ServiceContext<C>) => void | Promise<void>;
  /** Default: `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** Largest JSON body. Default 1 MiB. */
  bodyLimitBytes?: number;
  /** How long a stop waits for requests whose connection is there and that are still on their way, in milliseconds. Default 0. */
  drainMs?: number;
  version?: string;
  /**
   * Default true: the process is the service, so signals stop it and failures end it (78 for wrong settings, else 1).
   * False, for tests: failures reject and nothing of the process is touched.
   */
  ownsProcess?: boolean;
}

export interface RunningService {
  url: string;
  /** Graceful; the same promise each time. */
  stop(): Promise<void>;
}

/**
 * Rejects (with `ownsProcess: false`) by `CadreError`: `config-invalid`, `port-taken`, those of `connectBroker`, and what modules throw.
 */
export async function startService<C extends BaseConfig>(options: ServiceOptions<C>): Promise<RunningService> {
  const ownsProcess = options.ownsProcess ?? true;
  try {
    return await launch(options, ownsProcess);
  } catch (error) {
    if (ownsProcess) exitWith(options.name, error);
    throw error;
  }
}

async function launch<C extends BaseConfig>(options: ServiceOptions<C>, ownsProcess: boolean): Promise<RunningService> {
  const given = loadConfig(options.name, options.schema, options.env ?? process.env);
  const instanceId = given.CADRE_INSTANCE_ID ?? `${options.name}-${randomUUID().slice(0, 8)}`;
  const log = await createLog(options.name, instanceId, given);
  const { nats, config } = await connectBroker(given, instanceId, log);
  let guard: ProcessGuard | undefined;
  const context = await createContext(options, config, instanceId, log, nats, (error) => {
    log.fatal({ err: error }, 'the service cannot go on');
    guard?.end(1);
  });
  // It reconnects for ever, so a closed connection means that the server refuses us for good.
  void nats.closed().then((error) => !context.health.isStopping && context.fail(error ?? new Error('the NATS connection was closed')));
  let app: NestFastifyApplication | undefined;
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= stopAll(context, app, options.drainMs ?? 0, config.SHUTDOWN_MS));
  if (ownsProcess) guard = guardProcess(log, config.SHUTDOWN_MS, stop);
  try {
    app = await createApp(options, context);
    const url = await listen(app, config);
    context.health.serving();
    if (config.CADRE_READY_FILE) await writeReadyFile(config.CADRE_READY_FILE, url);
    log.info({ url, pid: process.pid }, `${options.name} listens on ${url}`);
    return { url, stop };
  } catch (error) {
    guard?.release();
    await stop().catch((cause: unknown) => log.warn({ err: cause }, 'stopping after a failed start failed too'));
    throw error;
  }
}

async function createContext<C extends BaseConfig>(
  options: ServiceOptions<C>,
  config: C,
  instanceId: string,
  log: Logger,
  nats: NatsConnection,
  fail: (error: unknown) => void,
): Promise<ServiceContext<C>> {
  const { name } = options;
  const health = new Health();
  health.register('nats', natsCheck(nats));
  const micro = registerMicroService(nats, {
    name: `cadre-${name}`,
    id: instanceId,
    version: options.version ?? '0.1.0',
    description: `Cadre ${name}`,
  });
  const tracing = await startTracing(`cadre-${name}`, instanceId, config.OTEL_EXPORTER_OTLP_ENDPOINT);
  const serve: ServiceContext<C>['serve'] = (subject, given, handler) => {
    const endpoint = serveRequests(nats, subject, { log, ...given }, handler);
    micro.add(endpoint);
    return endpoint;
  };
  const pass = crashAt(config.CADRE_CRASH_AT);
  if (pass !== undefined) log.warn({ point: config.CADRE_CRASH_AT }, 'this process will kill itself at a crash point');
  const metrics = new Metrics(name);
  return { name, instanceId, config, nats, log, metrics, health, tracing, micro, serve, fail, ...(pass === undefined ? {} : { pass }) };
}

function natsCheck(nats: NatsConnection) {
  let connected = true;
  void (async () => {
    for await (const status of nats.status()) {
      if (status.type === 'disconnect') connected = false;
      else if (status.type === 'reconnect') connected = true;
    }
  })();
  return () => ({ ok: connected && !nats.isClosed(), detail: connected ? nats.getServer() : 'not connected' });
}

async function createApp<C extends BaseConfig>(options: ServiceOptions<C>, context: ServiceContext<C>): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: options.bodyLimitBytes ?? 1024 * 1024,
    routerOptions: { maxParamLength: 300 },
    requestTimeout: REQUEST_TIMEOUT_MS,
    // What the router itself refuses, such as a malformed URL, never reaches the filter.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => sendProblem(request, reply, error, context.log),
  });
  const module = KitModule.forService(context, options.module(context));
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bufferLogs: true,
    abortOnError: false,
    bodyParser: false,
  });
  // Bodies are JSON unless a service takes more; without this a form or a text would pass for a body.
  adapter.getInstance().removeContentTypeParser('text/plain');
  app.useLogger(app.get(FrameworkLog));
  app.useGlobalFilters(new ProblemFilter(context.log));
  announceLast(app, context.health);
  addOperationRoutes(adapter.getInstance(), context.health, context.metrics);
  await options.configure?.(app, context);
  return app;
}

async function listen(app: NestFastifyApplication, config: BaseConfig): Promise<string> {
  try {
    await app.listen(config.HTTP_PORT, config.HTTP_HOST);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new CadreError('port-taken', `port ${config.HTTP_PORT} on ${config.HTTP_HOST} is taken`, {
      remedy: 'stop what uses it, or set HTTP_PORT to another one (0 for any free port)',
      cause,
    });
  }
  const address = app.getHttpServer().address();
  const port = typeof address === 'object' && address ? address.port : config.HTTP_PORT;
  const host = ['0.0.0.0', '::'].includes(config.HTTP_HOST) ? '127.0.0.1' : config.HTTP_HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function stopAll<C extends BaseConfig>(
  context: ServiceContext<C>,
  app: NestFastifyApplication | undefined,
  drainMs: number,
  shutdownMs: number,
): Promise<void> {
  context.health.stopping();
  if (app) {
    const refusing = setTimeout(() => refuseWaiting(app, context.log), shutdownMs * PATIENT_PART);
    try {
      await answerLast(app, drainMs);
      await app.close();
    } finally {
      clearTimeout(refusing);
    }
  }
  await context.micro.stop();
  await context.tracing.stop();
  if (!context.nats.isClosed()) await context.nats.drain().catch(() => context.nats.close());
  context.log.info({}, 'stopped');
}

/** Before there is a log, people read stderr. */
function exitWith(name: string, error: unknown): never {
  if (error instanceof CadreError) {
    const remedy = error.remedy === undefined ? '' : `\n  To do: ${error.remedy}`;
    process.stderr.write(`${error.code === 'config-invalid' ? error.message : `${name} cannot start: ${error.message}`}${remedy}\n`);
  } else process.stderr.write(`${name} cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(error instanceof CadreError && error.code === 'config-invalid' ? CONFIG_EXIT_CODE : 1);
}
