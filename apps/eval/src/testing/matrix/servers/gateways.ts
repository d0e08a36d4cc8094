/** Servers that stand before others, here before Anthropic's: their own errors, the vendor's thoughts in their form. */
import { chatWire, toolTurns } from '../chat-wire.js';
import { hasKey, lastToolTurn, openAiError, unanswered } from '../openai-forms.js';
import { seconds, type Asked, type Counts, type Refusal, type ServerProfile, type Thought } from '../profile.js';

const rates = { input: 3, cachedInput: 0.3, cacheWrite: 3.75, output: 15 };

const detailsOf = ({ text, seal }: Thought): object[] => [
  { type: 'reasoning.text', text, signature: seal, id: 'reasoning-text-1', format: 'anthropic-claude-v1', index: 0 },
];
const blocksOf = ({ text, seal }: Thought): object[] => [{ type: 'thinking', thinking: text, signature: seal }];

/** Whether each tool turn has in this field what it was given with. */
function hasItsThoughts({ body, thoughtOf }: Asked, field: string, form: (thought: Thought) => object[]): boolean {
  return toolTurns(body).every((turn) => {
    const thought = thoughtOf(turn.tool_calls[0]?.id ?? '');
    return thought === undefined || sameJson(turn[field], form(thought));
  });
}

/** Fields in any order. */
function sameJson(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown): string =>
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner,
    ) ?? '';
  return sorted(a) === sorted(b);
}

const openRouterError = (code: number, message: string, metadata: object | undefined, headers: Record<string, string> = {}): Refusal => ({
  ...{ status: code, headers },
  body: { error: { code, message, ...(metadata && { metadata }) }, user_id: 'user_1' },
});
const raw = (type: string, message: string): object => ({
  ...{ raw: JSON.stringify({ type: 'error', error: { type, message } }), provider_name: 'Anthropic', is_byok: false },
});
const wholeUsage = ({ prompt, output, cached, written, reasoning }: Counts): object => ({
  ...{ prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output },
  prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: reasoning },
});

export const OPENROUTER: ServerProfile = {
  id: 'openrouter',
  name: 'OpenRouter',
  api: 'chat',
  base: '/api/v1',
  model: 'anthropic/claude-sonnet-4.5',
  rates,
  isPricedByOperator: true,
  wire: chatWire({
    model: 'anthropic/claude-sonnet-4.5',
    callId: (n) => `toolu_${String(n).padStart(24, '0')}`,
    thoughts: (thought) => ({ reasoning: thought.text, reasoning_details: detailsOf(thought) }),
    usage: wholeUsage,
    usageIn: 'own-chunk',
    tellsAlways: true,
    argumentsIn: 'pieces',
    comment: 'OPENROUTER PROCESSING',
  }),
  refuses: (asked) => {
    if (!hasKey(asked)) return openRouterError(401, 'No auth credentials found', undefined);
    if (asked.thinks && !hasItsThoughts(asked, 'reasoning_details', detailsOf)) {
      const words = 'messages.1.content.0: Invalid `signature` in `thinking` block';
      return openRouterError(400, 'Provider returned error', raw('invalid_request_error', words));
    }
    const open = unanswered(asked.body);
    return open === undefined ? undefined : openRouterError(400, 'Provider returned error', raw('invalid_request_error', open));
  },
  limited: (left) =>
    openRouterError(429, 'Provider returned error', raw('rate_limit_error', 'slow down'), { 'retry-after': seconds(left) }),
  namesTime: true,
  notReady: () => openRouterError(503, 'There is no available model provider that meets your routing requirements', undefined),
  demandsThoughts: true,
  violations: [
    {
      what: 'a tool turn without its thoughts',
      change: (body) => void delete lastToolTurn(body)['reasoning_details'],
      ...{ status: 400, words: /signature/ },
    },
    {
      what: 'thoughts with another signature',
      change: (body) => void ((lastToolTurn(body)['reasoning_details'] as { signature: string }[])[0]!.signature = 'x'),
      ...{ status: 400, words: /signature/ },
    },
  ],
  sources: [
    {
      behaviour: 'form of errors; 429 and 503 may have Retry-After; 502 and 503 of providers',
      url: 'https://openrouter.ai/docs/api/reference/errors-and-debugging',
      read: '2026-12-01',
    },
    {
      behaviour: 'usage always told, with cache_write_tokens',
      url: 'https://openrouter.ai/docs/use-cases/usage-accounting',
      read: '2026-12-01',
    },
    {
      behaviour: 'thoughts that were changed are refused by the provider',
      url: 'https://github.com/can1357/oh-my-pi/issues/3399',
      read: '2026-12-01',
    },
    { behaviour: 'price', url: 'https://www.npmjs.com/package/@pydantic/genai-prices (0.1.8)', read: '2026-12-01' },
  ],
};

export const LITELLM: ServerProfile = {
  id: 'litellm',
  name: 'LiteLLM',
  api: 'chat',
  base: '',
  model: 'team-model',
  rates,
  isPricedByOperator: true,
  wire: chatWire({
    model: 'team-model',
    callId: (n) => `toolu_${String(n).padStart(24, '0')}`,
    thoughts: (thought) => ({ reasoning_content: thought.text, thinking_blocks: blocksOf(thought) }),
    usage: (counts) => ({
      ...wholeUsage(counts),
      prompt_tokens_details: { cached_tokens: counts.cached, cache_creation_tokens: counts.written },
      ...{ cache_read_input_tokens: counts.cached, cache_creation_input_tokens: counts.written },
    }),
    usageIn: 'own-chunk',
    argumentsIn: 'pieces',
  }),
  refuses: (asked) => {
    if (!hasKey(asked))
      return openAiError(401, 'Authentication Error, Invalid proxy server token passed', { type: 'auth_error', code: '401' });
    if (asked.thinks && !hasItsThoughts(asked, 'thinking_blocks', blocksOf)) {
      const words = 'litellm.BadRequestError: AnthropicException - messages.1.content.0.type: Expected `thinking`, but found `tool_use`.';
      return openAiError(400, words, { type: null, code: '400' });
    }
    const open = unanswered(asked.body);
    return open === undefined ? undefined : openAiError(400, `litellm.BadRequestError: ${open}`, { type: null, code: '400' });
  },
  limited: (left) =>
    openAiError(
      429,
      'litellm.RateLimitError: AnthropicException - This request would exceed the rate limit.',
      { type: 'throttling_error', code: '429' },
      { 'retry-after': seconds(left) },
    ),
  namesTime: true,
  notReady: () => openAiError(503, 'litellm.ServiceUnavailableError: AnthropicException - Overloaded', { type: null, code: '503' }),
  demandsThoughts: true,
  violations: [
    {
      what: 'a tool turn without its thoughts',
      change: (body) => void delete lastToolTurn(body)['thinking_blocks'],
      ...{ status: 400, words: /Expected `thinking`/ },
    },
  ],
  sources: [
    {
      behaviour: 'errors by status, with the name of the exception',
      url: 'https://mintlify.com/BerriAI/litellm/api/exceptions',
      read: '2026-12-01',
    },
    {
      behaviour: 'thinking_blocks with signatures, which Anthropic demands back',
      url: 'https://github.com/BerriAI/litellm/issues/9255, https://github.com/BerriAI/litellm/pull/21322',
      read: '2026-12-01',
    },
    {
      behaviour: 'usage of caches: read within the prompt, cache_creation_input_tokens for Anthropic alone',
      url: 'https://docs.litellm.ai/docs/completion/prompt_caching.md',
      read: '2026-12-01',
    },
  ],
};
