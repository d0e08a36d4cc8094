/** OpenAI's Responses API without storage: thoughts are encrypted, and stand before the calls that they led to. */
import { hasKey, openAiError } from '../openai-forms.js';
import { seconds, unknownField, type Asked, type Body, type Refusal, type ServerProfile } from '../profile.js';
import { itemsOf, responsesWire, type Item } from '../responses-wire.js';

const model = 'gpt-5.1';
const FIELDS = ['model', 'instructions', 'input', 'max_output_tokens', 'temperature', 'top_p', 'tools', 'tool_choice', 'reasoning', 'text']
  .concat(['store', 'include', 'stream', 'stream_options', 'metadata', 'parallel_tool_calls', 'previous_response_id', 'service_tier'])
  .concat(['truncation', 'user', 'prompt_cache_key', 'max_tool_calls', 'background', 'safety_identifier']);

function refuses(asked: Asked): Refusal | undefined {
  const { body, thinks } = asked;
  if (!hasKey(asked)) return openAiError(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
  const unknown = unknownField(body, FIELDS);
  if (unknown) return openAiError(400, `Unknown parameter: '${unknown}'.`, { param: unknown, code: 'unknown_parameter' });
  if (Number(body['max_output_tokens']) < 16) return openAiError(400, "Invalid 'max_output_tokens': Expected a value >= 16.");
  if (thinks && body['temperature'] !== undefined) {
    return openAiError(400, "Unsupported parameter: 'temperature' is not supported with this model.", { param: 'temperature' });
  }
  if (!thinks && (body['include'] as string[] | undefined)?.includes('reasoning.encrypted_content')) {
    return openAiError(400, 'Encrypted content is not supported with this model.', { param: 'include' });
  }
  return ofCalls(body) ?? (thinks ? ofThoughts(asked) : undefined);
}

function ofCalls(body: Body): Refusal | undefined {
  const [called, answered] = [idsOf(body, 'function_call'), idsOf(body, 'function_call_output')];
  const open = called.find((id) => !answered.includes(id));
  if (open !== undefined) return openAiError(400, `No tool output found for function call ${open}.`, { param: 'input' });
  const stray = answered.find((id) => !called.includes(id));
  if (stray !== undefined)
    return openAiError(400, `No tool call found for function call output with call_id ${stray}.`, { param: 'input' });
  return undefined;
}

const idsOf = (body: Body, type: string): string[] => itemsOf(body).flatMap((item) => (item.type === type ? [item.call_id ?? ''] : []));

function ofThoughts({ body, thoughtOf }: Asked): Refusal | undefined {
  let before: Item | undefined;
  for (const item of itemsOf(body)) {
    if (item.type === 'reasoning') before = item;
    else if (item.type === 'function_call') {
      const thought = thoughtOf(item.call_id ?? '');
      if (thought && before === undefined) {
        return openAiError(
          400,
          `Item '${item.id ?? item.call_id}' of type 'function_call' was provided without its required 'reasoning' item.`,
        );
      }
      if (thought && before?.encrypted_content !== thought.seal) {
        return openAiError(400, 'The encrypted content could not be verified.', { code: 'invalid_encrypted_content' });
      }
    } else before = undefined;
  }
  return undefined;
}

const lastThought = (body: Body): Item => itemsOf(body).findLast(({ type }) => type === 'reasoning')!;

export const OPENAI_RESPONSES: ServerProfile = {
  id: 'openai-responses',
  name: 'OpenAI responses',
  api: 'responses',
  base: '/v1',
  model,
  rates: { input: 1.25, cachedInput: 0.125, output: 10 },
  wire: responsesWire(model),
  refuses,
  limited: (left) =>
    openAiError(429, `Rate limit reached for ${model} on tokens per min (TPM). Please try again in ${(left / 1000).toFixed(3)}s.`, {
      ...{ type: 'tokens', code: 'rate_limit_exceeded' },
    }),
  namesTime: true,
  notReady: (left) =>
    openAiError(
      503,
      'The server is overloaded or not ready yet.',
      { type: 'service_unavailable_error', code: 'server_is_overloaded' },
      { 'retry-after': seconds(left) },
    ),
  learns: /Encrypted content is not supported/,
  demandsThoughts: true,
  violations: [
    {
      what: 'a field that it does not document',
      change: (body) => void (body['cadre_note'] = 'x'),
      ...{ status: 400, words: /Unknown parameter/ },
    },
    { what: 'a temperature', change: (body) => void (body['temperature'] = 0), status: 400, words: /temperature/ },
    {
      what: 'a call without its thoughts',
      change: (body) => void (body['input'] = itemsOf(body).filter(({ type }) => type !== 'reasoning')),
      ...{ status: 400, words: /without its required 'reasoning' item/ },
    },
    {
      what: 'thoughts that are not its own',
      change: (body) => void (lastThought(body).encrypted_content = 'x'),
      ...{ status: 400, words: /could not be verified/ },
    },
    {
      what: 'a call without a result',
      change: (body) => void (body['input'] = itemsOf(body).filter(({ type }) => type !== 'function_call_output')),
      ...{ status: 400, words: /No tool output found/ },
    },
  ],
  sources: [
    {
      behaviour: 'limit and overload, Retry-After where there is one',
      url: 'https://learn.microsoft.com/microsoft-cloud/dev/dev-proxy/concepts/openai-rate-limit-reached',
      read: '2026-12-01',
    },
    {
      behaviour: 'items of thoughts and calls belong together, else 400',
      url: 'https://github.com/coder/mux/pull/59, https://cookbook.openai.com/examples/responses_api/reasoning_items',
      read: '2026-12-01',
    },
    {
      behaviour: 'corrupted encrypted_content is an error',
      url: 'https://community.openai.com/t/clarifications-on-encrypted-content-usage-pattern-and-impact/1355946',
      read: '2026-12-01',
    },
    { behaviour: 'price of gpt-5.1', url: 'https://www.npmjs.com/package/@pydantic/genai-prices (0.1.8)', read: '2026-12-01' },
  ],
};
