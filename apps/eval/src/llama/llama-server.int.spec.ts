/** Cadre's adapter on a real llama-server. Where its package cannot be had, these tests are skipped. */
import type { ModelRequest } from '@cadre/agents';
import { OpenAiModel } from '@cadre/models';
import { findLlamaServer } from './llama-package.js';
import { LlamaServer } from './llama-server.js';
import { callText, type Script } from './scripted-model.js';

const program = await findLlamaServer();
if ('missing' in program) console.warn(`Tests with a real llama-server are skipped: ${program.missing}`);
const onLlama = 'missing' in program ? describe.skip : describe;

const ANSWER = '{"answer": "There is one file.", "confidence": 0.9}';
const SCRIPT: Script = {
  turns: [
    { when: { says: 'Count', results: 0 }, say: [['<tool_call>\n{"name": "count"', ', "arguments": {"number": "many"}}\n</tool_call>']] },
    { when: { says: 'Prose' }, say: ['There is one file.', ANSWER] },
    { when: { tool: 'list_files', results: 0 }, say: [callText('list_files', {}), ANSWER] },
    { when: {}, say: [ANSWER] },
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
const modelOf = (server: LlamaServer): OpenAiModel => new OpenAiModel({ baseUrl: server.baseUrl, defaultModel: 'scripted' });

onLlama('a scripted model', () => {
  let server: LlamaServer;
  let model: OpenAiModel;
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
});
