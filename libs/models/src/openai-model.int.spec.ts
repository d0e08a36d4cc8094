import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ModelRequest } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import { OpenAiModel } from './openai-model.js';
import type { OpenAiModelOptions } from './openai-model.js';

interface Seen {
  path: string | undefined;
  authorization: string | undefined;
  body: Record<string, unknown>;
}
type Handler = (response: ServerResponse, seen: Seen, request: IncomingMessage) => void;

let server: Server;
let handler: Handler;
let seen: Seen[];

beforeEach(async () => {
  seen = [];
  server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const entry = { path: request.url, authorization: request.headers.authorization, body: JSON.parse(text) };
    seen.push(entry);
    handler(response, entry, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const baseUrl = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
const port = (options: Partial<OpenAiModelOptions> = {}) =>
  new OpenAiModel({ baseUrl: baseUrl(), apiKey: 'k', defaultModel: 'cadre-sim-1', ...options });
const ask = (over: Partial<ModelRequest> = {}): ModelRequest => ({
  temperature: 0,
  maxOutputTokens: 100,
  messages: [{ role: 'user', text: 'Hello' }],
  tools: [],
  ...over,
});
const never = new AbortController().signal;
const send = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};
const completion = (message: object, more: object = {}) => ({
  id: 'x',
  object: 'chat.completion',
  model: 'cadre-sim-1',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: null, ...message } }],
  usage: { prompt_tokens: 1000, completion_tokens: 50, total_tokens: 1050 },
  ...more,
});
const failure = async (work: Promise<unknown>): Promise<CadreError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof CadreError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

describe('answers', () => {
  test('text, usage and cost; the wire format of the request', async () => {
    handler = (response) => send(response, 200, completion({ content: '<think>hm {</think>\n{"a":1}' }));
    const reply = await port().complete(
      ask({
        messages: [
          { role: 'system', text: 'S' },
          { role: 'assistant', text: '', toolCalls: [{ id: 'c1', name: 'look', arguments: '{}' }] },
          { role: 'tool', toolCallId: 'c1', text: '{"ok":true}' },
        ],
        tools: [{ name: 'look', description: 'Looks.', parameters: { type: 'object' } }],
        responseSchema: { name: 'reply', schema: { type: 'object' } },
      }),
      never,
    );
    expect(reply).toEqual({
      model: 'cadre-sim-1',
      text: '{"a":1}',
      toolCalls: [],
      finish: 'stop',
      inputTokens: 1000,
      outputTokens: 50,
      costMicros: 120,
    });
    expect(seen[0]).toMatchObject({
      path: '/v1/chat/completions',
      authorization: 'Bearer k',
      body: {
        model: 'cadre-sim-1',
        max_tokens: 100,
        temperature: 0,
        messages: [
          { role: 'system', content: 'S' },
          { role: 'assistant', content: '', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }] },
          { role: 'tool', tool_call_id: 'c1', content: '{"ok":true}' },
        ],
        tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: { type: 'object' } } }],
        response_format: { type: 'json_schema', json_schema: { name: 'reply', strict: false } },
      },
    });
    expect(seen[0]?.body).not.toHaveProperty('stream');
  });

  test('tool calls, with arguments as text or as an object', async () => {
    const call = (args: unknown) => ({ id: 'a', type: 'function', function: { name: 'look', arguments: args } });
    handler = (response) => send(response, 200, completion({ tool_calls: [call('{"x":1}'), call({ x: 2 })] }, {}));
    expect(await port().complete(ask(), never)).toMatchObject({
      finish: 'tool-calls',
      toolCalls: [{ id: 'a', name: 'look', arguments: '{"x":1}' }, { arguments: '{"x":2}' }],
    });
  });

  test.each([
    [{ finish_reason: 'length', message: { content: 'half' } }, 'length'],
    [{ finish_reason: 'content_filter', message: { content: null } }, 'refusal'],
    [{ finish_reason: 'stop', message: { refusal: 'No.' } }, 'refusal'],
    [{ message: { content: 'x' } }, 'stop'],
  ])('finish of %j is %s', async (choice, finish) => {
    handler = (response) => send(response, 200, completion({}, { choices: [choice] }));
    expect(await port().complete(ask(), never)).toMatchObject({ finish });
  });

  test('missing usage is estimated and flagged; an unknown price warns once', async () => {
    handler = (response) => send(response, 200, completion({ content: 'x'.repeat(400) }, { usage: undefined, model: 'who-knows' }));
    const warnings: string[] = [];
    const model = port({ onWarning: (message) => warnings.push(message) });
    for (let i = 0; i < 2; i += 1) {
      const reply = await model.complete(ask({ model: 'who-knows' }), never);
      expect(reply).toMatchObject({ estimated: true, costMicros: 0 });
      expect(reply.outputTokens).toBeGreaterThanOrEqual(100);
      expect(reply.outputTokens).toBeLessThan(110);
    }
    expect(warnings).toHaveLength(2);
    expect(warnings.join()).toMatch(/estimated.*CADRE_PRICES/s);
  });
});

describe('dialects', () => {
  test('a server that refuses JSON schemas is asked in easier ways, and remembered', async () => {
    handler = (response, { body }) => {
      const format = body['response_format'] as { type: string } | undefined;
      if (format) send(response, 400, { error: { message: `response_format ${format.type} is not supported` } });
      else send(response, 200, completion({ content: '{}' }));
    };
    const model = port();
    const request = ask({ responseSchema: { name: 'reply', schema: { type: 'object' } } });
    await model.complete(request, never);
    expect(seen.map(({ body }) => (body['response_format'] as { type: string } | undefined)?.type)).toEqual([
      'json_schema',
      'json_object',
      undefined,
    ]);
    await model.complete(request, never);
    expect(seen).toHaveLength(4);
  });

  test('a server that wants max_completion_tokens and no temperature gets that', async () => {
    handler = (response, { body }) => {
      if ('max_tokens' in body)
        send(response, 400, { error: { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'." } });
      else if ('temperature' in body) send(response, 400, { error: { message: "Unsupported value: 'temperature'." } });
      else send(response, 200, completion({ content: 'ok' }));
    };
    await port().complete(ask(), never);
    expect(seen.at(-1)?.body).toMatchObject({ max_completion_tokens: 100 });
  });

  test('a conversation that is too long is refused at once', async () => {
    handler = (response) => send(response, 400, { error: { message: "This model's maximum context length is 8192 tokens." } });
    const error = await failure(port().complete(ask({ responseSchema: { name: 'reply', schema: {} } }), never));
    expect(error).toMatchObject({ code: 'model-rejected', retriable: false });
    expect(seen).toHaveLength(1);
  });

  test('responseFormat none never asks for JSON', async () => {
    handler = (response) => send(response, 200, completion({ content: 'ok' }));
    await port({ responseFormat: 'none' }).complete(ask({ responseSchema: { name: 'reply', schema: {} } }), never);
    expect(seen[0]?.body).not.toHaveProperty('response_format');
  });
});

describe('errors', () => {
  test.each([
    [401, {}, 'model-unauthorized', false],
    [403, {}, 'model-unauthorized', false],
    [404, {}, 'model-rejected', false],
    [400, {}, 'model-rejected', false],
    [408, {}, 'model-timeout', true],
    [429, { code: 'insufficient_quota' }, 'model-rate-limited', false],
    [500, {}, 'model-unavailable', true],
    [503, {}, 'model-unavailable', true],
  ])('status %i %j is %s', async (status, extra, code, retriable) => {
    handler = (response) => send(response, status, { error: { message: 'Because.', ...extra } });
    const error = await failure(port().complete(ask(), never));
    expect(error).toMatchObject({ code, retriable });
    expect(error.message).toMatch(`${status}: Because.`);
    expect(seen).toHaveLength(1);
  });

  test('429 keeps Retry-After', async () => {
    handler = (response) => send(response, 429, { error: { message: 'Slow down.' } }, { 'retry-after': '7' });
    const error = await failure(port().complete(ask(), never));
    expect(error).toMatchObject({ code: 'model-rate-limited', retriable: true, message: expect.stringContaining('Retry-After: 7') });
  });

  const headersOnly: Handler = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"choices":');
  };
  test.each([
    ['no answer', () => undefined],
    ['a body that never ends', headersOnly],
  ] as [string, Handler][])('%s is a timeout', async (_, silent) => {
    handler = silent;
    expect(await failure(port({ timeoutMs: 150 }).complete(ask(), never))).toMatchObject({ code: 'model-timeout', retriable: true });
  });

  test.each([
    ['a reset connection', (response: ServerResponse) => response.socket?.resetAndDestroy()],
    [
      'a truncated body',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
        response.write('{"choices":');
        setTimeout(() => response.socket?.destroy(), 20);
      },
    ],
    ['malformed JSON', (response: ServerResponse) => send(response, 200, '{"choices": [')],
    ['an HTML page', (response: ServerResponse) => send(response, 200, '<html></html>', { 'content-type': 'text/html' })],
    ['an empty list of choices', (response: ServerResponse) => send(response, 200, completion({}, { choices: [] }))],
    ['a choice without a message', (response: ServerResponse) => send(response, 200, completion({}, { choices: [{ index: 0 }] }))],
    ['null', (response: ServerResponse) => send(response, 200, 'null')],
  ] as [string, Handler][])('%s is retriable', async (_, broken) => {
    handler = broken;
    expect(await failure(port().complete(ask(), never))).toMatchObject({ code: 'model-unavailable', retriable: true });
  });

  test('nobody listens', async () => {
    const error = await failure(port({ baseUrl: 'http://127.0.0.1:9/v1' }).complete(ask(), never));
    expect(error).toMatchObject({ code: 'model-unavailable', retriable: true, remedy: expect.stringContaining('OPENAI_BASE_URL') });
    expect(error.message).toContain('127.0.0.1:9');
  });

  test("an abort ends the call with the signal's reason and closes the connection", async () => {
    const controller = new AbortController();
    const closed = new Promise<void>((resolve) => {
      handler = (_response, _seen, request) => {
        request.socket.on('close', () => resolve());
        controller.abort(new CadreError('time-limit', 'Too late.'));
      };
    });
    expect(await failure(port().complete(ask(), controller.signal))).toMatchObject({ code: 'time-limit' });
    await closed;
    expect(await failure(port().complete(ask(), AbortSignal.abort()))).toMatchObject({ code: 'aborted' });
  });

  test('the key is in no message', async () => {
    handler = (response) => send(response, 401, { error: { message: 'Wrong key.' } });
    const error = await failure(port({ apiKey: 'sk-secret-1' }).complete(ask(), never));
    expect(`${error.message} ${error.remedy}`).not.toContain('sk-secret');
  });
});
