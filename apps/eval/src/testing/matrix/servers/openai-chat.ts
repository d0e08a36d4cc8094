/** OpenAI's chat completions with a reasoning model: its thoughts stay at the server, and are billed. */
import { chatWire } from '../chat-wire.js';
import { badToolName, emptyTurn, hasKey, openAiError, unanswered, UNANSWERED, UNKNOWN_FIELD } from '../openai-forms.js';
import { unknownField, type Asked, type Refusal, type ServerProfile } from '../profile.js';

const model = 'gpt-5.1';
const FIELDS = ['model', 'messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'max_tokens', 'max_completion_tokens', 'temperature']
  .concat(['top_p', 'n', 'stop', 'seed', 'stream', 'stream_options', 'response_format', 'reasoning_effort', 'service_tier', 'store'])
  .concat(['metadata', 'user', 'logprobs', 'prompt_cache_key', 'verbosity']);

function refuses(asked: Asked): Refusal | undefined {
  const { body, thinks } = asked;
  if (!hasKey(asked)) return openAiError(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
  const unknown = unknownField(body, FIELDS);
  if (unknown) return openAiError(400, `Unrecognized request argument supplied: ${unknown}`);
  if (thinks && body['max_tokens'] !== undefined) {
    const message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    return openAiError(400, message, { param: 'max_tokens', code: 'unsupported_parameter' });
  }
  if (thinks && body['temperature'] !== undefined && body['temperature'] !== 1) {
    const message = "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.";
    return openAiError(400, message, { param: 'temperature', code: 'unsupported_value' });
  }
  const name = badToolName(body);
  if (name !== undefined) return openAiError(400, `Invalid name: string does not match pattern '^[a-zA-Z0-9_-]+$': ${name}`);
  const open = unanswered(body);
  if (open) return openAiError(400, open);
  const empty = emptyTurn(body);
  if (empty !== undefined) return openAiError(400, `Invalid value for 'content': expected a string, got null (messages.[${empty}]).`);
  return undefined;
}

export const OPENAI_CHAT: ServerProfile = {
  id: 'openai-chat',
  name: 'OpenAI chat completions',
  api: 'chat',
  base: '/v1',
  model,
  rates: { input: 1.25, cachedInput: 0.125, output: 10 },
  wire: chatWire({
    model,
    callId: (n) => `call_${String(n).padStart(24, '0')}`,
    usage: ({ prompt, output, cached, reasoning }) => ({
      ...{ prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output },
      prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: 0 },
    }),
    usageIn: 'own-chunk',
    argumentsIn: 'pieces',
  }),
  refuses,
  limited: (left) => {
    const reset = `${(left / 1000).toFixed(3)}s`;
    const message = `Rate limit reached for ${model} in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in ${reset}.`;
    const headers = { 'x-ratelimit-limit-requests': '3', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': reset };
    return openAiError(429, message, { type: 'requests', code: 'rate_limit_exceeded' }, headers);
  },
  namesTime: true,
  notReady: () =>
    openAiError(503, 'The server is currently overloaded with other requests.', {
      type: 'service_unavailable_error',
      code: 'server_is_overloaded',
    }),
  demandsThoughts: false,
  violations: [
    UNKNOWN_FIELD(400, /Unrecognized request argument/),
    UNANSWERED(400, /must be followed by tool messages/),
    { what: 'the old name of the cap', change: (body) => void (body['max_tokens'] = 100), status: 400, words: /max_completion_tokens/ },
    { what: 'a temperature', change: (body) => void (body['temperature'] = 0), status: 400, words: /temperature/ },
  ],
  sources: [
    {
      behaviour: 'limit: 429 rate_limit_exceeded, "Please try again in", x-ratelimit-reset-requests; overload: 503 server_is_overloaded',
      url: 'https://learn.microsoft.com/microsoft-cloud/dev/dev-proxy/concepts/openai-rate-limit-reached',
      read: '2026-12-01',
    },
    {
      behaviour: 'reasoning models refuse max_tokens and a temperature',
      url: 'https://github.com/fish2018/YPrompt/issues/26, https://github.com/getzep/graphiti/issues/874',
      read: '2026-12-01',
    },
    {
      behaviour: 'usage: cached input within the prompt, reasoning within the output',
      url: 'https://docs.stigg.io/documentation/ai-agents/llm-wrappers/providers/openai',
      read: '2026-12-01',
    },
    { behaviour: 'price of gpt-5.1', url: 'https://www.npmjs.com/package/@pydantic/genai-prices (0.1.8)', read: '2026-12-01' },
  ],
};
