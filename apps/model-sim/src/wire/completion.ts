/** A whole answer on the wire: usage, the output limit, and the forms for one response and for a stream. */
import { createHash } from 'node:crypto';
import { canonical, contentText } from '../conversation.js';
import { respond, type Reply } from '../respond.js';
import { applyFaults, type Faults } from './faults.js';
import type { ChatRequest } from './request.js';
import type { TokenCounter } from './tokens.js';

export const MODEL = 'cadre-sim-1';
/** The model does not change with time; neither does its date. */
const CREATED = 1_767_225_600;

export interface Completion {
  id: string;
  created: number;
  model: string;
  reply: Reply;
  finish: 'stop' | 'tool_calls' | 'length';
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

/** The answer to a request; the same for the same request. */
export function complete(request: ChatRequest, tokens: TokenCounter, faults: Faults): Completion {
  const full = applyFaults(respond(request, tokens.count), request, faults);
  const limit = request.max_completion_tokens ?? request.max_tokens ?? undefined;
  const { reply, cut } = limit === undefined ? { reply: full, cut: false } : limited(full, limit, tokens);
  const prompt = promptTokens(request, tokens);
  const completion = replyTokens(reply, tokens);
  return {
    id: `chatcmpl-${createHash('sha256').update(canonical(request)).digest('hex').slice(0, 29)}`,
    created: CREATED,
    model: MODEL,
    reply,
    finish: cut ? 'length' : reply.toolCalls.length > 0 ? 'tool_calls' : 'stop',
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  };
}

/** Each message costs a few tokens for its frame, as OpenAI counts them. */
function promptTokens(request: ChatRequest, tokens: TokenCounter): number {
  const messages = request.messages.reduce((sum, message) => {
    const calls = (message.tool_calls ?? []).reduce(
      (n, call) => n + tokens.count(call.function.name) + tokens.count(call.function.arguments) + 4,
      0,
    );
    return sum + 3 + tokens.count(contentText(message.content)) + calls;
  }, 3);
  const tools = request.tools === undefined ? 0 : tokens.count(JSON.stringify(request.tools));
  const format = request.response_format?.type === 'json_schema' ? tokens.count(JSON.stringify(request.response_format)) : 0;
  return messages + tools + format;
}

function replyTokens({ text, toolCalls }: Reply, tokens: TokenCounter): number {
  return tokens.count(text) + toolCalls.reduce((sum, call) => sum + tokens.count(call.name) + tokens.count(call.arguments) + 4, 0);
}

/** Cuts a reply that is over the limit; of tool calls only the last one kept may be cut. */
function limited(reply: Reply, limit: number, tokens: TokenCounter): { reply: Reply; cut: boolean } {
  if (replyTokens(reply, tokens) <= limit) return { reply, cut: false };
  if (reply.toolCalls.length === 0) return { reply: { ...reply, text: tokens.head(reply.text, limit) }, cut: true };
  const toolCalls: Reply['toolCalls'] = [];
  let left = limit - tokens.count(reply.text);
  for (const call of reply.toolCalls) {
    left -= tokens.count(call.name) + 4;
    if (left <= 0 && toolCalls.length > 0) break;
    const size = tokens.count(call.arguments);
    toolCalls.push(size <= left ? call : { ...call, arguments: tokens.head(call.arguments, Math.max(1, left)) });
    left -= size;
    if (left <= 0) break;
  }
  return { reply: { ...reply, toolCalls }, cut: true };
}

function wireCalls(calls: Reply['toolCalls']): object[] {
  return calls.map(({ id, name, arguments: args }) => ({ id, type: 'function', function: { name, arguments: args } }));
}

/** The body of a response that is not streamed. */
export function responseBody({ id, created, model, reply, finish, usage }: Completion): object {
  const calls = reply.toolCalls.length > 0 ? { tool_calls: wireCalls(reply.toolCalls) } : {};
  const message = {
    role: 'assistant',
    content: reply.toolCalls.length > 0 && reply.text === '' ? null : reply.text,
    refusal: null,
    ...calls,
  };
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    usage,
    system_fingerprint: null,
  };
}

/** The chunks of a stream, without the closing `[DONE]`. */
export function* streamChunks({ id, created, model, reply, finish, usage }: Completion, includeUsage: boolean): Generator<object> {
  const frame = (choices: object[], extra: object = {}): object => ({
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    system_fingerprint: null,
    choices,
    ...(includeUsage && { usage: null }),
    ...extra,
  });
  const delta = (part: object, reason: string | null = null): object =>
    frame([{ index: 0, delta: part, logprobs: null, finish_reason: reason }]);
  yield delta({ role: 'assistant', content: reply.toolCalls.length > 0 && reply.text === '' ? null : '' });
  for (const piece of piecesOf(reply.text, 40)) yield delta({ content: piece });
  for (const [index, call] of reply.toolCalls.entries()) {
    yield delta({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }] });
    for (const piece of piecesOf(call.arguments, 400)) yield delta({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  yield delta({}, finish);
  if (includeUsage) yield frame([], { usage });
}

/** Pieces of about `size` characters that never part a surrogate pair. */
function piecesOf(text: string, size: number): string[] {
  return text.match(new RegExp(`[\\s\\S]{1,${size}}(?![\\uDC00-\\uDFFF])|[\\s\\S]{1,${size + 1}}`, 'g')) ?? [];
}
