/** Mistral: unknown fields are refused, ids of calls have nine letters and digits, thoughts are parts of the content. */
import { chatWire, messagesOf, toolTurns } from '../chat-wire.js';
import { emptyTurn, hasKey, lastToolTurn } from '../openai-forms.js';
import { unknownField, type Asked, type Refusal, type ServerProfile } from '../profile.js';

const model = 'magistral-medium-latest';
const FIELDS = ['model', 'messages', 'tools', 'tool_choice', 'max_tokens', 'temperature', 'top_p', 'stop', 'random_seed', 'stream', 'n']
  .concat([
    'stream_options',
    'response_format',
    'parallel_tool_calls',
    'presence_penalty',
    'frequency_penalty',
    'prediction',
    'prompt_mode',
  ])
  .concat(['reasoning_effort', 'safe_prompt', 'metadata', 'guardrails', 'prompt_cache_key']);
const OF_MESSAGES: Record<string, string[]> = {
  system: ['role', 'content'],
  user: ['role', 'content'],
  assistant: ['role', 'content', 'tool_calls', 'prefix'],
  tool: ['role', 'content', 'tool_call_id', 'name'],
};
const NINE = /^[a-zA-Z0-9]{9}$/;

const error = (
  status: number,
  message: string,
  type: string,
  code: string | null = null,
  headers: Record<string, string> = {},
): Refusal => ({
  ...{ status, headers },
  body: { object: 'error', message, type, param: null, code },
});
const forbidden = (...loc: (string | number)[]): Refusal => ({
  status: 422,
  body: { detail: [{ type: 'extra_forbidden', loc: ['body', ...loc], msg: 'Extra inputs are not permitted', input: 'x' }] },
});

function refuses(asked: Asked): Refusal | undefined {
  const { body } = asked;
  if (!hasKey(asked)) return { status: 401, body: { detail: 'Unauthorized' } };
  const unknown = unknownField(body, FIELDS);
  if (unknown) return forbidden(unknown);
  for (const [index, message] of messagesOf(body).entries()) {
    const extra = unknownField(message, OF_MESSAGES[message.role] ?? []);
    if (extra) return forbidden('messages', index, message.role, extra);
  }
  const ids = [
    ...toolTurns(body).flatMap((turn) => turn.tool_calls.map((call) => call.id)),
    ...messagesOf(body).map((each) => each.tool_call_id),
  ];
  const bad = ids.find((id) => id !== undefined && !NINE.test(id));
  if (bad !== undefined) {
    const message = `Tool call id was ${bad} but must be a-z, A-Z, 0-9, with a length of 9.`;
    return error(400, message, 'invalid_function_call', '3280');
  }
  const last = messagesOf(body).at(-1)?.role;
  if (last !== 'user' && last !== 'tool') {
    return error(
      400,
      `Expected last role User or Tool (or Assistant with prefix True) for serving but got ${last}`,
      'invalid_request_message_order',
    );
  }
  if (emptyTurn(body) !== undefined) {
    return error(400, 'Assistant message must have either content or tool_calls, but not none.', 'invalid_request_assistant_message');
  }
  return undefined;
}

export const MISTRAL: ServerProfile = {
  id: 'mistral',
  name: 'Mistral',
  api: 'chat',
  base: '/v1',
  model,
  rates: { input: 2, output: 5 },
  isPricedByOperator: true,
  wire: chatWire({
    model,
    callId: (n) => `D${String(n).padStart(8, '0')}`,
    content: ({ text }, said) => [
      { type: 'thinking', thinking: [{ type: 'text', text }] },
      ...(said === '' ? [] : [{ type: 'text', text: said }]),
    ],
    usage: ({ prompt, output }) => ({ prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output }),
    usageIn: 'last-chunk',
    tellsAlways: true,
    argumentsIn: 'whole',
  }),
  refuses,
  limited: () => error(429, 'Rate limit exceeded', 'rate_limited', '1300'),
  namesTime: false,
  notReady: () => error(503, 'Service unavailable.', 'service_unavailable', '3505'),
  demandsThoughts: false,
  violations: [
    { what: 'a field that it does not document', change: (body) => void (body['cadre_note'] = 'x'), status: 422, words: /extra_forbidden/ },
    {
      what: 'a field of a message that it does not document',
      change: (body) => void (lastToolTurn(body)['reasoning_content'] = 'x'),
      ...{ status: 422, words: /reasoning_content/ },
    },
    {
      what: 'an id of another server',
      change: (body) => void (lastToolTurn(body).tool_calls[0]!.id = 'call_0fypS1hVX'),
      ...{ status: 400, words: /length of 9/ },
    },
    {
      what: 'the name that OpenAI has for the cap',
      change: (body) => void (body['max_completion_tokens'] = 100),
      ...{ status: 422, words: /max_completion_tokens/ },
    },
    {
      what: 'a conversation that ends with the assistant',
      change: (body) => void messagesOf(body).push({ role: 'assistant', content: 'x' }),
      ...{ status: 400, words: /Expected last role/ },
    },
  ],
  sources: [
    {
      behaviour: 'statuses; limits and overload name no time',
      url: 'https://docs.mistral.ai/resources/error-glossary.md',
      read: '2026-12-01',
    },
    {
      behaviour: 'fields that it does not know are refused with 422 extra_forbidden',
      url: 'https://github.com/mistralai/platform-docs-public/issues/7, https://github.com/BerriAI/litellm/issues/30835',
      read: '2026-12-01',
    },
    { behaviour: 'ids of nine letters and digits, code 3280', url: 'https://github.com/nearai/ironclaw/issues/1241', read: '2026-12-01' },
    {
      behaviour: 'the last message is from the user or a tool',
      url: 'https://portkey.ai/error-library/response-role-error-10573',
      read: '2026-12-01',
    },
    {
      behaviour: 'thoughts as parts of the content',
      url: 'https://docs.rs/crate/mistral-openapi-client/latest/source/docs/ThinkChunk.md, https://github.com/spring-projects/spring-ai/pull/5020',
      read: '2026-12-01',
    },
    {
      behaviour: 'price of magistral-medium-latest',
      url: 'https://www.npmjs.com/package/@pydantic/genai-prices (0.1.8)',
      read: '2026-12-01',
    },
  ],
};
