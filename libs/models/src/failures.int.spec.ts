/** The table of failures: what the server does, and what the caller is told. Real sockets. */
import { createServer as createTlsServer } from 'node:tls';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { ModelRequest } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import { RemoteModel } from './remote-model.js';
import { WireServer, completion, reply } from './testing/wire-server.js';
import { OWN_CERTIFICATE } from './testing/own-certificate.js';
import type { Answer } from './testing/wire-server.js';

/** For answers that never come. The others get time enough on a busy machine. */
const SHORT_MS = 300;
const LONG_MS = 20_000;
const ASK: ModelRequest = { temperature: 0, maxOutputTokens: 100, messages: [{ role: 'user', text: 'Hello' }], tools: [] };
const never = new AbortController().signal;

let server: WireServer;
const raws: Server[] = [];
beforeEach(async () => {
  server = await WireServer.start();
});
afterEach(async () => {
  await server.stop();
  for (const raw of raws.splice(0)) raw.close();
});

async function failureOf(baseUrl: string, timeoutMs = LONG_MS): Promise<CadreError> {
  const model = new RemoteModel({ baseUrl, apiKey: 'sk-secret-1', defaultModel: 'cadre-sim-1', timeoutMs });
  try {
    await model.complete(ASK, never);
  } catch (error) {
    if (error instanceof CadreError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

const status =
  (code: number, error: object = {}, headers: Record<string, string> = {}): Answer =>
  (response) =>
    reply(response, code, { error: { message: 'Because.', ...error } }, headers);
const page =
  (code: number): Answer =>
  (response) =>
    reply(response, code, '<html>Bad gateway</html>', { 'content-type': 'text/html' });
const text =
  (code: number, body: object): Answer =>
  (response) =>
    reply(response, code, body);
const list = (code: number, error: object): Answer => text(code, [{ error: { code, ...error } }]);
const inside = (error: object): Answer => text(200, { error });
const choice = (more: object): Answer => text(200, completion({}, { choices: [{ index: 0, ...more }] }));
const headersOnly: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"choices":');
};
const truncated: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
  response.write('{"choices":');
  setTimeout(() => response.socket?.destroy(), 20);
};
const cutStream: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
  response.write('{"choices":');
  setTimeout(() => response.socket?.resetAndDestroy(), 20);
};
const soon = (ms: number) => new Date(Date.now() + ms).toUTCString();

type Row = [what: string, answer: Answer, code: string, retriable: boolean, billed: 'no' | 'unknown', retryAfterMs?: number];

const TABLE: Row[] = [
  ['429', status(429), 'model-rate-limited', true, 'no'],
  ['429, Retry-After in seconds', status(429, {}, { 'retry-after': '7' }), 'model-rate-limited', true, 'no', 7000],
  ['429, retry-after-ms', status(429, {}, { 'retry-after-ms': '120.5', 'retry-after': '1' }), 'model-rate-limited', true, 'no', 121],
  ['429, Retry-After for an hour', status(429, {}, { 'retry-after': '3600' }), 'model-rate-limited', true, 'no', 3_600_000],
  ['429, Retry-After for days', status(429, {}, { 'retry-after': '900000' }), 'model-quota-exhausted', false, 'no'],
  ['429, Retry-After in the past', status(429, {}, { 'retry-after': soon(-60_000) }), 'model-rate-limited', true, 'no', 0],
  ['429, Retry-After that is none', status(429, {}, { 'retry-after': 'later' }), 'model-rate-limited', true, 'no'],
  ['429 for want of quota', status(429, { code: 'insufficient_quota' }), 'model-quota-exhausted', false, 'no'],
  ['429 for want of quota, by type', status(429, { type: 'insufficient_quota' }), 'model-quota-exhausted', false, 'no'],
  ['429 for the day, by words', status(429, { message: 'Limit of requests per day reached.' }), 'model-quota-exhausted', false, 'no'],
  ['429 for the day, by time', status(429, { message: 'Try again in 11h6m40s.' }), 'model-quota-exhausted', false, 'no'],
  [
    '429 of a minute of a day',
    status(429, { message: 'Tokens per day (TPD): try again in 7m12s.' }),
    'model-rate-limited',
    true,
    'no',
    432_000,
  ],
  ['429, time in the body', status(429, { message: 'Please try again in 19.2s.' }), 'model-rate-limited', true, 'no', 19_200],
  ['429, a list', list(429, { message: 'Quota exceeded.', details: [{ retryDelay: '20.1s' }] }), 'model-rate-limited', true, 'no', 20_100],
  [
    '429 of Google for the day',
    list(429, { message: 'Quota', details: [{ retryDelay: '9s' }, { quotaId: 'RequestsPerDayPerProject' }] }),
    'model-quota-exhausted',
    false,
    'no',
  ],
  ['429, what is left', status(429, {}, { 'x-ratelimit-reset-requests': '1m30s' }), 'model-rate-limited', true, 'no', 90_000],
  ['429, HTML', page(429), 'model-rate-limited', true, 'no'],
  [
    '400 for want of credit',
    status(400, { message: 'Your credit balance is too low to access the API.' }),
    'model-quota-exhausted',
    false,
    'no',
  ],
  ['503, loading', status(503, { message: 'Loading model' }), 'model-loading', true, 'no'],
  ['503, loading, as text', text(503, { error: 'Model x is currently loading', estimated_time: 20 }), 'model-loading', true, 'no', 20_000],
  ['503, error as text', text(503, { error: 'Service overloaded' }), 'model-unavailable', true, 'no'],
  ['500, a call miswritten', status(500, { message: "error parsing tool call: raw='x'" }), 'model-call-unread', true, 'no'],
  ['400, a call miswritten', status(400, { code: 'tool_use_failed' }), 'model-call-unread', true, 'no'],
  ['400, no tools', status(400, { message: 'gemma does not support tools' }), 'model-rejected', false, 'no'],
  ['200, 429 inside', inside({ message: 'Provider returned error', code: 429 }), 'model-rate-limited', true, 'no'],
  ['200, 402 inside', inside({ message: 'Insufficient credits', code: 402 }), 'model-quota-exhausted', false, 'no'],
  ['200, 401 inside, as text', inside({ message: 'No auth', code: '401' }), 'model-unauthorized', false, 'no'],
  ['200, no such model inside', inside({ message: 'The model `x` does not exist' }), 'model-not-found', false, 'no'],
  ['200, a limit inside, by type', inside({ message: 'Slow down', type: 'rate_limit_error' }), 'model-rate-limited', true, 'no'],
  [
    '200, an error in the choice',
    choice({ finish_reason: 'error', error: { message: 'Overloaded', code: 503 } }),
    'model-unavailable',
    true,
    'unknown',
  ],
  ['200, finish error', choice({ finish_reason: 'error', message: { content: '' } }), 'model-unavailable', true, 'unknown'],
  ['308', (response) => reply(response, 308, '', { location: 'https://x/v1' }), 'model-rejected', false, 'no'],
  ['402', status(402), 'model-quota-exhausted', false, 'no'],
  ['500', status(500), 'model-unavailable', true, 'unknown'],
  ['502 of a gateway', page(502), 'model-unavailable', true, 'unknown'],
  ['503 of the server', status(503), 'model-unavailable', true, 'no'],
  ['503 with Retry-After', status(503, {}, { 'retry-after': '2' }), 'model-unavailable', true, 'no', 2000],
  ['503 of a gateway', page(503), 'model-unavailable', true, 'unknown'],
  ['504', page(504), 'model-unavailable', true, 'unknown'],
  ['529', status(529), 'model-unavailable', true, 'no'],
  ['408', status(408), 'model-timeout', true, 'unknown'],
  ['409', status(409), 'model-unavailable', true, 'no'],
  ['425', status(425), 'model-unavailable', true, 'no'],
  ['401', status(401), 'model-unauthorized', false, 'no'],
  ['403', status(403), 'model-unauthorized', false, 'no'],
  ['404', status(404, { code: 'model_not_found' }), 'model-not-found', false, 'no'],
  ['404 of another server', page(404), 'model-not-found', false, 'no'],
  ['403 for an unknown model', status(403, { code: 'model_not_found' }), 'model-not-found', false, 'no'],
  ['400', status(400), 'model-rejected', false, 'no'],
  ['422', status(422), 'model-rejected', false, 'no'],
  ['413', status(413), 'model-context-exceeded', false, 'no'],
  ['400 for length, by code', status(400, { code: 'context_length_exceeded' }), 'model-context-exceeded', false, 'no'],
  ['400 for length, by words', status(400, { message: 'prompt is too long' }), 'model-context-exceeded', false, 'no'],
  ['400 by the content filter', status(400, { code: 'content_filter' }), 'model-refused', false, 'unknown'],
  ['400 by a policy', status(400, { message: 'triggering the content management policy' }), 'model-refused', false, 'unknown'],
  ['no answer', () => undefined, 'model-timeout', true, 'unknown'],
  ['a body that never ends', headersOnly, 'model-timeout', true, 'unknown'],
  ['a reset after the request', (response) => response.socket?.resetAndDestroy(), 'model-unavailable', true, 'unknown'],
  ['a close after the request', (response) => response.socket?.destroy(), 'model-unavailable', true, 'unknown'],
  ['a truncated body', truncated, 'model-unavailable', true, 'unknown'],
  ['a stream that breaks off', cutStream, 'model-unavailable', true, 'unknown'],
  ['malformed JSON', (response) => reply(response, 200, '{"choices": ['), 'model-garbled', true, 'unknown'],
  ['an HTML page', page(200), 'model-garbled', true, 'unknown'],
  ['no choices', (response) => reply(response, 200, completion({}, { choices: [] })), 'model-garbled', true, 'unknown'],
  ['no message', (response) => reply(response, 200, completion({}, { choices: [{ index: 0 }] })), 'model-garbled', true, 'unknown'],
  ['null', (response) => reply(response, 200, 'null'), 'model-garbled', true, 'unknown'],
];

// Rest parameters: with a parameter more than a row has, jest would wait for a callback.
test.each(TABLE)('%s', async (...row: Row) => {
  const [, answer, code, retriable, billed, retryAfterMs] = row;
  server.answer = answer;
  const error = await failureOf(server.baseUrl, code === 'model-timeout' ? SHORT_MS : LONG_MS);
  expect(error).toMatchObject({ code, retriable, billed });
  expect(error.retryAfterMs).toBe(retryAfterMs);
  expect(error.message).toContain(server.baseUrl);
  expect(`${error.message} ${error.remedy}`).not.toContain('sk-secret');
  // The adapter never asks again by itself: each try needs a reservation. (A request refused as such may be put in another dialect.)
  expect(server.seen).toHaveLength(1);
});

test.each<[string, Answer, RegExp]>([
  [
    'a redirect to another path',
    (response) => reply(response, 308, '', { location: '/v2/chat/completions' }),
    /http:\/\/127\.0\.0\.1:\d+\/v2$/,
  ],
  ['a redirect to another host', (response) => reply(response, 301, '', { location: 'https://x/v1/chat/completions' }), /https:\/\/x\/v1$/],
  ['a page that is not there', page(404), /base of an OpenAI-compatible API/],
  ['a model that is not there', status(404, { message: 'model "x" not found, try pulling it first' }), /CADRE_MODEL/],
  ['an HTML page', page(200), /base of an OpenAI-compatible API/],
  ['a body that is too large for a proxy', page(413), /too many bytes.*proxy/],
  ['a prompt that is too large', status(413, { message: 'Too many tokens in the prompt.' }), /larger window/],
  ['a cap without a number', status(400, { message: 'max_tokens is too large for this model' }), /CADRE_MAX_OUTPUT_TOKENS/],
  [
    'vLLM without a parser of calls',
    status(400, { message: '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set' }),
    /vLLM: --enable-auto-tool-choice/,
  ],
])('the remedy for %s', async (_, answer, remedy) => {
  server.answer = answer;
  expect((await failureOf(server.baseUrl)).remedy?.replace(/\.$/, '')).toMatch(remedy);
});

test('a date in Retry-After is a time from now', async () => {
  server.answer = status(429, {}, { 'retry-after': soon(60_000) });
  const { retryAfterMs } = await failureOf(server.baseUrl);
  expect(retryAfterMs).toBeGreaterThan(30_000);
  expect(retryAfterMs).toBeLessThanOrEqual(60_000);
});

test('what the server says is in the message', async () => {
  server.answer = status(500);
  expect((await failureOf(server.baseUrl)).message).toMatch('500: Because.');
});

describe('without a connection nothing was sent, so nothing is billed', () => {
  test('nobody listens', async () => {
    const { url, stop } = await rawServer(() => undefined);
    await stop();
    const error = await failureOf(url('http'));
    expect(error).toMatchObject({ code: 'model-unavailable', retriable: true, billed: 'no' });
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.remedy).toContain('OPENAI_BASE_URL');
  });

  test('the name is not known', async () => {
    expect(await failureOf('http://model.invalid/v1')).toMatchObject({ code: 'model-unavailable', retriable: true, billed: 'no' });
  });

  test('a certificate of no authority is final: waiting mends nothing', async () => {
    const tls = createTlsServer(OWN_CERTIFICATE, (socket) => socket.on('error', () => undefined));
    tls.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    try {
      const error = await failureOf(`https://localhost:${(tls.address() as AddressInfo).port}/v1`);
      expect(error).toMatchObject({ code: 'model-untrusted', retriable: false, billed: 'no' });
      expect(error.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
      expect(error.remedy).toContain('NODE_EXTRA_CA_CERTS');
    } finally {
      await new Promise((resolve) => tls.close(resolve));
    }
  });

  test('plain HTTP at an https URL is final', async () => {
    const { url } = await rawServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    expect(await failureOf(url('https'))).toMatchObject({ code: 'model-untrusted', retriable: false, billed: 'no' });
  });

  test('the connection ends before the request could be sent', async () => {
    const { url } = await rawServer((socket) => socket.once('data', () => socket.end()));
    expect(await failureOf(url('https'))).toMatchObject({ code: 'model-unavailable', retriable: true, billed: 'no' });
  });
});

test('a connection that is reset at its first bytes may have carried the request: nobody can tell', async () => {
  const { url } = await rawServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
  expect(await failureOf(url('http'))).toMatchObject({ code: 'model-unavailable', retriable: true, billed: 'unknown' });
});

async function rawServer(onConnection: (socket: Socket) => void) {
  const raw = createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  raws.push(raw);
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
  const { port } = raw.address() as AddressInfo;
  return {
    url: (protocol: string) => `${protocol}://127.0.0.1:${port}/v1`,
    stop: () => new Promise((resolve) => raw.close(resolve)),
  };
}
