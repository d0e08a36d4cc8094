/** DeepSeek in thinking mode, which is its default: thoughts go back with the calls that they led to, empty ones too. */
import { chatWire, messagesOf, toolTurns } from '../chat-wire.js';
import { badToolName, emptyTurn, hasKey, lastToolTurn, openAiError, unanswered, UNANSWERED } from '../openai-forms.js';
import type { Asked, Refusal, ServerProfile } from '../profile.js';

const model = 'deepseek-v4-pro';
const MISSING = 'The `reasoning_content` in the thinking mode must be passed back to the API.';

function refuses(asked: Asked): Refusal | undefined {
  const { body, thinks, thoughtOf } = asked;
  if (!hasKey(asked)) return openAiError(401, 'Authentication Fails', { type: 'authentication_error', code: 'invalid_request_error' });
  const format = body['response_format'] as { type?: string } | undefined;
  if (format?.type === 'json_schema') {
    return openAiError(400, 'This response_format type is unavailable now', { code: 'invalid_request_error' });
  }
  if (format?.type === 'json_object' && !/json/i.test(JSON.stringify(messagesOf(body)))) {
    return openAiError(400, "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.");
  }
  if (thinks) {
    const bad = toolTurns(body).some((turn) => {
      const [call] = turn.tool_calls;
      const thought = thoughtOf(call?.id ?? '');
      return thought ? turn['reasoning_content'] !== wordsOf(thought) : typeof turn['reasoning_content'] !== 'string';
    });
    if (bad) return openAiError(400, MISSING, { code: 'invalid_request_error' });
  }
  const name = badToolName(body);
  if (name !== undefined) return openAiError(400, `Invalid 'tools[0].function.name': ${name} does not match '^[a-zA-Z0-9_-]+$'.`);
  const open = unanswered(body);
  if (open) return openAiError(400, open, { code: 'invalid_request_error' });
  const empty = emptyTurn(body);
  return empty === undefined ? undefined : openAiError(400, `Invalid assistant message: content or tool_calls must be set (${empty})`);
}

/** The model does not think before every call; the field is there all the same. */
const wordsOf = ({ text }: { text: string }): string => (/[258]\)\.$/.test(text) ? '' : text);

export const DEEPSEEK: ServerProfile = {
  id: 'deepseek',
  name: 'DeepSeek',
  api: 'chat',
  base: '',
  model,
  rates: { input: 1.32, cachedInput: 0.044, output: 3.96 },
  isPricedByOperator: true,
  wire: chatWire({
    model,
    callId: (n) => `call_00_${String(n).padStart(22, 'k')}`,
    thoughts: (thought) => ({ reasoning_content: wordsOf(thought) }),
    usage: ({ prompt, output, cached, reasoning }) => ({
      ...{ prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output },
      ...{ prompt_cache_hit_tokens: cached, prompt_cache_miss_tokens: prompt - cached },
      completion_tokens_details: { reasoning_tokens: reasoning },
    }),
    usageIn: 'last-chunk',
    tellsAlways: true,
    argumentsIn: 'pieces',
    comment: 'keep-alive',
  }),
  refuses,
  limited: () => openAiError(429, 'Rate limit reached', { type: 'rate_limit_error', code: 'rate_limit_exceeded' }),
  namesTime: false,
  notReady: () => openAiError(503, 'Service is too busy. Please retry later.', { type: 'service_unavailable_error' }),
  demandsThoughts: true,
  violations: [
    {
      what: 'a tool turn without its thoughts',
      change: (body) => void delete lastToolTurn(body)['reasoning_content'],
      ...{ status: 400, words: /reasoning_content/ },
    },
    {
      what: 'a schema as the answer format',
      change: (body) => void (body['response_format'] = { type: 'json_schema', json_schema: { name: 'x', schema: {} } }),
      ...{ status: 400, words: /response_format/ },
    },
    UNANSWERED(400, /must be followed by tool messages/),
  ],
  sources: [
    {
      behaviour: 'limit 429 and overload 503 name no time',
      url: 'https://api-docs.deepseek.com/quick_start/error_codes',
      read: '2026-12-01',
    },
    {
      behaviour: 'thinking by default, in reasoning_content',
      url: 'https://api-docs.deepseek.com/guides/thinking_mode.md',
      read: '2026-12-01',
    },
    {
      behaviour: 'a tool turn without reasoning_content is refused with 400',
      url: 'https://github.com/anomalyco/opencode/issues/24722',
      read: '2026-12-01',
    },
    {
      behaviour: 'the same where the thoughts were empty',
      url: 'https://github.com/deepseek-ai/deepseek-harness/discussions/739',
      read: '2026-12-01',
    },
    {
      behaviour: 'comments in the stream while it is busy',
      url: 'https://share.apidog.com/apidoc/docs-site/747793/rate-limit-835830m0',
      read: '2026-12-01',
    },
    {
      behaviour: 'price at peak hours, by cache hit and miss',
      url: 'https://api-docs.deepseek.com/quick_start/pricing',
      read: '2026-12-01',
    },
  ],
};
