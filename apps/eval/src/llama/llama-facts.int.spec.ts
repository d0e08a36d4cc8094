/**
 * What a real llama-server does with the ways to ask for a call and for a form: the table of ADR 39, held true. Skipped where its package
 * cannot be had.
 */
import { findLlamaServer } from './llama-package.js';
import { LlamaServer } from './llama-server.js';
import { callText } from './scripted-model.js';

const program = await findLlamaServer();
if ('missing' in program) console.warn(`Tests with a real llama-server are skipped: ${program.missing}`);
const onLlama = 'missing' in program ? describe.skip : describe;

const ANSWER = '{"answer": "There is one file.", "confidence": 0.9}';
const FINISH = callText('finish', { answer: 'There is one file.', confidence: 0.9 });
const object = (properties: object, required = Object.keys(properties)): object => ({ type: 'object', properties, required });
const FORM = object({ answer: { type: 'string' }, confidence: { type: 'number' } });
const tool = (name: string, parameters: object): object => ({ type: 'function', function: { name, description: name, parameters } });
const LIST = tool('list_files', object({}));
const FORMAT = { type: 'json_schema', json_schema: { name: 'answer', schema: FORM } };

onLlama('llama-server', () => {
  let server: LlamaServer;
  beforeAll(async () => {
    if ('missing' in program) return;
    server = await LlamaServer.start(program, {
      turns: [
        { when: { tool: 'list_files', results: 0 }, say: [callText('list_files', {}), ANSWER] },
        { when: { tool: 'finish' }, say: [ANSWER, [ANSWER, FINISH]] },
        { when: {}, say: ['There is one file.', ANSWER] },
      ],
    });
  });
  afterAll(() => server?.stop());

  const post = (body: object): Promise<Response> =>
    fetch(`${server.baseUrl}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'scripted', temperature: 0, max_tokens: 60, ...body }),
    });

  /** Which tools are called, and what is said beside it. */
  async function ask(more: object, isAnswered = false): Promise<{ calls: string[]; text: string }> {
    const calls = [{ id: 'c1', type: 'function', function: { name: 'list_files', arguments: '{}' } }];
    const turn = [
      { role: 'assistant', content: '', tool_calls: calls },
      { role: 'tool', tool_call_id: 'c1', content: '["a.csv"]' },
    ];
    const response = await post({ messages: [{ role: 'user', content: 'Which files are there?' }, ...(isAnswered ? turn : [])], ...more });
    const { choices } = (await response.json()) as {
      choices: { message: { content: string; tool_calls?: { function: { name: string } }[] } }[];
    };
    const { content, tool_calls = [] } = choices[0]!.message;
    return { calls: tool_calls.map((call) => call.function.name), text: content };
  }

  test.each([
    ['nothing else', {}, ['list_files']],
    ['a form as JSON Schema', { response_format: FORMAT }, []],
    ['a form as JSON Schema, and a call required', { response_format: FORMAT, tool_choice: 'required' }, []],
    ['any JSON object', { response_format: { type: 'json_object' } }, []],
    ['a call required', { tool_choice: 'required' }, ['list_files']],
  ])('tools and %s', async (_, more, calls) => {
    expect((await ask({ tools: [LIST], ...more })).calls).toEqual(calls);
  });

  test('a tool for the answer beside the others may be passed over, unless a call is required; then it fits the schema', async () => {
    const tools = [LIST, tool('finish', FORM)];
    expect((await ask({ tools })).calls).toEqual(['list_files']);
    expect(await ask({ tools }, true)).toEqual({ calls: [], text: ANSWER });
    expect(await ask({ tools, tool_choice: 'required' }, true)).toEqual({ calls: ['finish'], text: ANSWER });
  });

  test('the form is kept to where no tools are offered, and only if it is asked for', async () => {
    expect((await ask({ response_format: FORMAT }, true)).text).toBe(ANSWER);
    expect((await ask({}, true)).text).toBe('There is one file.');
  });
});
