/** The wire, with OpenAI's own client and with plain requests. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { NotFoundError } from 'openai';
import { startModelSim, type RunningModelSim } from './start-model-sim.js';

const running: RunningModelSim[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function start(env: Record<string, string> = {}): Promise<RunningModelSim> {
  const server = await startModelSim({ LOG_LEVEL: 'silent', ...env });
  running.push(server);
  return server;
}

function client(server: RunningModelSim): OpenAI {
  return new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
}

const BRIEF = JSON.stringify({
  kind: 'work',
  agent: 'data-analyst',
  goal: 'Analyze',
  task: { id: 'a', title: 'A', instructions: 'A.' },
  inputs: [{ name: 'a.csv' }],
});
const TOOLS: OpenAI.ChatCompletionTool[] = ['list_files', 'profile_data'].map((name) => ({
  type: 'function',
  function: { name, description: 'A tool.', parameters: { type: 'object', properties: {} } },
}));
const ASK: OpenAI.ChatCompletionCreateParamsNonStreaming = {
  model: 'cadre-sim-1',
  messages: [{ role: 'user', content: BRIEF }],
  tools: TOOLS,
};

async function post(
  server: RunningModelSim,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; error: Record<string, unknown> }> {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  return { status: response.status, error };
}

test('lists its model; health answers; the ready file tells where', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cadre-ready-'));
  const server = await start({ CADRE_READY_FILE: join(folder, 'ready.json') });
  expect(JSON.parse(await readFile(join(folder, 'ready.json'), 'utf8'))).toEqual({ url: server.url, pid: process.pid });
  expect((await client(server).models.list()).data.map((model) => model.id)).toEqual(['cadre-sim-1']);
  expect((await client(server).models.retrieve('cadre-sim-1')).owned_by).toBe('cadre');
  expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  await client(server).chat.completions.create(ASK);
  expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(/cadre_model_sim_completions_total\{.*finish="tool_calls".*\} 1/);
  await rm(folder, { recursive: true });
});

test('answers with tool calls and counts tokens; the same request gets the same answer', async () => {
  const openai = client(await start());
  const first = await openai.chat.completions.create(ASK);
  expect(first.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'list_files', arguments: '{}' } }],
    },
  });
  expect(first.usage?.prompt_tokens).toBeGreaterThan(80);
  expect(first.usage?.total_tokens).toBe((first.usage?.prompt_tokens ?? 0) + (first.usage?.completion_tokens ?? 0));
  expect(await openai.chat.completions.create({ ...ASK, temperature: 0 })).toMatchObject({ choices: first.choices, usage: first.usage });
  expect(await openai.chat.completions.create(ASK)).toEqual(first);
});

test('tool_choice none asks for no tools', async () => {
  const answer = await client(await start()).chat.completions.create({ ...ASK, tool_choice: 'none' });
  expect(answer.choices[0]?.message.tool_calls).toBeUndefined();
  expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toMatchObject({ confidence: 0.1 });
});

test('a stream holds the same answer, with usage when asked for', async () => {
  const openai = client(await start());
  for (const request of [ASK, { ...ASK, tools: [] }]) {
    const { tools, ...rest } = request;
    const ask = { ...rest, ...(tools !== undefined && tools.length > 0 && { tools }) };
    const whole = await openai.chat.completions.create(ask);
    const stream = openai.chat.completions.stream({ ...ask, stream: true, stream_options: { include_usage: true } });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices[0]?.message.content).toEqual(whole.choices[0]?.message.content);
    expect(streamed.choices[0]?.finish_reason).toBe(whole.choices[0]?.finish_reason);
    const names = (calls: OpenAI.ChatCompletionMessageToolCall[] = []): object[] =>
      calls.map((call) => ({ ...call, function: { ...('function' in call && call.function) } }));
    expect(names(streamed.choices[0]?.message.tool_calls)).toMatchObject(names(whole.choices[0]?.message.tool_calls));
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage });
  }
});

test('a stream ends with [DONE] and has no usage unless asked for', async () => {
  const server = await start();
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...ASK, stream: true }),
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const text = await response.text();
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(text).not.toContain('usage');
});

test('max_tokens cuts the answer off', async () => {
  const answer = await client(await start()).chat.completions.create({
    model: 'cadre-sim-1',
    max_tokens: 5,
    messages: [{ role: 'user', content: 'Hello' }],
  });
  expect(answer.choices[0]?.finish_reason).toBe('length');
  expect(answer.usage?.completion_tokens).toBeLessThanOrEqual(5);
});

test.each([
  [{ type: 'json_object' }, { answer: expect.any(String), confidence: 0 }],
  [
    {
      type: 'json_schema',
      json_schema: {
        name: 'x',
        schema: {
          type: 'object',
          properties: { n: { type: 'integer', minimum: 2 }, kind: { enum: ['a', 'b'] }, list: { type: 'array', items: {} } },
        },
      },
    },
    { n: 2, kind: 'a', list: [] },
  ],
] as [OpenAI.ChatCompletionCreateParams['response_format'], object][])(
  'whoever is no agent gets what they ask for in form: %j',
  async (format, expected) => {
    const answer = await client(await start()).chat.completions.create({
      model: 'cadre-sim-1',
      messages: [{ role: 'user', content: 'Tell me a story' }],
      ...(format && { response_format: format }),
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual(expected);
  },
);

describe('errors are those of OpenAI', () => {
  test('an unknown model', async () => {
    const openai = client(await start());
    await expect(openai.chat.completions.create({ ...ASK, model: 'gpt-9' })).rejects.toThrow(NotFoundError);
    await expect(openai.models.retrieve('gpt-9')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  });

  test.each([
    ['{', 400, null, 'invalid_json'],
    ['', 400, null, 'invalid_json'],
    [[], 400, null, 'invalid_value'],
    [{}, 400, 'model', 'invalid_value'],
    [{ model: 'cadre-sim-1', messages: [] }, 400, 'messages', 'invalid_value'],
    [{ model: 'cadre-sim-1', messages: [{ role: 'robot', content: 'x' }] }, 400, 'messages[0].role', 'invalid_value'],
    [{ model: 'cadre-sim-1', messages: [{ role: 'tool', content: 'x' }] }, 400, 'messages[0].tool_call_id', 'invalid_value'],
    [{ model: 'cadre-sim-1', messages: [{ role: 'user' }] }, 400, 'messages[0].content', 'invalid_value'],
    [{ ...ASK, max_tokens: 0 }, 400, 'max_tokens', 'invalid_value'],
    [{ ...ASK, n: 2 }, 400, 'n', 'invalid_value'],
  ])('a bad request: %j', async (body, status, param, code) => {
    const answer = await post(await start(), body);
    expect(answer).toMatchObject({ status, error: { type: 'invalid_request_error', param, code, message: expect.any(String) } });
  });

  test('another content type, a large body, an unknown path', async () => {
    const server = await start();
    expect(await post(server, 'model=x', { 'content-type': 'application/xml' })).toMatchObject({ status: 415 });
    expect(await post(server, { ...ASK, padding: 'x'.repeat(17 * 1024 * 1024) })).toMatchObject({
      status: 413,
      error: { code: 'request_too_large' },
    });
    const response = await fetch(`${server.url}/v1/nothing`);
    expect([response.status, await response.json()]).toMatchObject([404, { error: { code: 'unknown_url' } }]);
    expect((await client(server).models.list()).data).toHaveLength(1);
  });

  test('wrong settings are named together', async () => {
    await expect(startModelSim({ HTTP_PORT: 'x', MODEL_SIM_FAULTS: 'boom' })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(/HTTP_PORT[\s\S]*MODEL_SIM_FAULTS|MODEL_SIM_FAULTS[\s\S]*HTTP_PORT/),
    });
  });
});

test('latency delays, and a caller that goes away ends the wait', async () => {
  const server = await start({ MODEL_SIM_LATENCY_MS: '300' });
  const before = performance.now();
  await client(server).chat.completions.create(ASK);
  expect(performance.now() - before).toBeGreaterThanOrEqual(290);
  await expect(client(server).chat.completions.create(ASK, { timeout: 50 })).rejects.toThrow();
});

test('malformed answers on request are put right after the repair message', async () => {
  const openai = client(await start({ MODEL_SIM_FAULTS: 'malformed:1' }));
  const { tools: _, ...ask } = ASK;
  const first = (await openai.chat.completions.create(ask)).choices[0]?.message.content ?? '';
  expect(() => JSON.parse(first)).toThrow();
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    ...ask.messages,
    { role: 'assistant', content: first },
    { role: 'user', content: '{"repair":"not JSON"}' },
  ];
  const second = (await openai.chat.completions.create({ ...ask, messages })).choices[0]?.message.content ?? '';
  expect(JSON.parse(second)).toMatchObject({ answer: expect.any(String) });
});

test('long runs of one character are counted in good time', async () => {
  const before = performance.now();
  const answer = await client(await start()).chat.completions.create({
    model: 'cadre-sim-1',
    messages: [{ role: 'user', content: 'a'.repeat(300_000) + ' '.repeat(300_000) }],
  });
  expect(answer.usage?.prompt_tokens).toBeGreaterThan(20_000);
  expect(performance.now() - before).toBeLessThan(10_000);
});
