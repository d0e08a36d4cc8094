/** Anthropic's messages: signed thoughts go back as they came with the results of the calls that they led to. */
import { blocksOf, messagesWire, turnsOf, type Block } from '../messages-wire.js';
import { seconds, unknownField, type Asked, type Body, type Refusal, type ServerProfile } from '../profile.js';

const model = 'claude-sonnet-4-5';
const FIELDS = [
  'model',
  'max_tokens',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'temperature',
  'top_p',
  'top_k',
  'stream',
  'thinking',
].concat(['output_config', 'metadata', 'stop_sequences', 'service_tier', 'cache_control', 'container', 'context_management']);

const error = (status: number, type: string, message: string, headers: Record<string, string> = {}): Refusal => ({
  ...{ status, headers },
  body: { type: 'error', error: { type, message }, request_id: 'req_1' },
});
const invalid = (message: string): Refusal => error(400, 'invalid_request_error', message);

function refuses({ body, headers, thinks, thoughtOf }: Asked): Refusal | undefined {
  if (headers['x-api-key'] !== 'key') return error(401, 'authentication_error', 'invalid x-api-key');
  if (headers['anthropic-version'] === undefined) return invalid('anthropic-version: header is required');
  const unknown = unknownField(body, FIELDS);
  if (unknown) return invalid(`${unknown}: Extra inputs are not permitted`);
  if (typeof body['max_tokens'] !== 'number') return invalid('max_tokens: Field required');
  const temperature = body['temperature'] as number | undefined;
  if (temperature !== undefined && (temperature < 0 || temperature > 1)) return invalid('temperature: range: 0..1');
  if (thinks && temperature !== undefined && temperature !== 1)
    return invalid('`temperature` may only be set to 1 when thinking is enabled.');
  return ofTools(body) ?? ofTurns(body) ?? (thinks ? ofThoughts(body, thoughtOf) : undefined);
}

function ofTools(body: Body): Refusal | undefined {
  const tools = (body['tools'] ?? []) as Record<string, unknown>[];
  for (const [index, tool] of tools.entries()) {
    const extra = unknownField(tool, ['name', 'description', 'input_schema', 'type', 'cache_control', 'strict']);
    if (extra) return invalid(`tools.${index}.${extra}: Extra inputs are not permitted`);
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(String(tool['name']))) return invalid(`tools.${index}.name: String should match pattern`);
  }
  return undefined;
}

/** Results of all calls stand at the beginning of the next message. */
function ofTurns(body: Body): Refusal | undefined {
  const turns = turnsOf(body);
  for (const [index, turn] of turns.entries()) {
    const blocks = blocksOf(turn);
    if (blocks.length === 0 || blocks.some(({ type, text }) => type === 'text' && (text ?? '').trim() === '')) {
      return invalid(`messages: text content blocks must be non-empty (messages.${index})`);
    }
    if (blocks.some(({ type, id }) => type === 'tool_use' && !/^[a-zA-Z0-9_-]+$/.test(id ?? ''))) {
      return invalid(`messages.${index}.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
    }
    const calls = idsOf(blocks, 'tool_use');
    const next = turns[index + 1];
    const results = next ? idsOf(blocksOf(next), 'tool_result') : [];
    const open = calls.filter((id) => !results.includes(id));
    if (open.length > 0) {
      return invalid(
        `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}.`,
      );
    }
  }
  return undefined;
}

const idsOf = (blocks: Block[], type: 'tool_use' | 'tool_result'): string[] =>
  blocks.flatMap((block) => (block.type === type ? [(type === 'tool_use' ? block.id : block.tool_use_id) ?? ''] : []));

function ofThoughts(body: Body, thoughtOf: Asked['thoughtOf']): Refusal | undefined {
  for (const [index, turn] of turnsOf(body).entries()) {
    const blocks = blocksOf(turn);
    const call = blocks.find(({ type }) => type === 'tool_use');
    if (!call) continue;
    const [first] = blocks;
    if (first?.type !== 'thinking') {
      return invalid(`messages.${index}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first?.type}\`.`);
    }
    const thought = thoughtOf(call.id ?? '');
    if (thought && (first.signature !== thought.seal || first.thinking !== thought.text)) {
      return invalid(`messages.${index}.content.0: Invalid \`signature\` in \`thinking\` block`);
    }
  }
  return undefined;
}

const lastCalls = (body: Body): Block[] =>
  blocksOf(turnsOf(body).findLast((turn) => blocksOf(turn).some(({ type }) => type === 'tool_use'))!);

export const ANTHROPIC: ServerProfile = {
  id: 'anthropic',
  name: 'Anthropic messages',
  api: 'anthropic',
  base: '/v1',
  model,
  rates: { input: 3, cachedInput: 0.3, cacheWrite: 3.75, output: 15 },
  wire: messagesWire(model),
  refuses,
  limited: (left) => {
    const message = "This request would exceed your organization's rate limit of 50 requests per minute.";
    return error(429, 'rate_limit_error', message, {
      'retry-after': seconds(left),
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': new Date(Date.now() + left).toISOString(),
    });
  },
  namesTime: true,
  notReady: () => error(529, 'overloaded_error', 'Overloaded'),
  demandsThoughts: true,
  violations: [
    {
      what: 'a field that it does not document',
      change: (body) => void (body['cadre_note'] = 'x'),
      ...{ status: 400, words: /Extra inputs are not permitted/ },
    },
    { what: 'no cap', change: (body) => void delete body['max_tokens'], status: 400, words: /max_tokens: Field required/ },
    { what: 'a temperature beside thinking', change: (body) => void (body['temperature'] = 0), status: 400, words: /temperature/ },
    {
      what: 'a tool turn without its thoughts',
      change: (body) => void lastCalls(body).splice(0, 1),
      ...{ status: 400, words: /Expected `thinking`/ },
    },
    {
      what: 'thoughts with another signature',
      change: (body) => void (lastCalls(body)[0]!.signature = 'x'),
      ...{ status: 400, words: /Invalid `signature`/ },
    },
    {
      what: 'a call without a result',
      change: (body) => void turnsOf(body).splice(-1),
      ...{ status: 400, words: /without `tool_result`/ },
    },
  ],
  sources: [
    {
      behaviour: 'limit: 429 rate_limit_error with retry-after; overload: 529 overloaded_error without',
      url: 'https://learn.microsoft.com/en-us/microsoft-cloud/dev/dev-proxy/concepts/anthropic-529-overloaded-error',
      read: '2026-12-01',
    },
    {
      behaviour: 'thinking blocks come back unmodified with tool results, else 400',
      url: 'https://dev.to/ji_ai/return-claudes-thinking-blocks-or-your-agent-breaks-2lpm, https://github.com/can1357/oh-my-pi/issues/3399',
      read: '2026-12-01',
    },
    {
      behaviour: 'each call has its result in the next message, else 400; fields that it does not know are refused',
      url: 'https://github.com/github/copilot-cli/issues/102, https://github.com/anthropics/claude-code/issues/4378',
      read: '2026-12-01',
    },
    {
      behaviour: 'no temperature beside thinking',
      url: 'https://qiita.com/yureki_lab/items/71290ff34d4160124d96',
      read: '2026-12-01',
    },
    {
      behaviour: 'usage: cached input apart from the rest; price of claude-sonnet-4-5',
      url: 'https://www.npmjs.com/package/@pydantic/genai-prices (0.1.8)',
      read: '2026-12-01',
    },
  ],
};
