/** What the adapter does about refusals, as servers word them. Real sockets. */
import type { ModelRequest } from '@cadre/agents';
import { RemoteModel } from './remote-model.js';
import type { RemoteModelOptions } from './remote-model.js';
import { WireServer, completion, reply as send } from './testing/wire-server.js';

const never = new AbortController().signal;
type Body = Record<string, unknown>;

let server: WireServer;
beforeEach(async () => {
  server = await WireServer.start();
});
afterEach(() => server.stop());

const port = (options: Partial<RemoteModelOptions> = {}) => new RemoteModel({ baseUrl: server.baseUrl, defaultModel: 'm', ...options });
const TOOL = {
  name: 'look',
  description: '',
  parameters: { type: 'object', properties: { n: { type: 'integer', exclusiveMinimum: 0 } }, additionalProperties: false },
};
const ask = (over: Partial<ModelRequest> = {}): ModelRequest => ({
  ...{ temperature: 0, maxOutputTokens: 8192, messages: [{ role: 'user' as const, text: 'Hello '.repeat(200) }], tools: [TOOL] },
  ...over,
});
const capOf = ({ body }: { body: Body }) => Number(body['max_completion_tokens'] ?? body['max_tokens']);
/** @param refusalOf words of a refusal, or undefined to take the request */
const serve = (refusalOf: (body: Body) => string | undefined, status = 400, more: object = {}) => {
  server.answer = (response, { body }) => {
    const message = refusalOf(body);
    return message === undefined
      ? send(response, 200, completion({ content: 'ok' }))
      : send(response, status, { error: { message, ...more } });
  };
};

test('a cap that is too large is learnt, in quotes too, and by model', async () => {
  serve((body) =>
    capOf({ body }) > 4096 && body['model'] === 'm'
      ? `max_tokens is too large: ${capOf({ body })}. The model supports at most 4096 completion tokens.`
      : undefined,
  );
  const model = port();
  for (let i = 0; i < 2; i += 1) await model.complete(ask(), never);
  await model.complete(ask({ model: 'other' }), never);
  expect(server.seen.map(capOf)).toEqual([8192, 4096, 4096, 8192]);
  expect(model.quote(ask()).maxOutputTokens).toBe(4096);
  expect(model.quote(ask({ model: 'other' })).maxOutputTokens).toBe(8192);
});

test('a cap that is too large for a server that names no other is made smaller, and learnt as it was taken', async () => {
  serve((body) => (capOf({ body }) > 1000 ? 'max_tokens is too large for this model' : undefined));
  const model = port();
  for (let i = 0; i < 2; i += 1) await model.complete(ask(), never);
  expect(server.seen.map(capOf)).toEqual([8192, 2048, 512, 512]);
});

test('a tool without arguments is told without any to a server that refuses an object without properties', async () => {
  type Told = { function: { parameters?: { properties?: object } } };
  serve((body) =>
    (body['tools'] as Told[]).some(({ function: { parameters } }) => parameters && Object.keys(parameters.properties ?? {}).length === 0)
      ? 'GenerateContentRequest.tools[0].function_declarations[0].parameters.properties: should be non-empty for OBJECT type'
      : undefined,
  );
  const bare = { ...TOOL, name: 'list', parameters: { type: 'object', properties: {}, additionalProperties: false } };
  await port().complete(ask({ tools: [TOOL, bare] }), never);
  const told = (server.seen[1]?.body['tools'] as Told[]).map(({ function: { parameters } }) => parameters);
  expect(told).toEqual([{ type: 'object', properties: { n: { type: 'integer' } } }, undefined]);
});

test('results name their tools to a server that wants it', async () => {
  const messages: ModelRequest['messages'] = [
    { role: 'user', text: 'Look' },
    { role: 'assistant', text: '', toolCalls: [{ id: 'c1', name: 'look', arguments: '{}' }] },
    { role: 'tool', toolCallId: 'c1', text: '{}' },
  ];
  const resultOf = (body: Body) => (body['messages'] as Body[]).find(({ role }) => role === 'tool');
  serve((body) => (resultOf(body)?.['name'] ? undefined : 'function_response.name: Name cannot be empty'));
  const model = port();
  for (let i = 0; i < 2; i += 1) await model.complete(ask({ messages }), never);
  expect(server.seen.map(({ body }) => resultOf(body)?.['name'])).toEqual([undefined, 'look', 'look']);
});

test('a window that holds prompt and cap together: the cap that fits, for longer prompts less', async () => {
  const promptOf = (body: Body) => Math.ceil(JSON.stringify([body['messages'], body['tools']]).length / 4);
  serve((body) => {
    const [prompt, cap] = [promptOf(body), capOf({ body })];
    return prompt + cap > 8192
      ? `This model's maximum context length is 8192 tokens; ${prompt + cap} were requested (${prompt} in the messages, ${cap} in the completion).`
      : undefined;
  });
  const model = port();
  for (const words of [200, 200, 2000, 4000])
    await model.complete(ask({ messages: [{ role: 'user', text: 'Hello '.repeat(words) }] }), never);
  const [first, ...caps] = server.seen.map(capOf);
  expect(first).toBe(8192);
  expect(caps).toHaveLength(4);
  expect(caps[0]).toBeGreaterThan(7000);
  expect(caps[2]).toBeLessThan(caps[1]!);
  expect(caps[3]).toBeGreaterThanOrEqual(256);
});

test.each<[string, string, object]>([
  ['of the prompt alone', 'prompt is too long: 212345 tokens > 200000 maximum', {}],
  ['by code', 'Too much.', { code: 'context_length_exceeded' }],
])('a prompt that is too long is final: %s', async (_, message, more) => {
  serve(() => message, 400, more);
  await expect(port().complete(ask(), never)).rejects.toMatchObject({ code: 'model-context-exceeded', billed: 'no', retriable: false });
  expect(server.seen).toHaveLength(1);
});

test('what an account can pay is not the model’s cap', async () => {
  server.answer = (response, { body }) =>
    capOf({ body }) > 3000
      ? send(response, 402, {
          error: {
            message: 'This request requires more credits, or fewer max_tokens. You requested up to 8192 tokens, but can only afford 3000.',
            code: 402,
          },
        })
      : send(response, 200, completion({ content: 'ok' }));
  const model = port();
  await model.complete(ask(), never);
  expect(server.seen.map(capOf)).toEqual([8192, 3000]);
  expect(model.quote(ask()).maxOutputTokens).toBe(8192);
});

test('the operator’s caps hold from the first request on', async () => {
  serve(() => undefined);
  const model = port({ maxOutputTokens: { m: 1000, '*': 2000 } });
  await model.complete(ask(), never);
  await model.complete(ask({ model: 'other' }), never);
  expect(server.seen.map(capOf)).toEqual([1000, 2000]);
});

test('GPT-5: name of the cap and temperature, each by its refusal, once', async () => {
  serve((body) => {
    if ('max_tokens' in body)
      return "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    return 'temperature' in body ? "Unsupported value: 'temperature' does not support 0 with this model." : undefined;
  });
  const model = port();
  for (let i = 0; i < 2; i += 1) await model.complete(ask(), never);
  expect(server.seen).toHaveLength(4);
});

test('a server that knows max_tokens only, and less of it, hears of nothing else', async () => {
  serve((body) => {
    if ('max_completion_tokens' in body) return 'body.max_completion_tokens: Extra inputs are not permitted';
    return capOf({ body }) > 4096 ? 'Invalid max_tokens value, the valid range of max_tokens is [1, 4096]' : undefined;
  });
  await port().complete(ask(), never);
  expect(server.seen.map(({ body }) => body['max_tokens'])).toEqual([8192, 4096]);
});

test('plainer schemas after a word of grammar, remembered; the format stays', async () => {
  serve((body) =>
    JSON.stringify(body['tools'] ?? '').includes('additionalProperties')
      ? 'Failed to initialize samplers: failed to parse grammar'
      : undefined,
  );
  const model = port({ responseFormat: 'beside-tools' });
  const request = ask({ responseSchema: { name: 'reply', schema: { type: 'object' } } });
  for (let i = 0; i < 2; i += 1) await model.complete(request, never);
  expect(server.seen).toHaveLength(3);
  expect(server.seen.at(-1)?.body['response_format']).toMatchObject({ type: 'json_schema' });
});

test('nobody is sent what servers are known to choke on', async () => {
  serve(() => undefined);
  await port().complete(ask(), never);
  expect(JSON.stringify(server.seen[0]?.body)).not.toMatch(/exclusiveMinimum|\$schema|\$ref/);
});

test('ids of calls that a server refuses are made anew, its own as well', async () => {
  const nine = /^[A-Za-z0-9]{9}$/;
  serve((body) => {
    const ids = (body['messages'] as { tool_calls?: { id: string }[] }[]).flatMap((each) => each.tool_calls ?? []).map(({ id }) => id);
    const bad = ids.find((id) => !nine.test(id));
    return bad === undefined ? undefined : `Tool call id was ${bad} but must be a-z, A-Z, 0-9, with a length of 9.`;
  });
  const messages: ModelRequest['messages'] = [
    { role: 'assistant', text: '', toolCalls: [{ id: 'call_0001', name: 'look', arguments: '{}' }], from: `${server.baseUrl} m` },
    { role: 'tool', toolCallId: 'call_0001', text: '1' },
  ];
  await port().complete(ask({ messages }), never);
  expect(server.seen).toHaveLength(2);
  const sent = server.seen[1]?.body['messages'] as { tool_calls?: { id: string }[]; tool_call_id?: string }[];
  expect(sent[1]?.tool_call_id).toBe(sent[0]?.tool_calls?.[0]?.id);
});

test('the same refusal is not asked for again, and the first one is told', async () => {
  serve((body) => ('temperature' in body ? 'The temperature is wrong, as is all else.' : 'No.'));
  const [first, second] = [port(), port()];
  await expect(first.complete(ask(), never)).rejects.toMatchObject({
    message: expect.stringContaining('The temperature is wrong') as string,
  });
  expect(server.seen).toHaveLength(2);
  serve(() => 'temperature');
  await expect(second.complete(ask(), never)).rejects.toMatchObject({ code: 'model-rejected', billed: 'no' });
  expect(server.seen).toHaveLength(4);
});

test('a change that did not help is not remembered', async () => {
  let broken = true;
  serve((body) => (broken ? ('temperature' in body ? 'temperature' : 'Something else is wrong with the user.') : undefined));
  const model = port();
  await expect(model.complete(ask(), never)).rejects.toMatchObject({ code: 'model-rejected' });
  broken = false;
  await model.complete(ask(), never);
  expect(server.seen.at(-1)?.body).toHaveProperty('temperature');
});

test('a model that miswrote its call may do better: nothing is changed', async () => {
  serve(() => 'Failed to call a function. Please adjust your prompt.', 400, { code: 'tool_use_failed' });
  await expect(port().complete(ask(), never)).rejects.toMatchObject({ code: 'model-call-unread', retriable: true, billed: 'no' });
  expect(server.seen).toHaveLength(1);
});

test('a model without tools is said to be one, with what to do', async () => {
  serve(() => 'registry.ollama.ai/library/gemma:2b does not support tools');
  await expect(port().complete(ask(), never)).rejects.toMatchObject({
    code: 'model-rejected',
    remedy: expect.stringContaining('cannot call tools') as string,
  });
  expect(server.seen).toHaveLength(1);
});

test('a prompt that is cut without a word is noticed, once', async () => {
  server.answer = (response, { body }) => {
    const tokens = Math.min(1500, Math.ceil(JSON.stringify(body['messages']).length / 4));
    send(
      response,
      200,
      completion({ content: 'ok' }, { usage: { prompt_tokens: tokens, completion_tokens: 1, total_tokens: tokens + 1 } }),
    );
  };
  const warnings: string[] = [];
  const model = port({ onWarning: (message) => warnings.push(message) });
  const messages: ModelRequest['messages'] = [
    { role: 'system', text: 'S' },
    { role: 'user', text: 'Look.' },
  ];
  const replies = [];
  for (let i = 0; i < 6; i += 1) {
    messages.push({ role: 'user', text: `Row ${i} of the table. `.repeat(100) });
    replies.push(await model.complete(ask({ messages: [...messages] }), never));
  }
  const told = replies.map(({ warning }) => warning !== undefined);
  expect([told.slice(0, 2), told.at(-1)]).toEqual([[false, false], true]);
  expect(warnings.filter((each) => each.includes('cut the prompt'))).toHaveLength(1);
});
