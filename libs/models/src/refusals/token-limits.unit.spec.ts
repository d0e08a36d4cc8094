import fc from 'fast-check';
import { ServerRefusal } from '../server-words.js';
import { tokenFault } from './token-limits.js';

const said = (message: string, more: object = {}) => new ServerRefusal(400, { error: { message, ...more } });
const window = (size: number, prompt?: number) => ({ kind: 'window', window: size, ...(prompt !== undefined && { prompt }) });
const cap = (most: number) => ({ kind: 'cap', most });

test.each([
  // OpenAI, also older.
  [
    "This model's maximum context length is 8192 tokens; 9804 were requested (1612 in the messages, 8192 in the completion).",
    window(8192, 1612),
  ],
  [
    "This model's maximum context length is 8192 tokens. However, you requested 9804 tokens (1612 in the messages, 8192 in the completion). Please reduce the length of the messages or completion.",
    window(8192, 1612),
  ],
  [
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    { kind: 'too-long', window: 8192, prompt: 9000 },
  ],
  ['max_tokens is too large: 8192. This model supports at most 4096 completion tokens, whereas you provided 8192.', cap(4096)],
  // vLLM.
  [
    "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 8192 tokens and your request has 1612 input tokens (8192 > 8192 - 1612).",
    window(8192, 1612),
  ],
  [
    "This model's maximum context length is 4096 tokens. However, your request has 5000 input tokens. Please reduce the length of the input messages.",
    { kind: 'too-long', window: 4096, prompt: 5000 },
  ],
  [
    'The decoder prompt (length 9000) is longer than the maximum model length of 8192. Make sure that `max_model_len` is no smaller.',
    { kind: 'too-long', window: 8192, prompt: 9000 },
  ],
  // TGI, Together.
  [
    'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8192. Given: 1612 `inputs` tokens and 8192 `max_new_tokens`',
    window(8192, 1612),
  ],
  ['Input validation error: `inputs` must have less than 4096 tokens. Given: 5000', { kind: 'too-long', window: 4096, prompt: 5000 }],
  // Groq.
  [
    '`max_tokens` must be less than or equal to `4096`, the maximum value for `max_tokens` is less than the `context_window` for this model',
    cap(4096),
  ],
  // DeepSeek.
  ['Invalid max_tokens value, the valid range of max_tokens is [1, 4096]', cap(4096)],
  [
    "This model's maximum context length is 65536 tokens. However, you requested 70000 tokens (61808 in the messages, 8192 in the completion).",
    window(65536, 61808),
  ],
  // Anthropic.
  ['max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens for claude-3-opus-20240229', cap(4096)],
  [
    'input length and `max_tokens` exceed context limit: 196000 + 8192 > 200000, decrease input length or `max_tokens` and try again',
    window(200000, 196000),
  ],
  ['prompt is too long: 212345 tokens > 200000 maximum', { kind: 'too-long', window: 200000, prompt: 212345 }],
  // OpenRouter, Mistral, Cohere, Bedrock, Gemini, LM Studio.
  [
    "This endpoint's maximum context length is 131072 tokens. However, you requested about 135192 tokens (127000 of text input, 8192 in the output).",
    window(131072, 127000),
  ],
  [
    'Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
    { kind: 'too-long', window: 32768, prompt: 40000 },
  ],
  ['too many tokens: max tokens must be less than or equal to 4096, the maximum output length for this model - received 8192', cap(4096)],
  [
    'The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096.',
    cap(4095),
  ],
  [
    'Unable to submit request because it has a maxOutputTokens value of 8192 but the supported range is from 1 (inclusive) to 4097 (exclusive).',
    cap(4096),
  ],
  [
    'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
    { kind: 'too-long', window: 1048576, prompt: 1200000 },
  ],
  [
    'Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens',
    { kind: 'window', window: 4096 },
  ],
  // With thousands parted.
  ['max_tokens cannot exceed 4,096 for this model', cap(4096)],
  // OpenRouter, an account that is nearly empty.
  [
    'This request requires more credits, or fewer max_tokens. You requested up to 8192 tokens, but can only afford 3000.',
    { ...cap(3000), passing: true },
  ],
])('%s', (message, fault) => {
  expect(tokenFault(said(message), 8192)).toEqual(fault);
});

test('llama.cpp gives the numbers as fields', () => {
  const error = { code: 400, message: 'the request exceeds the available context size', type: 'exceed_context_size_error' };
  expect(tokenFault(said(error.message, { ...error, n_prompt_tokens: 6815, n_ctx: 4096 }), 8192)).toEqual({
    kind: 'too-long',
    window: 4096,
    prompt: 6815,
  });
  const words = 'request (6815 tokens) exceeds the available context size (4096 tokens), try increasing it';
  expect(tokenFault(said(words), 8192)).toEqual({ kind: 'too-long', window: 4096, prompt: 6815 });
});

test("FastAPI's list of faults", () => {
  const detail = [
    {
      type: 'less_than_equal',
      loc: ['body', 'max_tokens'],
      msg: 'Input should be less than or equal to 4096',
      input: 8192,
      ctx: { le: 4096 },
    },
  ];
  const refusal = new ServerRefusal(422, { detail });
  expect(refusal.words).toBe('max_tokens: Input should be less than or equal to 4096');
  expect(tokenFault(refusal, 8192)).toEqual(cap(4096));
  expect(tokenFault(new ServerRefusal(422, { detail: [{ ...detail[0], ctx: undefined }] }), 8192)).toEqual(cap(4096));
});

test.each([
  "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
  'Tool call id was call_1_1 but must be a-z, A-Z, 0-9, with a length of 9.',
  'reasoning_content is missing in the assistant message at index 3',
  'Bad request.',
  'registry.ollama.ai/library/gemma:2b does not support tools',
  'The model gpt-4o-2024-08-06 does not exist',
  '',
])('speaks of something else: %s', (message) => {
  expect(tokenFault(said(message), 8192)).toBeUndefined();
});

test('whatever is said, a cap is smaller than what was asked for, and a window leaves room', () => {
  const word = fc.oneof(
    fc.constantFrom('max_tokens', 'context length', 'is', 'at most', '>', 'prompt', 'requested', '(', 'tokens', 'maximum'),
    fc.nat(20_000).map(String),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 15 }), fc.integer({ min: 1, max: 20_000 }), (words, asked) => {
      const fault = tokenFault(said(words.join(' ')), asked);
      if (fault?.kind === 'cap') expect(fault.most).toBeLessThan(asked);
      if (fault?.kind === 'window') expect(fault.window - (fault.prompt ?? 0)).toBeGreaterThanOrEqual(16);
    }),
  );
});
