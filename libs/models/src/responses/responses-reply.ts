/** Reads answers of OpenAI's Responses API, and of servers that speak it. */
import type { ToolCall } from '@cadre/agents';
import { soundIds } from '../reading/call-places.js';
import { isObject } from '../reading/json-spans.js';
import { opaque } from '../reading/opaque.js';
import { partThoughts } from '../reading/thoughts-in-text.js';
import { readUsage } from '../reading/usage.js';
import { ServerRefusal, refusalInside } from '../server-words.js';
import { UnreadableAnswer } from '../wire-api.js';
import type { WireReply, WireRequest } from '../wire-api.js';

type Fields = Record<string, unknown>;
const NOTHING_KNOWN: ReadonlySet<string> = new Set();
const FILTERED = 'The content filter of the model server stopped the answer.';

/** Errors: `ServerRefusal`, `UnreadableAnswer`. */
export function readResponse(answer: unknown, { request }: WireRequest): WireReply {
  if (!isObject(answer)) throw new UnreadableAnswer('it is no JSON object');
  const refusal = refusalInside(answer);
  if (refusal) throw refusal;
  if (answer['status'] === 'failed') throw new ServerRefusal(500, 'The server says that the response failed.');
  if (!Array.isArray(answer['output'])) throw new UnreadableAnswer('it has no output');
  const items = answer['output'].filter(isObject);
  const parts = items.flatMap((item) => (item['type'] === 'message' ? partsOf(item['content']) : []));
  const refused = textsOf(parts, 'refusal');
  const { thoughts, text } = partThoughts(
    textsOf(parts, 'text') || (typeof answer['output_text'] === 'string' ? answer['output_text'] : ''),
  );
  const calls = soundIds(items.flatMap(callOf), request.messages);
  const told = [items.flatMap(thoughtsOf).join('\n\n'), thoughts].filter((each) => each !== '').join('\n\n');
  const why = isObject(answer['incomplete_details']) ? answer['incomplete_details']['reason'] : undefined;
  const isRefused = refused !== '' || why === 'content_filter';
  const isSealed = calls.length > 0 && items.some(({ type }) => type !== 'message' && type !== 'function_call');
  const extra = isSealed ? opaque({ output: items.map(withoutStatus) }, NOTHING_KNOWN) : undefined;
  const usage = readUsage(answer['usage']);
  return {
    ...(typeof answer['model'] === 'string' && answer['model'] !== '' && { model: answer['model'] }),
    text: isRefused ? refused || FILTERED : text,
    toolCalls: isRefused ? [] : calls,
    finish: isRefused ? 'refusal' : answer['status'] === 'incomplete' ? 'length' : calls.length > 0 ? 'tool-calls' : 'stop',
    ...(told !== '' && { reasoning: told }),
    ...(extra && { extra }),
    ...(usage && { usage }),
    ...(typeof answer['service_tier'] === 'string' && { serviceTier: answer['service_tier'] }),
  };
}

function partsOf(content: unknown): Fields[] {
  if (typeof content === 'string') return [{ type: 'output_text', text: content }];
  return Array.isArray(content) ? content.filter(isObject) : [];
}

function textsOf(parts: Fields[], field: string): string {
  return parts.flatMap((part) => (typeof part[field] === 'string' ? [part[field]] : [])).join('');
}

function callOf({ type, call_id: id, name, arguments: args }: Fields): ToolCall[] {
  if (type !== 'function_call' || typeof name !== 'string') return [];
  const written = typeof args === 'string' && args.trim() !== '' ? args : JSON.stringify(args || {});
  return [{ id: typeof id === 'string' ? id : '', name, arguments: written }];
}

function thoughtsOf({ type, summary, content }: Fields): string[] {
  if (type !== 'reasoning') return [];
  return [textsOf(partsOf(summary), 'text'), textsOf(partsOf(content), 'text')].filter((each) => each !== '');
}

/** The API takes an item of thoughts back as it gave it, but for its status. */
function withoutStatus({ status: _, ...item }: Fields): Fields {
  return item;
}
