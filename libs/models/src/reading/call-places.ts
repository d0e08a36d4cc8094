/**
 * Ids and names of calls as any server accepts them. A server's own ids go back to it as they are, if each is there once; all others become
 * nine letters and digits made from the place of the call in the conversation, in the call and in its result alike, so that a conversation
 * that began with one model goes on with another.
 *
 * Mistral demands exactly nine letters and digits (langchain-ai/langchain#24668), OpenAI takes 40 characters at the most, Anthropic
 * `[a-zA-Z0-9_-]+`; names are limited by OpenAI to `[a-zA-Z0-9_-]{1,64}` (platform.openai.com/docs/api-reference/chat, read in November
 * 2026).
 */
import { createHash } from 'node:crypto';
import type { ModelMessage, ToolCall } from '@cadre/agents';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 9;

/** @param own `from` of the server that is asked; left out: no id is kept */
export function withSoundCalls(messages: readonly ModelMessage[], own?: string): ModelMessage[] {
  const taken = new Set<string>();
  /** What results name by the id that the call had. */
  let current = new Map<string, string>();
  return messages.map((message, place) => {
    if (message.role === 'tool') return { ...message, toolCallId: current.get(message.toolCallId) ?? message.toolCallId };
    if (message.role !== 'assistant' || message.toolCalls.length === 0) return message;
    current = new Map();
    const toolCalls = message.toolCalls.map((call, position): ToolCall => {
      const keeps = own !== undefined && message.from === own && call.id !== '' && !taken.has(call.id);
      const id = keeps ? call.id : placeId(place, position, taken);
      taken.add(id);
      if (!current.has(call.id)) current.set(call.id, id);
      return { ...call, id, name: soundName(call.name) };
    });
    return { ...message, toolCalls };
  });
}

/** The ids of a new turn: the server's own where they are new to the conversation, else made from the place. */
export function soundIds(calls: ToolCall[], conversation: readonly ModelMessage[]): ToolCall[] {
  const taken = new Set(conversation.flatMap((message) => (message.role === 'assistant' ? message.toolCalls.map(({ id }) => id) : [])));
  return calls.map((call, position) => {
    const id = call.id !== '' && !taken.has(call.id) ? call.id : placeId(conversation.length, position, taken);
    taken.add(id);
    return { ...call, id };
  });
}

export function soundName(name: string): string {
  return (
    name
      .replace(/<\|[\s\S]*$/, '')
      .replace(/[^A-Za-z0-9_-]/g, '_')
      .slice(0, 64) || 'unnamed'
  );
}

function placeId(place: number, position: number, taken: ReadonlySet<string>): string {
  for (let turn = 0; ; turn += 1) {
    const digest = createHash('sha256').update(`${place}/${position}/${turn}`).digest();
    const id = Array.from(digest.subarray(0, LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
    if (!taken.has(id)) return id;
  }
}
