import { CadreError } from '@cadre/contracts';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { connectNats } from './connect-nats.js';
import { registerMicroService } from './micro-registration.js';
import { requestJson } from './request-json.js';
import { serveRequests } from './serve-requests.js';
import { TraceContext } from './trace-context.js';

let server: RunningNatsServer;
let nats: NatsConnection;

beforeAll(async () => {
  server = await startNatsServer();
  nats = await connectNats({ url: server.url, name: 'test' });
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});

const Sum = z.object({ sum: z.number(), traceId: z.string() });
const options = { schema: Sum, timeoutMs: 2000 };

test('JSON goes in and out, and the trace goes on', async () => {
  const endpoint = serveRequests(nats, 'test.sum', {}, (request, context) => {
    const { a, b } = z.object({ a: z.number(), b: z.number() }).parse(request);
    return { sum: a + b, traceId: context.trace.traceId };
  });
  const trace = TraceContext.start();
  expect(await requestJson(nats, 'test.sum', { a: 1, b: 2 }, { ...options, trace })).toEqual({ sum: 3, traceId: trace.traceId });
  await endpoint.stop();
  await expect(requestJson(nats, 'test.sum', { a: 1, b: 2 }, options)).rejects.toMatchObject({ code: 'no-responders', retriable: true });
});

test('bad messages and failing handlers are answered with errors, and the endpoint goes on', async () => {
  const endpoint = serveRequests(nats, 'test.bad', {}, (request) => {
    if (request === 'known') throw new CadreError('teapot', 'short and stout', { remedy: 'ask for coffee' });
    if (request === 'unknown') throw new Error('secret detail');
    return { sum: 1, traceId: '' };
  });
  const raw = await nats.request('test.bad', '{not json', { timeout: 2000 });
  expect(raw.json()).toMatchObject({ error: { code: 'malformed-json' } });
  expect((await nats.request('test.bad', new Uint8Array([0xff, 0xfe]), { timeout: 2000 })).headers?.get('Nats-Service-Error-Code')).toBe(
    '400',
  );
  await expect(requestJson(nats, 'test.bad', 'known', options)).rejects.toMatchObject({ code: 'teapot', remedy: 'ask for coffee' });
  await expect(requestJson(nats, 'test.bad', 'unknown', options)).rejects.toMatchObject({
    code: 'internal',
    message: 'the request failed',
  });
  await expect(
    requestJson(nats, 'test.bad', 'fine', { ...options, schema: Sum.extend({ more: z.string() }) as never }),
  ).rejects.toMatchObject({
    code: 'bad-reply',
  });
  nats.publish('test.bad', 'no reply subject');
  const odd = headers();
  odd.set('traceparent', 'nonsense');
  expect((await nats.request('test.bad', '"fine"', { timeout: 2000, headers: odd })).json()).toEqual({ sum: 1, traceId: '' });
  expect(endpoint.stats()).toMatchObject({ requests: 7, errors: 5 });
  await endpoint.stop();
});

test('stopping answers what has come in', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const endpoint = serveRequests(nats, 'test.slow', { queue: 'q' }, async () => {
    await held;
    return { sum: 1, traceId: 'x' };
  });
  const asked = requestJson(nats, 'test.slow', {}, options);
  await nats.flush();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const stopped = endpoint.stop();
  release();
  expect(await asked).toEqual({ sum: 1, traceId: 'x' });
  await stopped;
});

test('an unanswered request times out', async () => {
  nats.subscribe('test.silent', { callback: () => undefined });
  await expect(requestJson(nats, 'test.silent', {}, { schema: Sum, timeoutMs: 100 })).rejects.toMatchObject({ code: 'request-timeout' });
});

test('a service answers discovery, with the figures of its endpoints', async () => {
  const micro = registerMicroService(nats, { name: 'cadre-test', id: 'one', version: '1.2.3', description: 'for tests' });
  const endpoint = serveRequests(nats, 'test.figures', { queue: 'q', name: 'figures' }, () => ({ ok: true }));
  micro.add(endpoint);
  await nats.request('test.figures', '{}', { timeout: 2000 });
  const ask = async (subject: string) => (await nats.request(subject, '', { timeout: 2000 })).json<Record<string, unknown>>();
  const identity = { name: 'cadre-test', id: 'one', version: '1.2.3' };
  expect(await ask('$SRV.PING')).toMatchObject({ type: 'io.nats.micro.v1.ping_response', ...identity });
  expect(await ask('$SRV.INFO.cadre-test')).toMatchObject({
    type: 'io.nats.micro.v1.info_response',
    ...identity,
    description: 'for tests',
    endpoints: [{ name: 'figures', subject: 'test.figures', queue_group: 'q' }],
  });
  const stats = await ask('$SRV.STATS.cadre-test.one');
  expect(stats).toMatchObject({ type: 'io.nats.micro.v1.stats_response', endpoints: [{ num_requests: 1, num_errors: 0, last_error: '' }] });
  expect(Date.parse(String(stats['started']))).toBeGreaterThan(0);
  await micro.stop();
  await expect(nats.request('$SRV.PING.cadre-test', '', { timeout: 500 })).rejects.toThrow();
  expect(() => registerMicroService(nats, { name: 'a b', id: 'x', version: '1.0.0' })).toThrow(TypeError);
});
