import fc from 'fast-check';
import { writtenCalls } from './written-calls.js';

const OFFERED = ['list_files', 'read_file'];
const LIST = [{ name: 'list_files', arguments: '{}' }];
const READ = [{ name: 'read_file', arguments: '{"path":"a.csv"}' }];

test.each([
  ['Hermes', '<tool_call>\n{"name": "list_files", "arguments": {}}\n</tool_call>', LIST],
  ['Hermes, not closed', '<tool_call>\n{"name": "list_files", "arguments": {}}', LIST],
  [
    'two',
    '<tool_call>{"name":"list_files","arguments":{}}</tool_call>\n<tool_call>{"name":"read_file","arguments":{"path":"a.csv"}}</tool_call>',
    [...LIST, ...READ],
  ],
  ['parameters', '<tool_call>{"name":"read_file","parameters":{"path":"a.csv"}}</tool_call>', READ],
  ['GLM', '<tool_call>read_file\n<arg_key>path</arg_key>\n<arg_value>a.csv</arg_value>\n</tool_call>', READ],
  ['GLM without arguments', '<tool_call>list_files</tool_call>', LIST],
  ['Llama', '<function=read_file>{"path":"a.csv"}</function>', READ],
  ['Qwen3-Coder', '<tool_call>\n<function=read_file>\n<parameter=path>\na.csv\n</parameter>\n</function>\n</tool_call>', READ],
  ['Mistral, a list', '[TOOL_CALLS] [{"name": "read_file", "arguments": {"path": "a.csv"}}]', READ],
  ['Mistral, named', '[TOOL_CALLS]read_file{"path":"a.csv"}', READ],
  ['Mistral, named with ARGS', '[TOOL_CALLS]read_file[ARGS]{"path":"a.csv"}', READ],
  ['Llama 3.1', '<|python_tag|>{"name": "read_file", "parameters": {"path": "a.csv"}}', READ],
  ['Granite', '<|tool_call|>[{"name": "read_file", "arguments": {"path": "a.csv"}}]', READ],
  [
    'Kimi',
    '<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{"path":"a.csv"}<|tool_call_end|><|tool_calls_section_end|>',
    READ,
  ],
  [
    'DeepSeek',
    '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file\n```json\n{"path":"a.csv"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    READ,
  ],
  ['gpt-oss', '<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path":"a.csv"}<|call|>', READ],
  ['Claude', '<function_calls>\n<invoke name="read_file">\n<parameter name="path">a.csv</parameter>\n</invoke>\n</function_calls>', READ],
  [
    'MiniMax',
    '<minimax:tool_call>\n<invoke name="read_file">\n<parameter name="path">a.csv</parameter>\n</invoke>\n</minimax:tool_call>',
    READ,
  ],
  ['Llama 4', '[read_file(path="a.csv")]', READ],
  ['Llama 4, with single quotes', "[read_file(path='a.csv')]", READ],
  ['Llama 4 without arguments', '[list_files()]', LIST],
  ['Gemma', '```tool_code\nread_file(path="a.csv")\n```', READ],
  ['bare, in a fence behind prose', 'I look.\n```json\n{"name": "read_file", "arguments": {"path": "a.csv"}}\n```', READ],
  ['bare', '{"name": "read_file", "arguments": {"path": "a.csv"}}', READ],
  ['bare, in a fence', '```json\n{"name": "read_file", "parameters": {"path": "a.csv"}}\n```', READ],
  ['bare, a list', '[{"name": "list_files", "arguments": null}]', LIST],
  ['as OpenAI has it', '{"type":"function","function":{"name":"read_file","arguments":"{\\"path\\":\\"a.csv\\"}"}}', READ],
])('%s', (_, text, calls) => {
  expect(writtenCalls(text, OFFERED)?.calls).toEqual(calls);
});

test('what stands before stays', () => {
  expect(writtenCalls('I look.\n<tool_call>{"name":"list_files","arguments":{}}</tool_call>', OFFERED)).toEqual({
    calls: LIST,
    text: 'I look.',
  });
});

test('broken arguments are left to whoever runs the tool', () => {
  const text = '<tool_call>{"name": "read_file", "arguments": {"path": "a\nb",}}</tool_call>';
  expect(writtenCalls(text, OFFERED)?.calls).toEqual([{ name: 'read_file', arguments: '{"path": "a\nb",}' }]);
});

test.each([
  ['no tool was offered', '{"name": "list_files", "arguments": {}}', []],
  ['another tool', '{"name": "rm", "arguments": {}}', OFFERED],
  ['the answer', '{"answer": "I used list_files.", "confidence": 1}', OFFERED],
  ['a record that has a name', '{"name": "list_files", "size": 3}', OFFERED],
  ['Python that is no call of a tool', '[print(path="a.csv")]', OFFERED],
  ['a sentence with a call in it', 'list_files() gave one file.', OFFERED],
  ['an argument that is no literal', '[list_files(path=open("x"))]', OFFERED],
  ['code in a fence that goes on after it', '```\nlist_files()\n```\nis how I would do it.', OFFERED],
  ['prose', 'I would call <list_files> now.', OFFERED],
  ['a list of other things', '[{"name": "list_files", "arguments": {}}, 3]', OFFERED],
])('none where %s', (_, text, offered) => {
  expect(writtenCalls(text, offered)).toBeUndefined();
});

test('only offered tools are called, whatever the text', () => {
  const piece = fc.constantFrom(
    '<tool_call>',
    '{"name":"rm","arguments":{}}',
    '{"name":"list_files","arguments":{"a":',
    '[TOOL_CALLS]',
    '}',
    '</tool_call>',
    '<function=',
    'x>',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }), (pieces) => {
      for (const { name } of writtenCalls(pieces.join(''), OFFERED)?.calls ?? []) expect(OFFERED).toContain(name);
    }),
  );
});

test('literals of Python become JSON', () => {
  const text = String.raw`[read_file(path="a\"b\n", lines=[1, -2.5], deep={'a': None}, all=True), list_files()]`;
  expect(writtenCalls(text, OFFERED)?.calls).toEqual([
    { name: 'read_file', arguments: JSON.stringify({ path: 'a"b\n', lines: [1, -2.5], deep: { a: null }, all: true }) },
    { name: 'list_files', arguments: '{}' },
  ]);
});
