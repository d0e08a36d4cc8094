/** Reads answers of Anthropic's Messages API, and of servers that speak it. */
import type { ToolCall } from '@cadre/agents';
import { soundIds } from '../reading/call-places.js';
import { isObject, parsedJson } from '../reading/json-spans.js';
import { opaque } from '../reading/opaque.js';
import { partThoughts } from '../reading/thoughts-in-text.js';
import { count } from '../reading/usage.js';
import type { WireUsage } from '../reading/usage.js';
import { refusalInside } from '../server-words.js';
import { UnreadableAnswer } from '../wire-api.js';
import type { WireReply, WireRequest } from '../wire-api.js';

const NOTHING_KNOWN: ReadonlySet<string> = new Set();

/** Errors: `ServerRefusal`, `UnreadableAnswer`. */
export function readMessage(answer: unknown, { request }: WireRequest): WireReply {
  const refusal = refusalInside(answer);
  if (refusal) throw refusal;
  if (!isObject(answer) || !Array.isArray(answer['content'])) throw new UnreadableAnswer('it has no content');
  const blocks = answer['content'].filter(isObject);
  const { thoughts, text } = partThoughts(textOf(blocks, 'text'));
  const calls = soundIds(blocks.flatMap(callOf), request.messages);
  const stop = answer['stop_reason'];
  const usage = usageOf(answer['usage']);
  const told = [textOf(blocks, 'thinking'), thoughts].filter((each) => each !== '').join('\n\n');
  // Signed thoughts are demanded back with the results of the calls that they led to.
  const isSealed = calls.length > 0 && blocks.some(({ type }) => type !== 'text' && type !== 'tool_use');
  const extra = isSealed ? opaque({ content: blocks.map(withoutPieces) }, NOTHING_KNOWN) : undefined;
  return {
    ...(typeof answer['model'] === 'string' && answer['model'] !== '' && { model: answer['model'] }),
    text: stop === 'refusal' && text === '' ? 'The model server refused to answer.' : text,
    toolCalls: stop === 'refusal' ? [] : calls,
    finish: finishOf(stop, calls),
    ...(told !== '' && { reasoning: told }),
    ...(extra && { extra }),
    ...(usage && { usage }),
    ...tierOf(answer['usage']),
  };
}

function finishOf(stop: unknown, calls: ToolCall[]): WireReply['finish'] {
  if (stop === 'refusal') return 'refusal';
  if (stop === 'max_tokens' || stop === 'model_context_window_exceeded') return 'length';
  return calls.length > 0 ? 'tool-calls' : 'stop';
}

function textOf(blocks: Record<string, unknown>[], type: 'text' | 'thinking'): string {
  return blocks.flatMap((block) => (block['type'] === type && typeof block[type] === 'string' ? [block[type]] : [])).join('');
}

/** Pieces of a stream are kept as the text that they are, so that whoever runs the tool sees what was written. */
function callOf(block: Record<string, unknown>): ToolCall[] {
  const { type, id, name, input, written } = block;
  if (type !== 'tool_use' || typeof name !== 'string') return [];
  const args = typeof written === 'string' && written.trim() !== '' ? written : JSON.stringify(input ?? {});
  return [{ id: typeof id === 'string' ? id : '', name, arguments: args }];
}

function withoutPieces({ written, ...block }: Record<string, unknown>): Record<string, unknown> {
  if (block['type'] !== 'tool_use' || typeof written !== 'string') return block;
  const input = parsedJson(written);
  return { ...block, input: isObject(input) ? input : {} };
}

/** `input_tokens` leaves out what was read from the cache and written to it. */
function usageOf(given: unknown): WireUsage | undefined {
  if (!isObject(given)) return undefined;
  const [plain, outputTokens] = [count(given['input_tokens']), count(given['output_tokens'])];
  if (plain === undefined || outputTokens === undefined) return undefined;
  const [read, written] = [count(given['cache_read_input_tokens']) ?? 0, count(given['cache_creation_input_tokens']) ?? 0];
  const inputTokens = plain + read + written;
  if (inputTokens + outputTokens === 0) return undefined;
  return { inputTokens, outputTokens, ...(read > 0 && { cachedInputTokens: read }), ...(written > 0 && { cacheWriteTokens: written }) };
}

function tierOf(usage: unknown): Pick<WireReply, 'serviceTier'> {
  return isObject(usage) && typeof usage['service_tier'] === 'string' ? { serviceTier: usage['service_tier'] } : {};
}
