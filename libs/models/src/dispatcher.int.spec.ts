/** Proxies of the environment. Real sockets. */
import { createServer, request as forward } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { isLoopback, proxyFor } from './dispatcher.js';
import { RemoteModel } from './remote-model.js';
import { WireServer, completion, reply as send } from './testing/wire-server.js';

const NAMES = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];
const never = new AbortController().signal;
const before = { ...process.env };
let server: WireServer;
let proxy: Server;
let seen: string[];

beforeEach(async () => {
  for (const name of NAMES) delete process.env[name];
  server = await WireServer.start();
  server.answer = (response) => send(response, 200, completion({ content: 'ok' }));
  seen = [];
  const port = Number(new URL(server.baseUrl).port);
  proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const { pathname } = new URL(request.url!, 'http://x');
    request.pipe(
      forward({ port, host: '127.0.0.1', path: pathname, method: request.method, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  proxy.on('connect', (request, socket) => {
    seen.push(`CONNECT ${request.url}`);
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const name of NAMES) {
    const value = before[name];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  proxy.closeAllConnections();
  proxy.close();
  await server.stop();
});

const proxyUrl = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
const ask = (baseUrl: string) =>
  new RemoteModel({ baseUrl, defaultModel: 'm' }).complete(
    { temperature: 0, maxOutputTokens: 10, messages: [{ role: 'user', text: 'Hello' }], tools: [] },
    never,
  );

test.each(['HTTP_PROXY', 'http_proxy'])('a server behind the proxy of %s is reached through it', async (name) => {
  process.env[name] = proxyUrl();
  expect(await ask('http://model.internal/v1')).toMatchObject({ text: 'ok' });
  expect(seen).toEqual(['POST http://model.internal/v1/chat/completions']);
});

test('what is on this machine is never asked through it, and what is spared neither', async () => {
  process.env['HTTP_PROXY'] = proxyUrl();
  expect(await ask(server.baseUrl)).toMatchObject({ text: 'ok' });
  process.env['NO_PROXY'] = 'model.internal';
  await expect(ask('http://model.internal/v1')).rejects.toMatchObject({ code: 'model-unavailable', billed: 'no' });
  expect(seen).toEqual([]);
});

test('a proxy that cannot be reached is named, and nothing was sent', async () => {
  const { port } = proxy.address() as AddressInfo;
  await new Promise((resolve) => proxy.close(resolve));
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${port}`;
  await expect(ask('http://model.internal/v1')).rejects.toMatchObject({ code: 'model-unavailable', billed: 'no', retriable: true });
});

test.each([
  ['http://localhost:1/v1', true],
  ['http://127.0.0.2/v1', true],
  ['http://[::1]:8/v1', true],
  ['http://api.localhost/v1', true],
  ['http://10.0.0.1/v1', false],
  ['https://localhost.example.com/v1', false],
  ['nothing', false],
])('%s is on this machine: %s', (url, wanted) => {
  expect(isLoopback(url)).toBe(wanted);
});

test.each<[string, Record<string, string>, string | undefined]>([
  ['https://a.example/v1', { HTTPS_PROXY: 'p' }, 'p'],
  ['https://a.example/v1', { HTTP_PROXY: 'p' }, 'p'],
  ['http://a.example/v1', { HTTPS_PROXY: 'p' }, undefined],
  ['https://a.example/v1', { HTTPS_PROXY: 'p', NO_PROXY: '.example' }, undefined],
  ['https://a.example:8443/v1', { HTTPS_PROXY: 'p', NO_PROXY: 'a.example:443' }, 'p'],
  ['https://a.example/v1', { HTTPS_PROXY: 'p', no_proxy: '*' }, undefined],
  ['http://127.0.0.1/v1', { HTTP_PROXY: 'p' }, undefined],
  ['https://a.example/v1', {}, undefined],
  ['https://a.example/v1', { HTTPS_PROXY: 'http://user:p@ss@proxy.example:3128' }, 'http://proxy.example:3128'],
  ['https://a.example/v1', { HTTPS_PROXY: 'user:pass@proxy.example:3128' }, 'proxy.example:3128'],
])('%s with %j goes through %s', (url, env, wanted) => {
  expect(proxyFor(url, env)).toBe(wanted);
});
