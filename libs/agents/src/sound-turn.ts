/**
 * A model's turn as it stands in the conversation: every server has to take it, also one that has not written it. What the model meant is
 * kept; what it wrote wrongly is told by the tool's answer.
 */
import { readArguments } from './call-arguments.js';
import type { ModelMessage, ModelReply, ToolCall } from './ports.js';

const NAME_LENGTH = 64;
const SHOWN = 500;

/** Ids of the calls of one conversation: servers refuse one that comes twice. */
export class CallIds {
  private readonly used = new Set<string>();

  /** The server's own ids as far as they are new. @param step number of the model call */
  unique(calls: readonly ToolCall[], step: number): ToolCall[] {
    return calls.map((call, position) => {
      const id = call.id !== '' && !this.used.has(call.id) ? call.id : this.free(step, position);
      this.used.add(id);
      return { ...call, id };
    });
  }

  /** Nine letters and digits: the strictest of servers take nothing else. */
  private free(step: number, position: number): string {
    for (let letter = 10; ; letter += 1) {
      const id = letter.toString(36) + step.toString(36).padStart(4, '0') + position.toString(36).padStart(4, '0');
      if (letter > 35 || !this.used.has(id)) return id;
    }
  }
}

/** The message of a turn. */
export function soundTurn({ text, toolCalls, finish, from, extra }: ModelReply): ModelMessage {
  return {
    role: 'assistant',
    text: text.trim() === '' ? '' : text,
    toolCalls: toolCalls.map((call) => ({
      ...call,
      name: soundName(call.name),
      arguments: soundArguments(call.arguments, finish === 'length'),
    })),
    ...(from !== undefined && { from }),
    ...(extra && { extra }),
  };
}

/** Names that a model made up may be anything. */
function soundName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, NAME_LENGTH) || 'unknown';
}

/** Some servers read the arguments in the history, and fail on broken ones. */
function soundArguments(text: string, cutOff: boolean): string {
  const read = readArguments(text, cutOff);
  if (read.kind === 'read') return isSound(text) ? text : JSON.stringify(read.value);
  return JSON.stringify({ [read.kind === 'cut-off' ? 'cutOffAfter' : 'unreadable']: text.slice(0, SHOWN).toWellFormed() });
}

function isSound(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
