/** Agents with a memory: one that takes notes and tells what it has noted before, and one that reads the other's memory. */
import type { AgentReply } from '@cadre/contracts';
import type { Brief, Conversation } from '../conversation.js';
import type { Script, ToolDesk } from '../script/script.js';

type Remembered = NonNullable<Conversation['memory']>;

/** Its answer is JSON: what it was told to note, and what it remembers. */
export function* diarist({ task }: Brief, _desk: ToolDesk, memory?: Remembered): Script<AgentReply> {
  const answer = { noted: task.instructions, before: [...(memory?.summary === undefined ? [] : [memory.summary]), ...notesOf(memory)] };
  return { answer: JSON.stringify(answer), confidence: 0.9 };
}

function notesOf(memory: Remembered | undefined): string[] {
  return (memory?.messages ?? []).flatMap(({ answered }) => (answered === undefined ? [] : [notedIn(answered)]));
}

/** Its answer is JSON: how much of the diarist's memory it may read. */
export function* historian(_brief: Brief, desk: ToolDesk): Script<AgentReply> {
  const found = yield* desk.call('recall_memory', { agent: 'diarist' });
  const told = found.ok ? { summary: found.value.summary !== undefined, messages: found.value.messages.length } : { refused: found.error };
  return { answer: JSON.stringify(told), confidence: 0.9 };
}

/** The summary of a memory: what was answered, in few words. */
export function summaryOf({ summary, messages }: Remembered): string {
  const answers = messages.flatMap(({ answered }) => (answered === undefined ? [] : [notedIn(answered)]));
  return [...(summary === undefined ? [] : [summary]), ...answers].join(' ');
}

function notedIn(answer: string): string {
  try {
    const { noted } = JSON.parse(answer) as { noted?: unknown };
    if (typeof noted === 'string') return noted;
  } catch {
    // Not a diarist's.
  }
  return answer.replace(/\s+/g, ' ').slice(0, 120);
}
