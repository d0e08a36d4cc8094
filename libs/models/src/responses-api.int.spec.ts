/** OpenAI's Responses API, spoken by a stand-in that answers as its documents say (November 2026). Real sockets. */
import { RESPONSES_API } from './responses/responses-api.js';
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
      { code: 'model-garbled', billed: 'unknown', message: expect.stringContaining('"Half"') as string },
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
