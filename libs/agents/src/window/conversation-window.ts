/**
 * Keeps a conversation within the window of its model. What is too much is taken out of what the model is sent, never out of what was said:
 * first older results of tools and long arguments, which the model can read again by their number, then whole turns, for which a summary
 * stands. So the keys of recorded calls stay the same whether a conversation was shortened or not, and a later attempt may have more room
 * than the one before.
 *
 * What was shortened stays so until there is too little room again: the server's cache knows the beginning of the conversation.
 */
import { utf8Bytes } from '@cadre/contracts';
import type { ModelMessage, ToolSchema } from '../ports.js';
import type { ResultShelf } from '../result-shelf.js';
import { shorten } from '../shorten.js';

/** Shares of the window. Above the first something is taken out, until the rest fits into the second. */
const FULL = 0.85;
const ROOMY = 0.6;
/** Turns at the end that are left as they are. */
const KEPT_TURNS = 2;
/** Characters of a result, and of one text among arguments, that stay. */
const BRIEF_CHARACTERS = 300;
/** Shorter ones are not worth a reference. */
const WORTH_CHARACTERS = 800;
/** Until the server has counted: a token of English has about four bytes, one of code or figures fewer. */
const FIRST_TOKENS_PER_BYTE = 1 / 3;

export interface WindowParts {
  shelf: Pick<ResultShelf, 'brief'>;
  /** Number on the shelf of what a tool message answers; undefined: it is not there. */
  resultOf(message: ModelMessage): number | undefined;
  /** Sums up turns. Rejects only with what ends the attempt; undefined: no model has done it. */
  summarize(text: string, before: string | undefined): Promise<string | undefined>;
}

export class ConversationWindow {
  private tokensPerByte = FIRST_TOKENS_PER_BYTE;
  /** Tool messages and arguments before this place are shortened. */
  private briefedTo = 0;
  /** Messages before this place, but for the opening ones, are in the summary. */
  private summedTo = 0;
  private summary: string | undefined;
  private sentBytes = 0;

  /** @param opening number of messages that stay whatever happens: instructions, memory and task */
  constructor(
    private readonly opening: number,
    private readonly tools: readonly ToolSchema[],
    private readonly parts: WindowParts,
  ) {}

  /** What the model is sent. */
  view(messages: readonly ModelMessage[]): ModelMessage[] {
    const head = messages.slice(0, this.opening);
    const begin = Math.min(messages.length, Math.max(this.opening, this.summedTo));
    const rest = messages.slice(begin).map((message, place) => (begin + place < this.briefedTo ? this.brief(message) : message));
    return this.summary === undefined ? [...head, ...rest] : [...head, summaryMessage(this.summary), ...rest];
  }

  /** The server has counted what was sent last. @param tokens of the input; 0: it has not */
  counted(tokens: number): void {
    if (tokens > 0 && this.sentBytes > 0) this.tokensPerByte = Math.min(1, Math.max(0.05, tokens / this.sentBytes));
  }

  /** @returns how many tokens the view has, about */
  tokensOf(messages: readonly ModelMessage[]): number {
    return Math.ceil(this.bytesOf(messages) * this.tokensPerByte);
  }

  /** To be called before each request. @param room tokens of input that the window has; undefined: nobody knows */
  async prepare(messages: readonly ModelMessage[], room: number | undefined): Promise<void> {
    if (room !== undefined && this.tokensOf(messages) > FULL * room) await this.shrink(messages, ROOMY * room);
    this.sentBytes = this.bytesOf(messages);
  }

  /** The server has refused the conversation as too long. @returns whether it is shorter now */
  async refused(messages: readonly ModelMessage[]): Promise<boolean> {
    const before = this.bytesOf(messages);
    await this.shrink(messages, (before * this.tokensPerByte) / 2);
    this.sentBytes = this.bytesOf(messages);
    return this.sentBytes < 0.9 * before;
  }

  private async shrink(messages: readonly ModelMessage[], goal: number): Promise<void> {
    const tail = this.lastTurns(messages, KEPT_TURNS);
    this.briefedTo = Math.max(this.briefedTo, tail);
    if (this.tokensOf(messages) <= goal) return;
    await this.sumUp(messages, tail);
    if (this.tokensOf(messages) <= goal) return;
    // The newest results alone are too much.
    this.briefedTo = messages.length;
  }

  private async sumUp(messages: readonly ModelMessage[], end: number): Promise<void> {
    const begin = Math.max(this.opening, this.summedTo);
    if (end <= begin) return;
    const text = messages
      .slice(begin, end)
      .map((message) => told(this.brief(message)))
      .join('\n');
    const summary = await this.parts.summarize(text, this.summary);
    this.summary = summary ?? this.summary ?? 'Earlier turns were left out for want of room.';
    this.summedTo = end;
  }

  /** Where the last turns begin. A tool message never stands without the turn that asked for it. */
  private lastTurns(messages: readonly ModelMessage[], turns: number): number {
    let [at, left] = [messages.length, turns];
    while (at > this.opening && left > 0) {
      at -= 1;
      if (messages[at]!.role === 'assistant') left -= 1;
    }
    return Math.max(this.opening, at);
  }

  private brief(message: ModelMessage): ModelMessage {
    if (message.role === 'tool') {
      const result = this.parts.resultOf(message);
      const worth = message.text.length > WORTH_CHARACTERS;
      return worth && result !== undefined ? { ...message, text: this.parts.shelf.brief(result, BRIEF_CHARACTERS) } : message;
    }
    if (message.role !== 'assistant') return message;
    return { ...message, toolCalls: message.toolCalls.map((call) => ({ ...call, arguments: briefArguments(call.arguments) })) };
  }

  private bytesOf(messages: readonly ModelMessage[]): number {
    return utf8Bytes(JSON.stringify([this.view(messages), this.tools]));
  }
}

/** Arguments with long texts shortened: what was written is in the workspace. */
function briefArguments(text: string): string {
  if (text.length <= WORTH_CHARACTERS) return text;
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value, (_, field: unknown) => (typeof field === 'string' ? shorten(field, BRIEF_CHARACTERS) : field));
  } catch {
    return text;
  }
}

/** A message as one line for a summary. */
function told(message: ModelMessage): string {
  const { role, text } = message;
  const calls = message.role === 'assistant' ? message.toolCalls.map(({ name, arguments: args }) => ({ name, arguments: args })) : [];
  return JSON.stringify({ role, text: shorten(text, 4 * BRIEF_CHARACTERS), ...(calls.length > 0 && { calls }) });
}

function summaryMessage(summary: string): ModelMessage {
  return { role: 'user', text: JSON.stringify({ summary }) };
}
