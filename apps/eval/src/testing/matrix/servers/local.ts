/** Servers at home: Ollama, vLLM, llama.cpp. They leave aside what they do not know; their models have the price that the operator says. */
import { chatWire } from '../chat-wire.js';
import { emptyTurn, openAiError, unanswered } from '../openai-forms.js';
import { seconds, type Asked, type Counts, type Refusal, type ServerProfile, type Violation } from '../profile.js';

const rates = { input: 0.1, output: 0.4 };
const counted = ({ prompt, output }: Counts): object => ({
  prompt_tokens: prompt,
  completion_tokens: output,
  total_tokens: prompt + output,
});
const NO_MESSAGES: Omit<Violation, 'words'> = {
  what: 'a request without messages',
  change: (body) => void (body['messages'] = []),
  status: 400,
};
const hasMessages = ({ body }: Asked): boolean => Array.isArray(body['messages']) && body['messages'].length > 0;

export const OLLAMA: ServerProfile = {
  id: 'ollama',
  name: 'Ollama',
  api: 'chat',
  base: '/v1',
  model: 'qwen3:8b',
  rates,
  isPricedByOperator: true,
  wire: chatWire({
    model: 'qwen3:8b',
    callId: (n) => `call_${n.toString(36).padStart(8, '0')}`,
    thoughts: ({ text }) => ({ reasoning: text }),
    usage: counted,
    usageIn: 'own-chunk',
    argumentsIn: 'whole',
  }),
  refuses: (asked) => {
    const { body, thinks } = asked;
    if (!hasMessages(asked)) return openAiError(400, '[] is too short - messages');
    if (!thinks && body['reasoning_effort'] !== undefined)
      return openAiError(400, '"qwen3:8b" does not support thinking', { type: 'api_error' });
    return undefined;
  },
  limited: () => openAiError(503, 'server busy, please try again.  maximum pending requests exceeded', { type: 'api_error' }),
  namesTime: false,
  notReady: () => openAiError(503, 'Server overloaded, please retry shortly (ref: 06d81c91)', { type: 'api_error' }),
  demandsThoughts: false,
  violations: [{ ...NO_MESSAGES, words: /too short/ }],
  sources: [
    {
      behaviour: 'fields that it takes; thoughts in reasoning',
      url: 'https://docs.ollama.com/api/openai-compatibility',
      read: '2026-12-01',
    },
    {
      behaviour: 'busy: 503 "maximum pending requests exceeded"',
      url: 'https://github.com/ollama/ollama/pull/4144, https://github.com/ollama/ollama/issues/4159',
      read: '2026-12-01',
    },
    { behaviour: 'overload of its cloud: 503', url: 'https://github.com/ollama/ollama/issues/15934', read: '2026-12-01' },
    {
      behaviour: 'an effort is refused where the model cannot think',
      url: 'https://github.com/atomantic/PortOS/pull/6130',
      read: '2026-12-01',
    },
  ],
};

export const VLLM: ServerProfile = {
  id: 'vllm',
  name: 'vLLM',
  api: 'chat',
  base: '/v1',
  model: 'Qwen/Qwen3-32B',
  rates,
  isPricedByOperator: true,
  wire: chatWire({
    model: 'Qwen/Qwen3-32B',
    callId: (n) => `chatcmpl-tool-${n.toString(16).padStart(32, '0')}`,
    // `reasoning` since v0.11, `reasoning_content` beside it for a while.
    thoughts: ({ text }) => ({ reasoning: text, reasoning_content: text }),
    usage: (counts) => ({ ...counted(counts), prompt_tokens_details: counts.cached > 0 ? { cached_tokens: counts.cached } : null }),
    usageIn: 'own-chunk',
    argumentsIn: 'pieces',
  }),
  refuses: (asked) => {
    const open = hasMessages(asked) ? unanswered(asked.body) : 'messages: List should have at least 1 item';
    return open === undefined ? undefined : vllmError(400, 'BadRequestError', open);
  },
  // vLLM has no limits of its own; what stands before it has.
  limited: (left) => ({ status: 429, body: { error: 'Too many requests' }, headers: { 'retry-after': seconds(left) } }),
  namesTime: true,
  notReady: 'unreachable',
  demandsThoughts: false,
  violations: [{ ...NO_MESSAGES, words: /BadRequestError/ }],
  sources: [
    {
      behaviour: 'thoughts in reasoning, before that in reasoning_content',
      url: 'https://docs.vllm.ai/en/v0.11.2/features/reasoning_outputs/',
      read: '2026-12-01',
    },
    {
      behaviour: 'no limit of its own: a proxy before it says 429',
      url: 'https://github.com/vllm-project/vllm/issues/13395',
      read: '2026-12-01',
    },
    {
      behaviour: 'its port is opened when the model is loaded',
      url: 'https://github.com/vllm-project/vllm/issues/16580',
      read: '2026-12-01',
    },
  ],
};

const vllmError = (code: number, type: string, message: string): Refusal => ({
  status: code,
  body: { error: { message, type, param: null, code } },
});

export const LLAMA_CPP: ServerProfile = {
  id: 'llama-cpp',
  name: 'llama.cpp',
  api: 'chat',
  base: '/v1',
  model: 'gpt-oss',
  rates,
  isPricedByOperator: true,
  wire: chatWire({
    model: 'gpt-oss',
    callId: (n) => n.toString(36).padStart(32, '0'),
    thoughts: ({ text }) => ({ reasoning_content: text }),
    usage: (counts) => ({ ...counted(counts), prompt_tokens_details: { cached_tokens: counts.cached } }),
    usageIn: 'own-chunk',
    argumentsIn: 'pieces',
  }),
  refuses: (asked) => {
    const { body } = asked;
    if (!hasMessages(asked)) return openAiError(400, "'messages' is required", { code: 400 });
    if (emptyTurn(body) !== undefined) {
      return openAiError(400, "Assistant message must contain either 'content' or 'tool_calls'!", { code: 400 });
    }
    return undefined;
  },
  // It queues what it cannot take; what stands before it has limits.
  limited: (left) => ({ status: 429, body: { error: { message: 'Too many requests' } }, headers: { 'retry-after': seconds(left) } }),
  namesTime: true,
  notReady: () => openAiError(503, 'Loading model', { type: 'unavailable_error', code: 503 }),
  demandsThoughts: false,
  violations: [{ ...NO_MESSAGES, words: /messages/ }],
  sources: [
    {
      behaviour:
        'an empty turn is refused (its source, by exact words); loading: "Loading model", unavailable_error (words in the program of build 11669)',
      url: 'https://github.com/ggml-org/llama.cpp',
      read: '2026-12-01',
    },
    {
      behaviour: 'thoughts in reasoning_content, cached_tokens',
      url: 'https://mvysny.github.io/llama-server-endpoints/',
      read: '2026-12-01',
    },
  ],
};
