/** Gemini's OpenAI-compatible endpoint: the first call of a turn is signed, and the signature has to come back with it. */
import { chatWire, toolTurns } from '../chat-wire.js';
import { emptyTurn, hasKey, lastToolTurn } from '../openai-forms.js';
import { unknownField, type Asked, type Refusal, type ServerProfile } from '../profile.js';

const model = 'gemini-3-pro-preview';
const FIELDS = [
  'model',
  'messages',
  'tools',
  'tool_choice',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'n',
  'stop',
].concat(['stream', 'stream_options', 'response_format', 'reasoning_effort', 'extra_body', 'seed', 'parallel_tool_calls', 'user']);
/** What Google's documents name for calls that it has not signed itself. */
const UNSIGNED = 'skip_thought_signature_validator';

/** A list with one error, as this endpoint has it. */
function googleError(code: number, status: string, message: string, details: object[] = []): Refusal {
  return { status: code, body: [{ error: { code, message, status, ...(details.length > 0 && { details }) } }] };
}
const invalid = (message: string): Refusal => googleError(400, 'INVALID_ARGUMENT', message);

function refuses(asked: Asked): Refusal | undefined {
  const { body } = asked;
  if (!hasKey(asked)) return invalid('API key not valid. Please pass a valid API key.');
  const unknown = unknownField(body, FIELDS);
  if (unknown) return invalid(`Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`);
  if (body['response_format'] !== undefined && Array.isArray(body['tools'])) {
    return invalid("Function calling with a response mime type: 'application/json' is unsupported");
  }
  if (emptyTurn(body) !== undefined) return invalid('Unable to submit request because it must have a text parameter.');
  return asked.thinks ? ofSignatures(asked) : undefined;
}

function ofSignatures({ body, thoughtOf }: Asked): Refusal | undefined {
  for (const [index, turn] of toolTurns(body).entries()) {
    const [call] = turn.tool_calls;
    const extra = call?.['extra_content'] as { google?: { thought_signature?: string } } | undefined;
    const signature = extra?.google?.thought_signature;
    if (signature === undefined) {
      const name = call?.function.name;
      return invalid(`Function call is missing a thought_signature in functionCall parts. (function call ${name}, position ${index + 1})`);
    }
    const given = thoughtOf(call?.id ?? '');
    if (signature !== UNSIGNED && signature !== given?.seal) return invalid('Thought signature is not valid');
  }
  return undefined;
}

const firstCall = (body: Asked['body']): Record<string, unknown> => lastToolTurn(body).tool_calls[0] as unknown as Record<string, unknown>;

export const GEMINI: ServerProfile = {
  id: 'gemini',
  name: "Gemini's compatible endpoint",
  api: 'chat',
  base: '/v1beta/openai',
  model,
  rates: { input: 2, cachedInput: 0.2, output: 12 },
  wire: chatWire({
    model,
    callId: (n) => `function-call-${String(n).padStart(20, '0')}`,
    seal: ({ seal }) => ({ extra_content: { google: { thought_signature: seal } } }),
    // Thoughts are in the total alone.
    usage: ({ prompt, output, reasoning, cached }) => ({
      ...{ prompt_tokens: prompt, completion_tokens: output - reasoning, total_tokens: prompt + output },
      ...(cached > 0 && { prompt_tokens_details: { cached_tokens: cached } }),
    }),
    usageIn: 'each-chunk',
    argumentsIn: 'whole',
  }),
  refuses,
  limited: (left) => {
    const delay = `${(left / 1000).toFixed(3)}s`;
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: delay }];
    return googleError(429, 'RESOURCE_EXHAUSTED', `You exceeded your current quota. Please retry in ${delay}.`, details);
  },
  namesTime: true,
  notReady: () => googleError(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'),
  demandsThoughts: true,
  violations: [
    {
      what: 'a field that it does not document',
      change: (body) => void (body['cadre_note'] = 'x'),
      ...{ status: 400, words: /Cannot find field/ },
    },
    {
      what: 'a call without its signature',
      change: (body) => void delete firstCall(body)['extra_content'],
      ...{ status: 400, words: /missing a thought_signature/ },
    },
    {
      what: 'a call with another signature',
      change: (body) => void (firstCall(body)['extra_content'] = { google: { thought_signature: 'x' } }),
      ...{ status: 400, words: /signature is not valid/ },
    },
    {
      what: 'an answer format beside tools',
      change: (body) => {
        body['tools'] ??= [];
        body['response_format'] = { type: 'json_object' };
      },
      ...{ status: 400, words: /response mime type/ },
    },
  ],
  sources: [
    {
      behaviour: 'overload 503 UNAVAILABLE, limit 429 RESOURCE_EXHAUSTED',
      url: 'https://docs.llmgateway.io/troubleshooting/gemini-429-resource-exhausted',
      read: '2026-12-01',
    },
    {
      behaviour: 'a call without its signature: 400 in a list',
      url: 'https://github.com/ccch1mneyyy/dsh-Go/discussions/2016',
      read: '2026-12-01',
    },
    {
      behaviour: 'signature in extra_content.google of the first call; a mark for calls of others',
      url: 'https://github.com/continuedev/continue/pull/8865',
      read: '2026-12-01',
    },
    {
      behaviour: 'price of gemini-3-pro-preview',
      url: 'https://www.npmjs.com/package/@pydantic/genai-prices (0.1.8)',
      read: '2026-12-01',
    },
  ],
};
