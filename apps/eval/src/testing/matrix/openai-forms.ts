/** What servers in OpenAI's manner have in common: the form of their errors, and what they refuse of a conversation. */
import { messagesOf, toolTurns } from './chat-wire.js';
import type { Asked, Body, Refusal, Violation } from './profile.js';

export function openAiError(status: number, message: string, more: object = {}, headers: Record<string, string> = {}): Refusal {
  return { status, headers, body: { error: { message, type: 'invalid_request_error', param: null, code: null, ...more } } };
}

/** No key, no answer. */
export const hasKey = ({ headers }: Asked): boolean => headers['authorization'] === 'Bearer key';

/** A name of a tool that OpenAI does not take; undefined: all are taken. */
export function badToolName(body: Body): string | undefined {
  const tools = (body['tools'] ?? []) as { function: { name: string } }[];
  const names = [...tools, ...toolTurns(body).flatMap((turn) => turn.tool_calls)].map((each) => each.function.name);
  return names.find((name) => !/^[a-zA-Z0-9_-]{1,64}$/.test(name));
}

/** Each call is answered right behind its turn, and nothing is answered that was not called. */
export function unanswered(body: Body): string | undefined {
  let open = new Set<string>();
  for (const { role, tool_calls: calls, tool_call_id: id } of messagesOf(body)) {
    if (role === 'tool') {
      if (!open.delete(id ?? '')) return `messages with role 'tool' must be a response to a preceding message with 'tool_calls' (${id}).`;
      continue;
    }
    if (open.size > 0) break;
    open = new Set((calls ?? []).map((call) => call.id ?? ''));
  }
  if (open.size === 0) return undefined;
  const ids = [...open].join(', ');
  return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. Missing: ${ids}`;
}

export function emptyTurn(body: Body): number | undefined {
  const found = messagesOf(body).findIndex(({ role, content, tool_calls: calls }) => {
    const isEmpty = content === null || content === undefined || content === '' || (Array.isArray(content) && content.length === 0);
    return role === 'assistant' && isEmpty && (calls?.length ?? 0) === 0;
  });
  return found < 0 ? undefined : found;
}

/** The last turn that called tools. */
export const lastToolTurn = (body: Body): Record<string, unknown> & { tool_calls: { id: string; function: { name: string } }[] } =>
  toolTurns(body).at(-1) as never;

export const UNKNOWN_FIELD = (status: number, words: RegExp): Violation => ({
  what: 'a field that it does not document',
  change: (body) => void (body['cadre_note'] = 'x'),
  ...{ status, words },
});
export const UNANSWERED = (status: number, words: RegExp): Violation => ({
  what: 'a call without a result',
  change: (body) => void (body['messages'] = messagesOf(body).filter(({ role }) => role !== 'tool')),
  ...{ status, words },
});
