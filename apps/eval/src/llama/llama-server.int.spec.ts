/** Cadre's adapter on a real llama-server. Where its package cannot be had, these tests are skipped. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelRequest } from '@cadre/agents';
import { RemoteModel } from '@cadre/models';
import { findLlamaServer } from './llama-package.js';
import { LlamaServer } from './llama-server.js';
import type { Script } from './script.js';
import { callText } from './scripted-model.js';

const program = await findLlamaServer();
if ('missing' in program) console.warn(`Tests with a real llama-server are skipped: ${program.missing}`);
const onLlama = 'missing' in program ? describe.skip : describe;

const ANSWER = '{"answer": "There is one file.", "confidence": 0.9}';
const SCRIPT: Script = {
  turns: [
    { when: { says: 'WITHOUT END' }, say: [['again and ', 'again or ', 'again and ']] },
    { when: { says: 'Count', results: 0 }, say: [['<tool_call>\n{"name": "count"', ', "arguments": {"number": "many"}}\n</tool_call>']] },
    { when: { says: 'Prose' }, say: ['There is one file.', ANSWER] },
    { when: { tool: 'list_files', results: 0 }, say: [callText('list_files', {}), ANSWER] },
    { when: {}, say: [ANSWER] },
  ],
};
const THINKING: Script = {
  opensThoughts: true,
  turns: [
    { when: { tool: 'list_files', results: 0 }, say: [['I look first: {"answer": 1}?', '\n</think>\n\n', callText('list_files', {})]] },
    { when: {}, say: [['I need {"answer": …}; maybe {x: 1}?', '\n</think>\n\nSo: ', ANSWER]] },
  ],
};

const TOOLS: ModelRequest['tools'] = [
  { name: 'list_files', description: 'Lists the files.', parameters: { type: 'object', properties: {} } },
  {
    name: 'count',
    description: 'Counts.',
    parameters: { type: 'object', properties: { number: { type: 'integer' } }, required: ['number'] },
  },
];
const FORM = {
  type: 'object',
  properties: { answer: { type: 'string' }, confidence: { type: 'number' } },
  required: ['answer', 'confidence'],
};
const responseSchema = { name: 'answer', schema: FORM };

const request = (text: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  temperature: 0,
  maxOutputTokens: 100,
  messages: [
    { role: 'system', text: 'You help.' },
    { role: 'user', text },
  ],
  tools: [],
  ...more,
});

const patience = (): AbortSignal => AbortSignal.timeout(60_000);
const modelOf = (server: LlamaServer): RemoteModel => new RemoteModel({ baseUrl: server.baseUrl, defaultModel: 'scripted' });

onLlama('a scripted model', () => {
  let server: LlamaServer;
  let model: RemoteModel;
  beforeAll(async () => {
    if ('missing' in program) return;
    server = await LlamaServer.start(program, SCRIPT, { window: 8192 });
    model = modelOf(server);
  });
  afterAll(() => server?.stop());

  test('calls a tool, is told its result, and answers', async () => {
    const ask = request('Which files are there?', { tools: TOOLS });
    const first = await model.complete(ask, patience());
    expect(first).toMatchObject({ finish: 'tool-calls', toolCalls: [{ name: 'list_files', arguments: '{}' }] });
    const result = { role: 'tool' as const, toolCallId: first.toolCalls[0]!.id, text: '{"files":["a.csv"]}' };
    const messages = [...ask.messages, { role: 'assistant' as const, text: first.text, toolCalls: first.toolCalls }, result];
    expect(await model.complete({ ...ask, messages }, patience())).toMatchObject({ finish: 'stop', text: ANSWER, toolCalls: [] });
  });

  test('keeps to the form that is asked for where no tools are offered', async () => {
    const { text } = await model.complete(request('Prose, please.', { responseSchema }), patience());
    expect(JSON.parse(text)).toEqual(JSON.parse(ANSWER));
    expect((await model.complete(request('Prose, please.'), patience())).text).toBe('There is one file.');
  });

  test('calls also where an answer of a form is wanted in the end, and what it writes is told while it does', async () => {
    const pieces: string[] = [];
    const onDelta = ({ text = '' }: { text?: string }): void => void pieces.push(text);
    const called = await model.complete(request('Which files are there?', { tools: TOOLS, responseSchema, onDelta }), patience());
    expect(called.toolCalls).toMatchObject([{ name: 'list_files' }]);
    const answered = await model.complete(request('Which files are there?', { responseSchema, onDelta }), patience());
    expect(pieces.join('')).toBe(answered.text);
  });

  test('the arguments of a call fit the schema, whatever the model would rather write', async () => {
    const reply = await model.complete(request('Count.', { tools: TOOLS }), patience());
    expect(reply.toolCalls[0]!.name).toBe('count');
    expect(JSON.parse(reply.toolCalls[0]!.arguments)).toEqual({ number: expect.any(Number) });
  });

  test('a prompt that is longer than its window is said to be so', async () => {
    await expect(model.complete(request('x'.repeat(10_000)), patience())).rejects.toMatchObject({
      code: 'model-context-exceeded',
      retriable: false,
      message: expect.stringMatching(/8192/),
    });
  });

  test('stops writing when the call is cancelled', async () => {
    const stop = new AbortController();
    const call = model.complete(request('Write WITHOUT END', { maxOutputTokens: 8000 }), stop.signal).catch((error: unknown) => error);
    while ((await server.busySlots()) === 0) await sleep(20);
    stop.abort();
    await call;
    const written = async (): Promise<number> => Number(/tokens_predicted_total (\d+)/.exec(await server.metrics())?.[1]);
    for (const until = Date.now() + 20_000; Date.now() < until && (await server.busySlots()) > 0;) await sleep(50);
    expect(await server.busySlots()).toBe(0);
    expect(await written()).toBeLessThan(8000);
  });
});

onLlama('a model whose template opens its thoughts by itself', () => {
  let server: LlamaServer;
  beforeAll(async () => {
    if ('missing' in program) return;
    server = await LlamaServer.start(program, THINKING, { args: ['--reasoning-format', 'none'] });
  });
  afterAll(() => server?.stop());

  test('calls, and answers; what it thinks is no part of the text', async () => {
    const model = modelOf(server);
    const called = await model.complete(request('Which files are there?', { tools: TOOLS }), patience());
    expect(called).toMatchObject({ finish: 'tool-calls', toolCalls: [{ name: 'list_files' }] });
    expect(called.text).toBe('');
    const answered = await model.complete(request('Which files are there?'), patience());
    expect(answered.text).toBe(`So: ${ANSWER}`);
    expect(answered.reasoning).toContain('maybe {x: 1}?');
  });
});
