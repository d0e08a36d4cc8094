import type { ModelRequest } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import { RemoteModel } from './remote-model.js';
import type { RemoteModelOptions } from './remote-model.js';
import { WireServer, completion, reply as send } from './testing/wire-server.js';

let server: WireServer;

beforeEach(async () => {
  server = await WireServer.start();
});
afterEach(() => server.stop());

const port = (options: Partial<RemoteModelOptions> = {}) =>
  new RemoteModel({ baseUrl: server.baseUrl, apiKey: 'k', defaultModel: 'cadre-sim-1', ...options });
const ask = (over: Partial<ModelRequest> = {}): ModelRequest => ({
  temperature: 0,
  maxOutputTokens: 100,
  messages: [{ role: 'user', text: 'Hello' }],
  tools: [],
  ...over,
});
const never = new AbortController().signal;

describe('answers', () => {
  test('text, usage and cost; the wire format of the request', async () => {
    server.answer = (response) => send(response, 200, completion({ content: '<think>hm {</think>\n{"a":1}' }));
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
      from: `${server.baseUrl} cadre-sim-1`,
      text: '{"a":1}',
      reasoning: 'hm {',
      toolCalls: [],
      finish: 'stop',
      inputTokens: 1000,
      outputTokens: 50,
      costMicros: 120,
      priced: true,
    });
    expect(server.seen[0]).toMatchObject({
      path: '/v1/chat/completions',
      headers: { authorization: 'Bearer k' },
      body: {
        model: 'cadre-sim-1',
        max_tokens: 100,
        temperature: 0,
        messages: [
          { role: 'system', content: 'S' },
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              { id: expect.stringMatching(/^[A-Za-z0-9]{9}$/) as string, type: 'function', function: { name: 'look', arguments: '{}' } },
            ],
          },
          { role: 'tool', tool_call_id: expect.stringMatching(/^[A-Za-z0-9]{9}$/) as string, content: '{"ok":true}' },
        ],
        tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } } }],
        stream: true,
        stream_options: { include_usage: true },
      },
    });
    // Many servers that are asked for both give no calls.
    expect(server.seen[0]?.body).not.toHaveProperty('response_format');
    expect(server.seen[0]?.body).not.toHaveProperty('reasoning_effort');
  });

  test('tool calls, with arguments as text or as an object', async () => {
    const call = (args: unknown) => ({ id: 'a', type: 'function', function: { name: 'look', arguments: args } });
    server.answer = (response) => send(response, 200, completion({ tool_calls: [call('{"x":1}'), call({ x: 2 })] }, {}));
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
    server.answer = (response) => send(response, 200, completion({}, { choices: [choice] }));
    expect(await port().complete(ask(), never)).toMatchObject({ finish });
  });

  test.each([
    [
      { reasoning_content: 'I see.' },
      { completion_tokens_details: { reasoning_tokens: 12 } },
      { reasoning: 'I see.', reasoningTokens: 12 },
    ],
    [{ reasoning: 'I see.' }, {}, { reasoning: 'I see.' }],
    [{ reasoning: { odd: true } }, { completion_tokens_details: 'odd' }, {}],
  ])('reasoning of %j with usage %j is %j, beside the text', async (message, details, wanted) => {
    const usage = { prompt_tokens: 9, completion_tokens: 20, ...details };
    server.answer = (response) => send(response, 200, completion({ content: 'ok', ...message }, { usage }));
    const { text, reasoning, reasoningTokens, outputTokens } = await port().complete(ask({ effort: 'high' }), never);
    expect([text, outputTokens]).toEqual(['ok', 20]);
    expect({ ...(reasoning && { reasoning }), ...(reasoningTokens !== undefined && { reasoningTokens }) }).toEqual(wanted);
    expect(server.seen[0]?.body).toMatchObject({ reasoning_effort: 'high' });
  });

  test('missing usage is estimated and flagged; an unknown price warns once', async () => {
    server.answer = (response) => send(response, 200, completion({ content: 'x'.repeat(400) }, { usage: undefined, model: 'who-knows' }));
    const warnings: string[] = [];
    const model = port({ onWarning: (message) => warnings.push(message) });
    for (let i = 0; i < 2; i += 1) {
      const reply = await model.complete(ask({ model: 'who-knows' }), never);
      expect(reply).toMatchObject({ estimated: true, costMicros: 0, priced: false });
      expect(reply.outputTokens).toBeGreaterThanOrEqual(100);
      expect(reply.outputTokens).toBeLessThan(110);
    }
    expect(warnings).toHaveLength(2);
    expect(warnings.join()).toMatch(/estimated.*CADRE_PRICES/s);
  });
});

describe('dialects', () => {
  test('a server that refuses JSON schemas is asked in easier ways, and remembered', async () => {
    server.answer = (response, { body }) => {
      const format = body['response_format'] as { type: string } | undefined;
      if (format) send(response, 400, { error: { message: `response_format ${format.type} is not supported` } });
      else send(response, 200, completion({ content: '{}' }));
    };
    const model = port();
    const request = ask({ responseSchema: { name: 'reply', schema: { type: 'object' } } });
    await model.complete(request, never);
    expect(server.seen.map(({ body }) => (body['response_format'] as { type: string } | undefined)?.type)).toEqual([
      'json_schema',
      'json_object',
      undefined,
    ]);
    await model.complete(request, never);
    expect(server.seen).toHaveLength(4);
  });

  test('a server that wants max_completion_tokens and no temperature gets that', async () => {
    server.answer = (response, { body }) => {
      if ('max_tokens' in body)
        send(response, 400, { error: { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'." } });
      else if ('temperature' in body) send(response, 400, { error: { message: "Unsupported value: 'temperature'." } });
      else send(response, 200, completion({ content: 'ok' }));
    };
    await port().complete(ask(), never);
    expect(server.seen.at(-1)?.body).toMatchObject({ max_completion_tokens: 100 });
  });

  test.each([
    ['by name', "Unsupported parameter: 'reasoning_effort'.", [true, false, false]],
    ['without a name', 'Bad request.', [true, false, true, false]],
  ])('a server that refuses an effort %s is asked without it, and remembered', async (_, message, sent) => {
    server.answer = (response, { body }) =>
      'reasoning_effort' in body ? send(response, 400, { error: { message } }) : send(response, 200, completion({ content: '{}' }));
    const model = port();
    const request = ask({ effort: 'low', responseSchema: { name: 'reply', schema: { type: 'object' } } });
    for (let i = 0; i < 3; i += 1) await model.complete(request, never);
    expect(server.seen.map(({ body }) => 'reasoning_effort' in body)).toEqual([...sent, false]);
  });

  test('a conversation that is too long is refused at once', async () => {
    server.answer = (response) => send(response, 400, { error: { message: "This model's maximum context length is 8192 tokens." } });
    const asked = port().complete(ask({ responseSchema: { name: 'reply', schema: {} } }), never);
    await expect(asked).rejects.toMatchObject({ code: 'model-context-exceeded', retriable: false });
    expect(server.seen).toHaveLength(1);
  });

  test.each<[RemoteModelOptions['responseFormat'], boolean, boolean]>([
    [undefined, false, true],
    ['auto', false, true],
    ['none', false, false],
    ['beside-tools', true, true],
  ])('responseFormat %s: a format beside tools %s, without %s', async (responseFormat, beside, without) => {
    server.answer = (response) => send(response, 200, completion({ content: 'ok' }));
    const model = port(responseFormat ? { responseFormat } : {});
    const responseSchema = { name: 'reply', schema: {} };
    await model.complete(ask({ responseSchema, tools: [{ name: 'look', description: '', parameters: {} }] }), never);
    await model.complete(ask({ responseSchema }), never);
    expect(server.seen.map(({ body }) => 'response_format' in body)).toEqual([beside, without]);
  });
});

describe('the key of a call', () => {
  test('is told to the server', async () => {
    server.answer = (response) => send(response, 200, completion({ content: 'ok' }));
    await port().complete(ask({ callKey: 'abc' }), never);
    await port().complete(ask(), never);
    expect(server.seen.map(({ headers }) => headers['x-cadre-call'])).toEqual(['abc', undefined]);
  });
});

describe('an abort', () => {
  test("ends the call with the signal's reason and closes the connection", async () => {
    const controller = new AbortController();
    const closed = new Promise<void>((resolve) => {
      server.answer = (_response, _seen, request) => {
        request.socket.on('close', () => resolve());
        controller.abort(new CadreError('time-limit', 'Too late.'));
      };
    });
    await expect(port().complete(ask(), controller.signal)).rejects.toMatchObject({ code: 'time-limit', billed: 'unknown' });
    await closed;
  });

  test('before the call sends nothing, and so costs nothing', async () => {
    await expect(port().complete(ask(), AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted', billed: 'no' });
    expect(server.seen).toEqual([]);
  });
});
