/** A gateway in this process, on a real nats-server, with stand-ins for the services behind it. */
import type { Json } from '@cadre/contracts';
import { connectNats } from '@cadre/messaging';
import { startNatsServer } from '@cadre/nats-server';
import { startService, type RunningService } from '@cadre/service-kit';
import type { NatsConnection } from '@nats-io/transport-node';
import { gatewayService } from '../gateway.js';
import { StandInMonitor } from './stand-in-monitor.js';
import { StandInOwner } from './stand-in-owner.js';

export interface JsonAnswer {
  status: number;
  head: Headers;
  /** Text where it is no JSON. */
  body: Json & Record<string, unknown>;
}

export interface TestGateway {
  url: string;
  nats: NatsConnection;
  owner: StandInOwner;
  monitor: StandInMonitor;
  /** A request with a JSON body, or none. @param path below `/v1/` */
  send(method: string, path: string, body?: unknown, head?: Record<string, string>): Promise<JsonAnswer>;
  stopService(): Promise<void>;
  /** Another gateway on the same server. */
  restart(): Promise<RunningService>;
  stop(): Promise<void>;
}

export async function startTestGateway(env: NodeJS.ProcessEnv = {}): Promise<TestGateway> {
  const server = await startNatsServer({ syncAlways: false });
  const nats = await connectNats({ url: server.url, name: 'test' });
  const owner = new StandInOwner(nats);
  const monitor = new StandInMonitor(nats);
  owner.onStart = (start) => monitor.add(start);
  owner.start();
  monitor.start();
  const launch = () =>
    startService({
      ...gatewayService,
      env: { NATS_URL: server.url, CADRE_PROFILE: 'fast', LOG_LEVEL: process.env['TEST_LOG'] ?? 'silent', ...env },
      ownsProcess: false,
    });
  const service = await launch();
  return {
    url: service.url,
    nats,
    owner,
    monitor,
    send: (method, path, body, head) => send(`${service.url}/v1/${path}`, method, body, head),
    stopService: () => service.stop(),
    restart: launch,
    stop: async () => {
      await service.stop();
      await nats.close();
      await server.stop();
    },
  };
}

async function send(url: string, method: string, body?: unknown, head: Record<string, string> = {}): Promise<JsonAnswer> {
  const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...head } };
  const response = await fetch(url, { method, headers: head, ...json });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return { status: response.status, head: response.headers, body: (isJson ? JSON.parse(text) : text) as JsonAnswer['body'] };
}
