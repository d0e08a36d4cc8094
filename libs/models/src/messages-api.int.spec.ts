/** Anthropic's Messages API, spoken by a stand-in that answers as its documents say (November 2026). Real sockets. */
import type { ModelMessage } from '@cadre/agents';
import { MESSAGES_API } from './anthropic/messages-api.js';
import { after, ask, portOn } from './testing/native-rig.js';
import { WireServer, reply as send, stream } from './testing/wire-server.js';
import type { WireApi } from './wire-api.js';

const never = new AbortController().signal;

let server: WireServer;
beforeEach(async () => {
  server = await WireServer.start();
});
afterEach(() => server.stop());

const port = (api: WireApi) => portOn(server, api);
const bodyOf = (index: number) => server.seen.at(index)!.body;

describe('Messages', () => {
  const USAGE = {
    input_tokens: 100,
    cache_read_input_tokens: 1000,
    cache_creation_input_tokens: 50,
    output_tokens: 20,
    service_tier: 'standard',
  };
  const message = (content: object[], stop = 'end_turn', usage: object = USAGE) => ({
    type: 'message',
    role: 'assistant',
    model: 'm',
    content,
    stop_reason: stop,
    usage,
  });
  const THOUGHT = { type: 'thinking', thinking: 'I look.', signature: 'sig' };
  const CALL = { type: 'tool_use', id: 'toolu_01', name: 'look', input: { n: 1 } };
  const events = (...values: { type: string }[]) => (server.answer = (response) => stream(response, values));
  const start = (usage: object = { ...USAGE, output_tokens: 1 }) => ({
    type: 'message_start',
    message: { ...message([], undefined, usage), stop_reason: null },
  });
  const block = (index: number, content_block: object, ...deltas: object[]) => [
    { type: 'content_block_start', index, content_block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
  const end = (stop_reason: string) => [
    { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 20 } },
    { type: 'message_stop' },
  ];

  test('a request as the API has it', async () => {
    server.answer = (response) => send(response, 200, message([{ type: 'text', text: 'ok' }]));
    await port(MESSAGES_API).complete(ask(), never);
    expect(server.seen[0]).toMatchObject({
      path: '/v1/messages',
      headers: { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' },
      body: {
        ...{ model: 'm', max_tokens: 1000, system: 'S', temperature: 0, stream: true },
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
        tools: [{ name: 'look', description: 'Looks.', input_schema: { type: 'object', properties: { n: { type: 'integer' } } } }],
      },
    });
    expect(bodyOf(0)).not.toHaveProperty('output_config');
  });

  test('what was read from the cache and written to it is part of the input, and priced', async () => {
    server.answer = (response) => send(response, 200, message([{ type: 'text', text: 'ok' }]));
    expect(await port(MESSAGES_API).complete(ask(), never)).toMatchObject({
      ...{ text: 'ok', finish: 'stop', inputTokens: 1150, cachedInputTokens: 1000, cacheWriteTokens: 50, outputTokens: 20 },
      costMicros: 100 * 10 + 1000 * 1 + 50 * 12 + 20 * 50,
    });
  });

  test('a streamed turn with thoughts and calls; its signatures go back, to this server alone', async () => {
    const told = { text: '', reasoning: '' };
    events(
      start(),
      { type: 'ping' },
      ...block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'I ' },
        { type: 'thinking_delta', thinking: 'look.' },
        { type: 'signature_delta', signature: 'sig' },
      ),
      ...block(1, { type: 'redacted_thinking', data: 'xyz' }),
      ...block(2, { type: 'text', text: '' }, { type: 'text_delta', text: 'Let me ' }, { type: 'text_delta', text: 'look.' }),
      ...block(
        3,
        { ...CALL, input: {} },
        { type: 'input_json_delta', partial_json: '' },
        { type: 'input_json_delta', partial_json: '{"n"' },
        { type: 'input_json_delta', partial_json: ':1}' },
      ),
      ...block(4, { ...CALL, id: 'toolu_02', input: {} }),
      ...end('tool_use'),
    );
    const model = port(MESSAGES_API);
    const first = await model.complete(
      ask({ onDelta: ({ text = '', reasoning = '' }) => ((told.text += text), (told.reasoning += reasoning)) }),
      never,
    );
    expect(first).toMatchObject({
      ...{ text: 'Let me look.', finish: 'tool-calls', reasoning: 'I look.', inputTokens: 1150, outputTokens: 20 },
      toolCalls: [
        { id: 'toolu_01', name: 'look', arguments: '{"n":1}' },
        { id: 'toolu_02', arguments: '{}' },
      ],
    });
    expect(told).toEqual({ text: 'Let me look.', reasoning: 'I look.' });
    events(start(), ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'ok' }), ...end('end_turn'));
    await model.complete(ask({ messages: [...ask().messages, ...after(first)] }), never);
    await model.complete(ask({ messages: [...ask().messages, ...after(first, 'elsewhere m')] }), never);
    const [, own, results] = bodyOf(1)['messages'] as { role: string; content: object[] }[];
    expect(own).toEqual({
      role: 'assistant',
      content: [
        THOUGHT,
        { type: 'redacted_thinking', data: 'xyz' },
        { type: 'text', text: 'Let me look.' },
        CALL,
        { ...CALL, id: 'toolu_02', input: {} },
      ],
    });
    expect(results).toEqual({
      role: 'user',
      content: ['toolu_01', 'toolu_02'].map((id) => ({ type: 'tool_result', tool_use_id: id, content: '{"ok":true}' })),
    });
    expect(JSON.stringify(bodyOf(2))).not.toMatch(/sig|xyz|toolu_/);
    expect((bodyOf(2)['messages'] as { content: object[] }[])[1]?.content).toHaveLength(3);
  });

  test('no turn is empty, neighbours are one message', async () => {
    server.answer = (response) => send(response, 200, message([{ type: 'text', text: 'ok' }]));
    const messages: ModelMessage[] = [
      { role: 'user', text: 'a' },
      { role: 'assistant', text: ' \n', toolCalls: [] },
      { role: 'user', text: 'b' },
    ];
    await port(MESSAGES_API).complete(ask({ messages }), never);
    expect(bodyOf(0)['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
    ]);
  });

  test.each([
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'refusal'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
  ])('%s is %s', async (stop, finish) => {
    server.answer = (response) => send(response, 200, message([{ type: 'text', text: 'x' }], stop));
    expect(await port(MESSAGES_API).complete(ask(), never)).toMatchObject({ finish });
  });

  test('the format and the effort; both are left out when they are refused', async () => {
    server.answer = (response, { body }) => {
      const config = body['output_config'] as { effort?: string; format?: object } | undefined;
      if (config?.effort)
        return send(response, 400, {
          type: 'error',
          error: { type: 'invalid_request_error', message: 'output_config.effort: reasoning effort is not supported by this model' },
        });
      if (config?.format)
        return send(response, 400, {
          type: 'error',
          error: { type: 'invalid_request_error', message: 'json_schema structured outputs are not supported by this model' },
        });
      return send(response, 200, message([{ type: 'text', text: '{}' }]));
    };
    const request = ask({
      tools: [],
      effort: 'low',
      responseSchema: { name: 'r', schema: { type: 'object', properties: { a: { type: 'object', properties: {} } } } },
    });
    await port(MESSAGES_API).complete(request, never);
    expect(bodyOf(0)['output_config']).toEqual({
      effort: 'low',
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: { a: { type: 'object', properties: {}, additionalProperties: false } },
          additionalProperties: false,
        },
      },
    });
    expect(bodyOf(-1)).not.toHaveProperty('output_config');
  });

  test.each<[number, string, string, object]>([
    [429, 'rate_limit_error', 'Rate limited', { code: 'model-rate-limited', retriable: true, billed: 'no', retryAfterMs: 7000 }],
    [529, 'overloaded_error', 'Overloaded', { code: 'model-unavailable', retriable: true, billed: 'no' }],
    [401, 'authentication_error', 'invalid x-api-key', { code: 'model-unauthorized' }],
    [404, 'not_found_error', 'model: m', { code: 'model-not-found' }],
    [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.', { code: 'model-quota-exhausted' }],
    [400, 'invalid_request_error', 'prompt is too long: 212345 tokens > 200000 maximum', { code: 'model-context-exceeded', billed: 'no' }],
    [413, 'request_too_large', 'Request exceeds the maximum size', { code: 'model-context-exceeded' }],
  ])('%s %s: %s', async (status, type, words, wanted) => {
    server.answer = (response) =>
      send(response, status, { type: 'error', error: { type, message: words } }, status === 429 ? { 'retry-after': '7' } : {});
    await expect(port(MESSAGES_API).complete(ask(), never)).rejects.toMatchObject({
      ...wanted,
      message: expect.stringContaining(words) as string,
    });
  });

  test('an error in the stream; the cap by its refusal', async () => {
    const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    events(start(), overloaded);
    await expect(port(MESSAGES_API).complete(ask(), never)).rejects.toMatchObject({ code: 'model-unavailable', billed: 'no' });
    events(start(), ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Half' }), overloaded);
    await expect(port(MESSAGES_API).complete(ask(), never)).rejects.toMatchObject({ code: 'model-unavailable', billed: 'unknown' });
    server.answer = (response, { body }) =>
      Number(body['max_tokens']) > 500
        ? send(response, 400, {
            type: 'error',
            error: {
              type: 'invalid_request_error',
              message: 'max_tokens: 1000 > 500, which is the maximum allowed number of output tokens for m',
            },
          })
        : send(response, 200, message([{ type: 'text', text: 'ok' }]));
    await port(MESSAGES_API).complete(ask(), never);
    expect(bodyOf(-1)['max_tokens']).toBe(500);
  });
});
