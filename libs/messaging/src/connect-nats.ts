/** One way to connect to NATS for all services: waits a little for the server, checks its version, then reconnects for ever. */
import { CadreError } from '@cadre/contracts';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { MessageLog } from './message-log.js';

/** JetStream features that the log relies on, and fixes for its fence, are in from this version on. */
export const MIN_NATS_VERSION = '2.14.4';

const RETRY_EVERY_MS = 250;

export interface ConnectOptions {
  /** One server or several, separated by commas: `nats://127.0.0.1:4222`. */
  url: string;
  /** Shown by the server's monitoring. */
  name: string;
  log?: MessageLog;
  /** How long to keep trying to connect for the first time. Default 5000. */
  waitMs?: number;
}

/**
 * Errors: `CadreError` `nats-unreachable` (retriable) when no server answers in time, `nats-refused` when it wants credentials,
 * `nats-too-old` and `nats-no-jetstream` when it cannot serve Cadre.
 */
export async function connectNats(options: ConnectOptions): Promise<NatsConnection> {
  const nats = await firstConnection(options);
  const fault = serverFault(nats, options.url);
  if (fault) {
    await nats.close();
    throw fault;
  }
  if (options.log) void reportStatus(nats, options.log);
  return nats;
}

/** @returns true when `version` (`2.15.1`, `2.15.0-RC.1`) is at least `minimum` */
export function isAtLeast(version: string, minimum: string): boolean {
  const numbers = (text: string) => (text.split('-')[0] ?? '').split('.').map((part) => Number.parseInt(part, 10) || 0);
  const [have, want] = [numbers(version), numbers(minimum)];
  for (let i = 0; i < 3; i += 1) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

async function firstConnection(options: ConnectOptions): Promise<NatsConnection> {
  const until = Date.now() + (options.waitMs ?? 5000);
  let told = false;
  for (;;) {
    try {
      return await connectOnce(options);
    } catch (cause) {
      if (isRefusal(cause)) throw refused(options.url, cause);
      if (Date.now() >= until) throw unreachable(options.url, cause);
      if (!told) options.log?.warn({ url: withoutPassword(options.url) }, 'NATS does not answer yet; trying on');
      told = true;
      await new Promise((resolve) => setTimeout(resolve, RETRY_EVERY_MS));
    }
  }
}

function connectOnce(options: ConnectOptions): Promise<NatsConnection> {
  return connect({
    servers: options.url.split(',').map((server) => server.trim()),
    name: options.name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RETRY_EVERY_MS,
    reconnectJitter: 100,
    pingInterval: 20_000,
    timeout: 5000,
    noAsyncTraces: true,
  });
}

function serverFault(nats: NatsConnection, url: string): CadreError | undefined {
  const version = nats.info?.version ?? '0.0.0';
  if (!isAtLeast(version, MIN_NATS_VERSION)) {
    return new CadreError(
      'nats-too-old',
      `the nats-server at ${withoutPassword(url)} is version ${version}; Cadre needs ${MIN_NATS_VERSION} or newer`,
      {
        remedy: `start a nats-server ${MIN_NATS_VERSION} or newer, or point NATS_URL at one`,
      },
    );
  }
  if (nats.info?.jetstream !== true) {
    return new CadreError('nats-no-jetstream', `the nats-server at ${withoutPassword(url)} runs without JetStream`, {
      remedy: 'start it with -js and a store directory: nats-server -js -sd <folder>',
    });
  }
  return undefined;
}

function unreachable(url: string, cause: unknown): CadreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CadreError('nats-unreachable', `no nats-server answers at ${withoutPassword(url)} (${reason})`, {
    retriable: true,
    remedy: 'start one there (nats-server -js), or set NATS_URL to where it listens',
    cause,
  });
}

function refused(url: string, cause: unknown): CadreError {
  return new CadreError('nats-refused', `the nats-server at ${withoutPassword(url)} refuses this client: ${(cause as Error).message}`, {
    remedy: 'put the credentials into NATS_URL: nats://user:password@host:4222',
    cause,
  });
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && ['AuthorizationError', 'UserAuthenticationExpiredError'].includes(error.name);
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/@,]*@/g, '//***@');
}

async function reportStatus(nats: NatsConnection, log: MessageLog): Promise<void> {
  for await (const status of nats.status()) {
    if (status.type === 'disconnect') log.warn({ server: status.server }, 'NATS connection lost; reconnecting');
    else if (status.type === 'reconnect') log.info({ server: status.server }, 'NATS connection is back');
    else if (status.type === 'error') log.warn({ err: status.error }, 'NATS reports an error');
    else if (status.type === 'slowConsumer') log.warn({ subject: status.sub.getSubject(), pending: status.pending }, 'slow NATS consumer');
  }
}
