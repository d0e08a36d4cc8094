import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CadreError } from '@cadre/contracts';
import { connectNats, requestJson, TraceContext } from '@cadre/messaging';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { Body, Controller, Get, Inject, Injectable, Module, Post, Req, type BeforeApplicationShutdown } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { BaseConfig } from './base-config.js';
import { traceOf } from './request-trace.js';
import { SERVICE_CONTEXT, type ServiceContext } from './service-context.js';
import { startService, type RunningService } from './service-start.js';

const order: string[] = [];

@Injectable()
class Duty implements BeforeApplicationShutdown {
  constructor(@Inject(SERVICE_CONTEXT) readonly context: ServiceContext) {
    context.serve('test.echo', { name: 'echo' }, (request) => ({ request, by: context.name }));
  }

  async beforeApplicationShutdown(): Promise<void> {
    const ready = await this.context.health.readiness();
    order.push(`${ready.phase}, nats ${this.context.nats.isClosed() ? 'closed' : 'open'}`);
  }
}

@Controller()
class ThingsController {
  @Get('fault')
  fault(): never {
    throw new CadreError('run-conflict', 'taken', { remedy: 'use another key' });
  }

  @Get('bug')
  bug(): never {
    throw new Error('secret detail');
  }

  @Get('trace')
  trace(@Req() request: FastifyRequest) {
    return { traceId: traceOf(request).traceId };
  }

  @Post('things')
  make(@Body() body: unknown) {
    return { body };
  }
}

@Module({ controllers: [ThingsController], providers: [Duty] })
class ThingsModule {}

let server: RunningNatsServer;
let service: RunningService;
let readyFile: string;

const start = (env: NodeJS.ProcessEnv = {}, schema: z.ZodType<BaseConfig> = BaseConfig) =>
  startService({
    name: 'things',
    schema,
    module: () => ThingsModule,
    env: { NATS_URL: server.url, LOG_LEVEL: 'silent', ...env },
    ownsProcess: false,
  });

beforeAll(async () => {
  server = await startNatsServer();
  readyFile = join(await mkdtemp(join(tmpdir(), 'cadre-kit-')), 'ready.json');
  service = await start({ CADRE_READY_FILE: readyFile });
});
afterAll(async () => {
  await service.stop();
  await server.stop();
});

test('the port chosen is told, and the operation routes answer', async () => {
  expect(JSON.parse(await readFile(readyFile, 'utf8'))).toEqual({ url: service.url, pid: process.pid });
  expect(await (await fetch(`${service.url}/livez`)).json()).toEqual({ status: 'live' });
  const ready = await fetch(`${service.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({ status: 'ready', checks: { nats: { ok: true } } });
  await fetch(`${service.url}/things/none`);
  const text = await (await fetch(`${service.url}/metrics`)).text();
  expect(text).toContain('cadre_http_request_duration_seconds_count{service="things",method="GET",route="/livez",status="200"}');
  expect(text).toContain('route="none",status="404"');
});

test('errors are problems: known ones with their meaning, unknown ones with an id and no detail', async () => {
  const fault = await fetch(`${service.url}/fault`);
  expect(fault.status).toBe(409);
  expect(fault.headers.get('content-type')).toContain('application/problem+json');
  expect(await fault.json()).toMatchObject({ status: 409, code: 'run-conflict', detail: 'taken', remedy: 'use another key' });
  const bug = await fetch(`${service.url}/bug`);
  expect(bug.status).toBe(500);
  const text = await bug.text();
  expect(text).toMatch(/Error id: [0-9a-f-]{36}/);
  expect(text).not.toContain('secret');
});

test.each([
  ['{"a":', 'application/json', 400, 'malformed-json'],
  ['', 'application/json', 400, 'malformed-json'],
  ['{"__proto__":{"x":1}}', 'application/json', 400, 'malformed-json'],
  ['<a/>', 'text/xml', 415, 'unsupported-media-type'],
  [JSON.stringify('x'.repeat(1_100_000)), 'application/json', 413, 'body-too-large'],
])('the body %.20p as %s is a %p', async (body, type, status, code) => {
  const response = await fetch(`${service.url}/things`, { method: 'POST', body, headers: { 'content-type': type } });
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(await response.json()).toMatchObject({ status, code });
});

test.each([
  ['/nothing', 404, 'not-found'],
  ['/%E0%A4%A', 400, 'invalid-request'],
])('the path %s is a %p', async (path, status, code) => {
  const response = await fetch(service.url + path);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ code });
});

test('the trace of the caller is continued', async () => {
  const trace = TraceContext.start();
  const response = await fetch(`${service.url}/trace`, { headers: { traceparent: trace.format() } });
  expect(await response.json()).toEqual({ traceId: trace.traceId });
});

test('the service shows in NATS, with its endpoints', async () => {
  const nats = await connectNats({ url: server.url, name: 'test' });
  const schema = z.looseObject({});
  expect(await requestJson(nats, 'test.echo', { a: 1 }, { schema, timeoutMs: 2000 })).toEqual({ request: { a: 1 }, by: 'things' });
  const info = await requestJson(nats, '$SRV.INFO.cadre-things', {}, { schema, timeoutMs: 2000 });
  expect(info).toMatchObject({ name: 'cadre-things', endpoints: [{ name: 'echo', subject: 'test.echo' }] });
  await nats.close();
});

test('duties are told to stop while NATS still stands; then nothing listens', async () => {
  const other = await start();
  order.length = 0;
  await Promise.all([other.stop(), other.stop()]);
  expect(order).toEqual(['stopping, nats open']);
  await expect(fetch(`${other.url}/livez`)).rejects.toThrow();
});

test('a broker that does not keep what the profile promises is refused, and the connection is closed', async () => {
  const loose = await startNatsServer({ syncAlways: false });
  const watching = await connectNats({ url: loose.url, name: 'test' });
  const refused = start({ NATS_URL: loose.url });
  await expect(refused).rejects.toMatchObject({ code: 'broker-not-durable', remedy: expect.stringContaining('CADRE_PROFILE=fast') });
  const connections = z.looseObject({ data: z.looseObject({ num_connections: z.number() }) });
  // The server hears of a closed connection a moment later.
  let count = 0;
  for (let i = 0; i < 100 && count !== 1; i += 1) {
    if (i > 0) await sleep(50);
    const { data } = await requestJson(watching, '$SYS.REQ.ACCOUNT.PING.CONNZ', {}, { schema: connections, timeoutMs: 2000 });
    count = data.num_connections;
  }
  expect(count).toBe(1);
  await (await start({ NATS_URL: loose.url, CADRE_PROFILE: 'fast' })).stop();
  await watching.close();
  await loose.stop();
});

test('a module finds the number of replicas settled', async () => {
  let replicas: number | undefined;
  const service = await startService({
    ...{ name: 'things', schema: BaseConfig, ownsProcess: false, env: { NATS_URL: server.url, LOG_LEVEL: 'silent' } },
    module: ({ config }) => {
      replicas = config.CADRE_REPLICAS;
      return ThingsModule;
    },
  });
  await service.stop();
  expect(replicas).toBe(1);
});

test('wrong settings, a taken port and a missing server are clear errors', async () => {
  await expect(start({ HTTP_PORT: 'x' })).rejects.toMatchObject({ code: 'config-invalid' });
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const port = String((taken.address() as AddressInfo).port);
  await expect(start({ HTTP_PORT: port })).rejects.toMatchObject({ code: 'port-taken', message: expect.stringContaining(port) });
  taken.close();
  await expect(start({ NATS_URL: 'nats://127.0.0.1:1', NATS_WAIT_MS: '0' })).rejects.toMatchObject({ code: 'nats-unreachable' });
});
