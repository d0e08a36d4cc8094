/** Faults on request, for tests of those who call the server. */
import { readConversation } from '../conversation.js';
import type { Reply } from '../respond.js';
import type { ChatRequest } from './request.js';

export interface Faults {
  /** So many final messages of a conversation come malformed; each request for repair counts one. */
  malformed: number;
}

/** Reads `malformed:2`; undefined where the text names no known fault. */
export function parseFaults(text: string): Faults | undefined {
  const faults: Faults = { malformed: 0 };
  for (const part of text.split(',').filter((entry) => entry.trim() !== '')) {
    const match = /^malformed:(\d{1,3})$/.exec(part.trim());
    if (match === null) return undefined;
    faults.malformed = Number(match[1]);
  }
  return faults;
}

export function applyFaults(reply: Reply, request: ChatRequest, faults: Faults): Reply {
  if (reply.toolCalls.length > 0 || faults.malformed === 0) return reply;
  const { repairs } = readConversation(request);
  if (repairs.length >= faults.malformed) return reply;
  return { ...reply, text: `Here is the result: ${reply.text.slice(0, Math.floor(reply.text.length / 2))}` };
}
