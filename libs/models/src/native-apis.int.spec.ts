/** Anthropic's Messages and OpenAI's Responses API, spoken by stand-ins that answer as their documents say (November 2026). Real sockets. */
import type { ModelMessage, ModelReply, ModelRequest } from '@cadre/agents';
import fc from 'fast-check';
import { MESSAGES_API } from './anthropic/messages-api.js';
import { FIRST_DIALECT } from './dialect.js';
import { modelError } from './errors.js';
import { RemoteModel } from './remote-model.js';
import { PriceBook } from './prices/price-book.js';
import { RESPONSES_API } from './responses/responses-api.js';
import { WireServer, reply as send, stream } from './testing/wire-server.js';
import type { WireApi } from './wire-api.js';

const never = new AbortController().signal;
const TOOL = {
  name: 'look',
  description: 'Looks.',
  parameters: { type: 'object', properties: { n: { type: 'integer', exclusiveMinimum: 0 } } },
};
const prices = new PriceBook({ m: { input: 10, cachedInput: 1, cacheWrite: 12, output: 50 } });

let server: WireServer;
beforeEach(async () => {
  server = await WireServer.start();
});
afterEach(() => server.stop());

const port = (api: WireApi) => new RemoteModel({ baseUrl: server.baseUrl, apiKey: 'k', defaultModel: 'm', api, prices });
const ask = (over: Partial<ModelRequest> = {}): ModelRequest => ({
  ...{ temperature: 0, maxOutputTokens: 1000, tools: [TOOL] },
  messages: [
    { role: 'system', text: 'S' },
    { role: 'user', text: 'Hello' },
  ],
  ...over,
});
const bodyOf = (index: number) => server.seen.at(index)!.body;
/** The turn of a reply and what its calls came to. */
const after = (reply: ModelReply, from = reply.from): ModelMessage[] => [
  { role: 'assistant', text: reply.text, toolCalls: reply.toolCalls, ...(from && { from }), ...(reply.extra && { extra: reply.extra }) },
  ...reply.toolCalls.map(({ id }): ModelMessage => ({ role: 'tool', toolCallId: id, text: '{"ok":true}' })),
];

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

describe('Responses', () => {
  const USAGE = {
    input_tokens: 1000,
    input_tokens_details: { cached_tokens: 600 },
    output_tokens: 40,
    output_tokens_details: { reasoning_tokens: 30 },
    total_tokens: 1040,
  };
  const response = (output: object[], more: object = {}) => ({
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    error: null,
    incomplete_details: null,
    model: 'm',
    output,
    usage: USAGE,
    ...more,
  });
  const said = (text: string) => ({
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  });
  const THOUGHT = { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'I look.' }], encrypted_content: 'xyz' };
  const call = (id: string) => ({
    type: 'function_call',
    id: `fc_${id}`,
    call_id: id,
    name: 'look',
    arguments: '{"n":1}',
    status: 'completed',
  });
  const events = (...values: { type: string }[]) => (server.answer = (answer) => stream(answer, values));

  test('a request as the API has it', async () => {
    server.answer = (answer) => send(answer, 200, response([said('ok')]));
    const reply = await port(RESPONSES_API).complete(ask({ effort: 'low', maxOutputTokens: 5 }), never);
    expect(reply).toMatchObject({
      text: 'ok',
      finish: 'stop',
      inputTokens: 1000,
      cachedInputTokens: 600,
      outputTokens: 40,
      reasoningTokens: 30,
      costMicros: 400 * 10 + 600 * 1 + 40 * 50,
    });
    expect(server.seen[0]).toMatchObject({
      path: '/v1/responses',
      headers: { authorization: 'Bearer k' },
      body: {
        ...{
          model: 'm',
          instructions: 'S',
          input: [{ role: 'user', content: 'Hello' }],
          max_output_tokens: 16,
          store: false,
          stream: true,
        },
        ...{ reasoning: { effort: 'low' }, include: ['reasoning.encrypted_content'] },
        tools: [{ type: 'function', name: 'look', parameters: { type: 'object', properties: { n: { type: 'integer' } } }, strict: false }],
      },
    });
    expect(port(RESPONSES_API).quote(ask({ maxOutputTokens: 5 })).maxOutputTokens).toBe(16);
  });

  test('a streamed turn with thoughts and calls; the thoughts go back, to this server alone', async () => {
    const told = { text: '', reasoning: '' };
    const whole = response([{ ...THOUGHT, status: null }, said('Let me look.'), call('call_1'), call('call_2')]);
    events(
      { type: 'response.created' },
      { type: 'response.reasoning_summary_text.delta', ...{ delta: 'I look.' } },
      { type: 'response.output_text.delta', ...{ delta: 'Let me look.' } },
      { type: 'response.function_call_arguments.delta', ...{ delta: '{"n":1}' } },
      { type: 'response.completed', ...{ response: whole } },
    );
    const model = port(RESPONSES_API);
    const first = await model.complete(
      ask({ onDelta: ({ text = '', reasoning = '' }) => ((told.text += text), (told.reasoning += reasoning)) }),
      never,
    );
    expect(first).toMatchObject({
      text: 'Let me look.',
      finish: 'tool-calls',
      reasoning: 'I look.',
      toolCalls: [{ id: 'call_1', name: 'look', arguments: '{"n":1}' }, { id: 'call_2' }],
    });
    expect(told).toEqual({ text: 'Let me look.', reasoning: 'I look.' });
    server.answer = (answer) => send(answer, 200, response([said('ok')]));
    await model.complete(ask({ messages: [...ask().messages, ...after(first)] }), never);
    await model.complete(ask({ messages: [...ask().messages, ...after(first, 'elsewhere m')] }), never);
    const calls = ['call_1', 'call_2'].map((id) => ({ type: 'function_call', call_id: id, name: 'look', arguments: '{"n":1}' }));
    const results = ['call_1', 'call_2'].map((id) => ({ type: 'function_call_output', call_id: id, output: '{"ok":true}' }));
    expect(bodyOf(1)['input']).toEqual([
      { role: 'user', content: 'Hello' },
      THOUGHT,
      { role: 'assistant', content: 'Let me look.' },
      ...calls,
      ...results,
    ]);
    expect(JSON.stringify(bodyOf(2))).not.toMatch(/xyz|rs_1|call_1/);
  });

  test('a last event without output: what came before', async () => {
    events(
      { type: 'response.output_item.done', ...{ item: said('ok') } },
      { type: 'response.completed', ...{ response: { status: 'completed', output: [] } } },
    );
    expect(await port(RESPONSES_API).complete(ask(), never)).toMatchObject({ text: 'ok', estimated: true });
  });

  test.each<[object, string]>([
    [{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, 'length'],
    [{ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, 'refusal'],
    [{ output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }] }, 'refusal'],
  ])('%j is %s', async (more, finish) => {
    server.answer = (answer) => send(answer, 200, response([said('x')], more));
    expect(await port(RESPONSES_API).complete(ask(), never)).toMatchObject({ finish });
  });

  test.each<[object[], object]>([
    [
      [{ type: 'error', code: 'rate_limit_exceeded', message: 'Please try again in 2s.', param: null }],
      { code: 'model-rate-limited', billed: 'no', retryAfterMs: 2000 },
    ],
    [
      [{ type: 'response.failed', response: { status: 'failed', error: { code: 'server_error', message: 'Broken.' } } }],
      { code: 'model-unavailable' },
    ],
    [
      [{ type: 'response.output_text.delta', delta: 'Half' }],
      { code: 'model-unavailable', billed: 'unknown', message: expect.stringContaining('"Half"') as string },
    ],
  ])('%j', async (values, wanted) => {
    events(...(values as { type: string }[]));
    await expect(port(RESPONSES_API).complete(ask(), never)).rejects.toMatchObject(wanted);
  });

  test('a model that does not think is asked without its thoughts; the format beside the text', async () => {
    server.answer = (answer, { body }) =>
      'include' in body
        ? send(answer, 400, { error: { message: 'Encrypted content is not supported with this model.', param: 'include' } })
        : send(answer, 200, response([said('{}')]));
    await port(RESPONSES_API).complete(ask({ tools: [], responseSchema: { name: 'r', schema: { type: 'object' } } }), never);
    expect(bodyOf(1)).toMatchObject({ text: { format: { type: 'json_schema', name: 'r', strict: false } } });
    expect(server.seen).toHaveLength(2);
  });
});

test.each([
  ['Messages', MESSAGES_API],
  ['Responses', RESPONSES_API],
] as const)('%s: whatever a server sends, a reply or an error comes of it', (_, api) => {
  const word = fc.constantFrom(
    'type',
    'content',
    'text',
    'thinking',
    'output',
    'summary',
    'response',
    'item',
    'delta',
    'index',
    'content_block',
    'message',
    'usage',
    'error',
    'code',
    'status',
    'name',
    'input',
    'arguments',
    'input_tokens',
    'output_tokens',
  );
  const words = [
    'message',
    'text',
    'thinking',
    'tool_use',
    'function_call',
    'reasoning',
    'look',
    'failed',
    'content_block_delta',
    'content_block_start',
    'message_delta',
    'response.completed',
    'response.output_item.done',
    '{}',
    null,
    0,
    429,
  ];
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(...words),
      fc.string(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(word, tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  const asked = { request: ask(), model: 'm', from: 'x m', dialect: FIRST_DIALECT, maxOutputTokens: 10 };
  const onlyCadre = (work: () => ModelReply | object) => {
    try {
      expect(typeof (work() as { text: unknown }).text).toBe('string');
    } catch (error) {
      expect(['ServerRefusal', 'UnreadableAnswer']).toContain((error as Error).constructor.name);
      expect(modelError(error, 'http://m').name).toBe('CadreError');
    }
  };
  const answer = fc.oneof(
    value,
    fc.record({ content: fc.array(value, { maxLength: 3 }), output: fc.array(value, { maxLength: 3 }), usage: value }),
  );
  fc.assert(
    fc.property(answer, (given) => onlyCadre(() => api.read(given, asked))),
    { numRuns: 100 },
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 6 }), (given) =>
      onlyCadre(() => {
        const collector = api.collector(() => undefined);
        given.forEach((each) => collector.add({ name: 'message', data: JSON.stringify(each) }));
        return api.read(collector.whole(), asked);
      }),
    ),
    { numRuns: 100 },
  );
});
