/** What a stand-in says to a request: a message, or a status with any body. */
import type { ChatBody, ChatCall } from './chat-body.js';
import { offers, resultsIn } from './chat-body.js';

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  [field: string]: unknown;
}

export type Said = { afterMs?: number } & (
  | {
      message: { role: 'assistant'; content?: unknown; tool_calls?: ChatCall[]; [field: string]: unknown };
      finish: string;
      usage?: Usage | null;
      /** Left out: the one that was asked. */
      model?: string;
      /** How long each piece of a stream is on its way. */
      pieceMs?: number;
      /** The stream stops in the middle, and stays open. */
      stalls?: boolean;
    }
  | { status: number; body: unknown; headers?: Record<string, string> }
);

/** @param seen the how manieth request of this model it is, and how long ago the first one came */
export type Behaviour = (body: ChatBody, seen: { n: number; sinceMs: number }) => Said;

export const GOOD = { answer: 'There is one file.', confidence: 0.9 };

let counter = 0;
export const longId = (): string => `call_${String((counter += 1)).padStart(20, '0')}`;

export const call = (id: string | undefined, tool = 'list_files', args = '{}', more: object = {}): ChatCall => ({
  ...(id !== undefined && { id }),
  type: 'function',
  function: { name: tool, arguments: args },
  ...more,
});
export const final = (content: unknown = JSON.stringify(GOOD), more: object = {}): Extract<Said, { message: unknown }> => ({
  message: { role: 'assistant', content, ...more },
  finish: 'stop',
});
export const calls = (made: ChatCall[], more: object = {}): Extract<Said, { message: unknown }> => ({
  message: { role: 'assistant', content: null, ...more, tool_calls: made },
  finish: 'tool_calls',
});
/** In the form of OpenAI's errors. */
export const refuse = (status: number, message: string, more: object = {}, headers: Record<string, string> = {}): Said => ({
  status,
  headers,
  body: { error: { message, type: 'invalid_request_error', param: null, code: null, ...more } },
});

/** Turns with a tool, then the answer. */
export function plain(body: ChatBody, turns = 1, make = (): ChatCall => call(longId())): Extract<Said, { message: unknown }> {
  return offers(body, 'list_files') && resultsIn(body) < turns ? calls([make()]) : final();
}

/** Only the answer is odd; the call before it is as usual. */
export const answering =
  (content: unknown, more: object = {}): Behaviour =>
  (body) => {
    const said = plain(body);
    return said.finish === 'stop' ? final(content, more) : said;
  };
