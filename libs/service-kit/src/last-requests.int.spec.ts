/** A service that is asked to stop, while requests are on their way to it. */
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { BaseConfig } from './base-config.js';
import { startService, type RunningService } from './service-start.js';

@Controller()
class ThingsController {
  @Get('things')
  things() {
    return { things: [] };
  }

  /** Waits for what does not come. */
  @Get('vainly')
  async vainly() {
    await sleep(15_000, undefined, { ref: false });
    return {};
  }

  /** Its head is sent at once, its end some time after the service was asked to stop. */
  @Get('slowly')
  async slowly(@Res() reply: FastifyReply) {
    async function* parts() {
      yield 'begun ';
      await sleep(800);
      yield 'done';
    }
    await reply.send(Readable.from(parts()));
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

let server: RunningNatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

function start(drainMs?: number, more: Record<string, string> = {}): Promise<RunningService> {
  const env = { NATS_URL: server.url, LOG_LEVEL: 'silent', CADRE_PROFILE: 'fast', ...more };
  return startService({
    ...{ name: 'things', schema: BaseConfig, module: () => ThingsModule, env, ownsProcess: false },
    ...(drainMs === undefined ? {} : { drainMs }),
  });
}

function connected(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** All that comes until the other side closes. */
function answer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
}

const REQUEST = 'GET /things HTTP/1.1\r\nhost: x\r\n\r\n';

test('a request whose connection was taken is answered, though the service is stopping by then', async () => {
  const service = await start(300);
  const socket = await connected(service.url);
  const before = await connected(service.url);
  before.write(REQUEST);
  await new Promise((resolve) => before.once('data', resolve));
  const stopped = service.stop();
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.write(REQUEST);
  before.write(REQUEST);
  const [fresh, kept] = await Promise.all([answer(socket), answer(before)]);
  for (const text of [fresh, kept]) expect(text).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*connection: close[\s\S]*\{"things":\[\]\}/i);
  await expect(connected(service.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await stopped;
}, 30_000);

test('an answer that began before the stop ends whole, and its connection does not hold up the stop', async () => {
  const service = await start(100);
  const socket = await connected(service.url);
  const text = answer(socket);
  socket.write('GET /slowly HTTP/1.1\r\nhost: x\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  const began = performance.now();
  await service.stop();
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(await text).toMatch(/begun [\s\S]*done/);
}, 30_000);

test.each([0, 100])(
  'a connection on which nothing was ever asked does not hold up the stop (waiting %i ms)',
  async (drainMs) => {
    const service = await start(drainMs);
    const unused = await connected(service.url);
    const closed = answer(unused).catch(() => 'reset');
    const began = performance.now();
    await service.stop();
    expect(performance.now() - began).toBeLessThan(20_000);
    await closed;
  },
  30_000,
);

test('without requests on their way a stop takes no longer than it must', async () => {
  const service = await start();
  const began = performance.now();
  await service.stop();
  expect(performance.now() - began).toBeLessThan(20_000);
}, 30_000);

test('a request that waits in vain is refused before the stop is cut short', async () => {
  const service = await start(100, { SHUTDOWN_MS: '2000' });
  const socket = await connected(service.url);
  const text = answer(socket);
  socket.write('GET /vainly HTTP/1.1\r\nhost: x\r\n\r\n');
  await sleep(100);
  await service.stop();
  expect(await text).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: [\s\S]*connection: close[\s\S]*"code":"unavailable"/i);
}, 30_000);
