import type { ModelRequest } from '@cadre/agents';
import fc from 'fast-check';
import { FIRST_DIALECT } from '../dialect.js';
import { modelError } from '../errors.js';
import { completion } from '../testing/wire-server.js';
import { chatBody } from './chat-body.js';
import { ChatChunks } from './chat-chunks.js';
import { readChat } from './chat-reply.js';

const FROM = 'http://m/v1 m';
const request: ModelRequest = {
  temperature: 0,
  maxOutputTokens: 100,
  messages: [{ role: 'user', text: 'Hello' }],
  tools: [{ name: 'list_files', description: '', parameters: {} }],
};
const asked = { request, model: 'm', from: FROM, dialect: FIRST_DIALECT, maxOutputTokens: 100 };
const read = (message: object, more: object = {}) => readChat(completion(message, more), asked);
const callOf = (args: unknown, more: object = {}) => ({
  id: 'abcdefghi',
  type: 'function',
  function: { name: 'list_files', arguments: args },
  ...more,
});

test.each<[string, unknown, string]>([
  ['a text', 'ok', 'ok'],
  [
    'parts',
    [
      { type: 'text', text: 'o' },
      { type: 'text', text: 'k' },
    ],
    'ok',
  ],
  ['output_text', [{ type: 'output_text', text: 'ok' }], 'ok'],
  ['texts', ['o', 'k'], 'ok'],
  [
    'thoughts as parts',
    [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'ok' },
    ],
    'ok',
  ],
  [
    'an image among them',
    [
      { type: 'image_url', image_url: {} },
      { type: 'text', text: 'ok' },
    ],
    'ok',
  ],
  ['the object itself', { answer: 'ok' }, '{"answer":"ok"}'],
  ['one part', { type: 'text', text: 'ok' }, 'ok'],
  ['null', null, ''],
  ['nothing', [], ''],
  ['a number', 3, ''],
])('content as %s', (_, content, text) => {
  expect(read({ content })).toMatchObject({ text, finish: 'stop', toolCalls: [] });
});

test.each<[string, object]>([
  ['an empty model', { model: '' }],
  ['no model', { model: undefined }],
  ['a model that is none', { model: 7 }],
])('%s is none', (_, more) => {
  expect(read({ content: 'ok' }, more)).not.toHaveProperty('model');
});

test.each<[string, unknown, string]>([
  ['text', '{"a":1}', '{"a":1}'],
  ['an object', { a: 1 }, '{"a":1}'],
  ['a text in a text', '"{\\"a\\":1}"', '{"a":1}'],
  ['null', null, '{}'],
  ['the word null', 'null', '{}'],
  ['nothing', '', '{}'],
  ['broken text, which is left to the loop', '{"a": "x\ny",}', '{"a": "x\ny",}'],
])('arguments as %s', (_, args, wanted) => {
  expect(read({ tool_calls: [callOf(args)] }).toolCalls).toEqual([{ id: 'abcdefghi', name: 'list_files', arguments: wanted }]);
});

test('parts beside a call, a function of old, a name with more behind it', () => {
  expect(read({ content: [{ type: 'text', text: 'I look.' }], tool_calls: [callOf('{}')] })).toMatchObject({
    text: 'I look.',
    finish: 'tool-calls',
  });
  expect(read({ function_call: { name: 'list_files', arguments: '{}' } }).toolCalls).toMatchObject([
    { name: 'list_files', arguments: '{}' },
  ]);
  const odd = { ...callOf('{}'), function: { name: 'list_files<|channel|>commentary', arguments: '{}' } };
  expect(read({ tool_calls: [odd] }).toolCalls).toMatchObject([{ name: 'list_files' }]);
});

test('calls written as text are read, and the operator is told', () => {
  const reply = read({ content: '<think>I look.</think><tool_call>{"name":"list_files","arguments":{}}</tool_call>' });
  expect(reply).toMatchObject({ finish: 'tool-calls', toolCalls: [{ name: 'list_files', arguments: '{}' }], reasoning: 'I look.' });
  expect(reply.warnings).toEqual([expect.stringContaining('tool parser')]);
  const harmony =
    '<|channel|>analysis<|message|>I look.<|end|><|start|>assistant<|channel|>commentary to=functions.list_files<|message|>{}<|call|>';
  expect(read({ content: harmony })).toMatchObject({ toolCalls: [{ name: 'list_files' }], text: '' });
  expect(read({ content: '', reasoning_content: 'So: <tool_call>{"name":"list_files","arguments":{}}' }).toolCalls).toHaveLength(1);
});

test('a call that is thought of is not made', () => {
  const content = '<think>Should I <tool_call>{"name":"list_files","arguments":{}}</tool_call>? No.</think>{"answer":"x"}';
  expect(read({ content })).toMatchObject({ text: '{"answer":"x"}', toolCalls: [] });
});

test('an answer in the thoughts is the answer where there is no other', () => {
  expect(read({ content: '', reasoning_content: 'hm {"answer":"x"}' })).toMatchObject({ text: 'hm {"answer":"x"}' });
  expect(read({ content: '<think>{"answer":"x"}' })).toMatchObject({ text: '{"answer":"x"}' });
  const cut = completion({}, { choices: [{ finish_reason: 'length', message: { content: '', reasoning: 'Let me' } }] });
  expect(readChat(cut, asked)).toMatchObject({ text: '', finish: 'length', reasoning: 'Let me' });
});

describe('what only the server understands', () => {
  const message = {
    content: null,
    reasoning_content: 'First I look.',
    reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }],
    provider_specific_fields: { a: 1 },
    annotations: [],
    tool_calls: [callOf('{}', { extra_content: { google: { thought_signature: 's' } }, index: 0 })],
  };
  const turn = (from: string) => {
    const { text, toolCalls, extra } = read(message);
    const again = {
      ...request,
      messages: [...request.messages, { role: 'assistant' as const, text, toolCalls, from, ...(extra && { extra }) }],
    };
    return chatBody({ ...asked, request: again }).messages[1] as unknown as Record<string, unknown>;
  };

  test('is kept with the turn, and goes back to it', () => {
    expect(turn(FROM)).toEqual({
      role: 'assistant',
      content: null,
      reasoning_content: 'First I look.',
      reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }],
      provider_specific_fields: { a: 1 },
      tool_calls: [callOf('{}', { extra_content: { google: { thought_signature: 's' } } })],
    });
  });

  test('goes to no other', () => {
    const sent = turn('http://other/v1 m');
    expect(Object.keys(sent).toSorted()).toEqual(['content', 'role', 'tool_calls']);
    expect(JSON.stringify(sent)).not.toMatch(/thought_signature|abcdefghi/);
  });

  test('thoughts of a turn without calls stay here', () => {
    expect(read({ content: 'x', reasoning_content: 'hm' })).not.toHaveProperty('extra');
    expect(read({ content: 'x', citations: ['u'] })).toMatchObject({ extra: { citations: ['u'] } });
  });

  test('a field of thoughts that is empty goes back with calls, and with them only', () => {
    expect(read({ content: null, reasoning_content: '', tool_calls: [callOf('{}')] })).toMatchObject({ extra: { reasoning_content: '' } });
    expect(read({ content: 'x', reasoning_content: '' })).not.toHaveProperty('extra');
  });

  test('a turn of another model has what stands for thoughts, where the server demands some', () => {
    const turn = {
      role: 'assistant' as const,
      text: '',
      toolCalls: [{ id: 'a', name: 'list_files', arguments: '{}' }],
      from: 'http://other/v1 m',
    };
    const sent = (noThoughts: 'empty' | 'unsigned') =>
      chatBody({ ...asked, request: { ...request, messages: [turn] }, dialect: { ...FIRST_DIALECT, noThoughts } }).messages[0];
    expect(sent('empty')).toMatchObject({ reasoning_content: '' });
    const signature = { google: { thought_signature: 'skip_thought_signature_validator' } };
    expect(sent('unsigned')).toMatchObject({ tool_calls: [{ function: { name: 'list_files' }, extra_content: signature }] });
  });

  test('parts that hold thoughts go back as they came', () => {
    const content = [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }], signature: 's' }];
    const reply = read({ content, tool_calls: [callOf('{}')] });
    expect(reply).toMatchObject({ text: '', reasoning: 'hm', extra: { content } });
  });

  test('never stands for what is ours', () => {
    const sent = chatBody({
      ...asked,
      request: {
        ...request,
        messages: [{ role: 'assistant', text: 'x', toolCalls: [], from: FROM, extra: { role: 'system', tool_calls: [] } }],
      },
    }).messages[0];
    expect(sent).toMatchObject({ role: 'assistant', content: 'x' });
  });
});

test('no turn that is empty is sent; the repair alone goes', () => {
  const messages: ModelRequest['messages'] = [
    ...request.messages,
    { role: 'assistant', text: ' ', toolCalls: [] },
    { role: 'user', text: 'Again.' },
  ];
  const roles = (dialect: object) =>
    chatBody({ ...asked, request: { ...request, messages }, dialect: { ...FIRST_DIALECT, ...dialect } }).messages.map((each) => each.role);
  expect(roles({})).toEqual(['user', 'user']);
  expect(roles({ turns: 'alternating' })).toEqual(['user']);
});

test('a server without a role for instructions has them before the first message', () => {
  const messages: ModelRequest['messages'] = [{ role: 'system', text: 'S' }, ...request.messages];
  const { messages: sent } = chatBody({ ...asked, request: { ...request, messages }, dialect: { ...FIRST_DIALECT, system: 'user' } });
  expect(sent).toEqual([{ role: 'user', content: 'S\n\nHello' }]);
});

describe('whatever a server sends', () => {
  const word = fc.constantFrom(
    'choices',
    'message',
    'delta',
    'content',
    'tool_calls',
    'function',
    'arguments',
    'name',
    'id',
    'index',
    'error',
    'code',
    'finish_reason',
    'reasoning_details',
    'usage',
    'type',
    'text',
    'prompt_tokens',
  );
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constantFrom<unknown>('', 'stop', 'list_files', '{}', '<think>', null, 0, 429),
      fc.string(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(word, tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  const onlyCadre = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      expect(['ServerRefusal', 'UnreadableAnswer']).toContain((error as Error).constructor.name);
      expect(modelError(error, 'http://m').name).toBe('CadreError');
    }
  };
  const inChoice = fc.record(
    { choices: fc.array(fc.record({ message: value, finish_reason: value }), { maxLength: 2 }), usage: value, error: value },
    { requiredKeys: ['choices'] },
  );

  test('a reply or an error comes of it', () => {
    fc.assert(
      fc.property(fc.oneof(value, inChoice), (answer) => {
        onlyCadre(() => {
          const reply = readChat(answer, asked);
          expect(typeof reply.text).toBe('string');
          for (const call of reply.toolCalls)
            expect([typeof call.id, typeof call.name, typeof call.arguments]).toEqual(['string', 'string', 'string']);
          if (reply.usage) expect(reply.usage.outputTokens).toBeGreaterThanOrEqual(0);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('streamed, too', () => {
    const chunk = fc.oneof(value, fc.record({ choices: fc.array(fc.record({ delta: value, finish_reason: value }), { maxLength: 2 }) }));
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 6 }), (chunks) => {
        onlyCadre(() => {
          const collector = new ChatChunks(() => undefined);
          chunks.forEach((each) => collector.add({ name: 'message', data: JSON.stringify(each) }));
          readChat(collector.whole(), asked);
        });
      }),
      { numRuns: 500 },
    );
  });
});
