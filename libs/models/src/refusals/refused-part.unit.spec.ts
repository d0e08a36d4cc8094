import { FIRST_DIALECT } from '../dialect.js';
import type { Dialect } from '../dialect.js';
import { ServerRefusal } from '../server-words.js';
import { refusedPart } from './refused-part.js';
import type { SentParts } from './refused-part.js';

const sent = (dialect: Partial<Dialect> = {}, more: Partial<SentParts> = {}): SentParts => ({
  dialect: { ...FIRST_DIALECT, ...dialect },
  ...{ format: true, effort: true, tools: true, opaque: true },
  ...more,
});
const partOf = (message: string, over?: SentParts, status = 400, more: object = {}) =>
  refusedPart(new ServerRefusal(status, { error: { message, ...more } }), over ?? sent());

test.each<[string, Partial<Dialect>]>([
  [
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    { maxTokens: 'max_completion_tokens' },
  ],
  ["Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.", { temperature: false }],
  ["Unsupported parameter: 'reasoning_effort' is not supported with this model.", { effort: false }],
  ['Unrecognized request argument supplied: stream_options', { stream: 'plain' }],
  ['Streaming is not supported for this model', { stream: 'none' }],
  ['Tool call id was call_1_1 but must be a-z, A-Z, 0-9, with a length of 9.', { ids: 'made' }],
  [
    "Invalid 'messages[2].tool_calls[0].id': string too long. Expected a string with maximum length 40, but got a string with length 58 instead.",
    { ids: 'made' },
  ],
  ['The `reasoning_content` in the thinking mode must be passed back to the API.', { noThoughts: 'empty' }],
  ['reasoning_content is missing in the assistant message at index 3; in thinking mode it must be passed back.', { noThoughts: 'empty' }],
  ['Missing reasoning_content field in the assistant message at message index 2.', { noThoughts: 'empty' }],
  ['Function call is missing a thought_signature in functionCall parts.', { noThoughts: 'unsigned' }],
  ['Failed to initialize samplers: failed to parse grammar', { schemas: 'plainest' }],
  [
    "Invalid JSON payload received. Unknown name at 'tools.function.parameters.exclusiveMinimum': Cannot find field.",
    { schemas: 'plainest' },
  ],
  [
    'Invalid JSON payload received. Unknown name "additionalProperties" at \'tools[0].function_declarations[0].parameters\': Cannot find field.',
    { schemas: 'plainest' },
  ],
  ['tools.0.custom.input_schema: JSON schema is invalid', { schemas: 'plainest' }],
  ['response_format json_schema is not supported', { format: 'object' }],
  ['This model does not support response_format of type json_schema', { format: 'object' }],
  ["Function calling with a response mime type: 'application/json' is unsupported", { format: 'none' }],
  ['System role not supported', { system: 'user' }],
  ['Developer instruction is not enabled for models/gemma-3: system instruction is not supported', { system: 'user' }],
  ['Developer instruction is not enabled for this model', { system: 'user' }],
  ['GenerateContentRequest.contents[2].parts[0].function_response.name: Name cannot be empty.', { toolNames: true }],
  ['Conversation roles must alternate user/assistant/user/assistant/...', { turns: 'alternating' }],
  ['The reasoning_content is not allowed in the input messages of this model.', { opaque: false }],
  ['body.messages.2.assistant.reasoning_details: Extra inputs are not permitted', { opaque: false }],
  ["Invalid type for 'messages[2].content': expected a string, but got null", { bare: 'text' }],
])('%s', (message, to) => {
  expect(partOf(message)).toEqual({ to, named: true });
});

test('the name of the cap is changed back where the other is refused', () => {
  const refused = partOf('max_completion_tokens: Extra inputs are not permitted', sent({ maxTokens: 'max_completion_tokens' }), 422);
  expect(refused).toEqual({ to: { maxTokens: 'max_tokens' }, named: true });
});

test.each([
  'registry.ollama.ai/library/gemma:2b does not support tools',
  'The response was filtered due to the prompt triggering the content management policy',
  'The model `gpt-9` does not exist',
  'messages: final assistant content cannot end with trailing whitespace',
  'Invalid API key',
])('nothing is changed for: %s', (message) => {
  expect(partOf(message)).toBeUndefined();
});

test.each(['Bad request.', '', 'Provider returned error', 'invalid request', '400 Bad Request', 'Unprocessable Entity'])(
  '%j names nothing: the form that most take, once',
  (message) => {
    const change = partOf(message);
    expect(change).toEqual({ to: { format: 'none', effort: false, schemas: 'plainest', stream: 'none' }, named: false });
    const plain = sent(change?.to, { format: false, effort: false });
    expect(partOf(message, plain)).toBeUndefined();
  },
);

test('a fault of the server is about schemas or about nothing', () => {
  expect(partOf('Failed to convert schema to grammar', sent(), 500)).toEqual({ to: { schemas: 'plainest' }, named: true });
  expect(partOf('Internal error', sent(), 500)).toBeUndefined();
  expect(partOf('temperature', sent(), 500)).toBeUndefined();
});

test('what was not sent, or is changed already, is not the cause', () => {
  expect(partOf('response_format is not supported', sent({}, { format: false }))).toBeUndefined();
  expect(partOf('response_format is not supported', sent({ format: 'none' }))).toBeUndefined();
  expect(partOf('temperature is not supported', sent({ temperature: false }))).toBeUndefined();
  expect(partOf('failed to parse grammar', sent({ schemas: 'plainest', format: 'none' }))).toBeUndefined();
});

test('what stands for thoughts is sent once: a server that refuses it too means what it says', () => {
  const words = 'The `reasoning_content` in the thinking mode must be passed back to the API.';
  expect(partOf(words, sent({ noThoughts: 'empty' }))).toBeUndefined();
});
