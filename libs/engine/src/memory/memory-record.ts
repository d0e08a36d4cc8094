/** What becomes of an agent's memory: rules as functions of the memory, and of nothing else. */
import { MEMORY_LIMITS, utf8Bytes } from '@cadre/contracts';
import type { AgentName, CallKey, MemoryMessage, MemoryRecord, MemorySettings, RunId, TaskId } from '@cadre/contracts';

const CHARACTERS_PER_TOKEN = 4;
/** Of a message beside its text. */
const MESSAGE_TOKENS = 20;
/** With less for each of the messages that are kept in any case, little would be left of them. */
const MIN_TOKENS_KEPT = 100;
/**
 * Of the tokens allowed: for the messages kept when older ones are summed up, and for the summary. The rest is room until the next time.
 */
const KEPT_SHARE = 0.5;
const SUMMARY_SHARE = 0.25;

/** Whose memory it is, and who else may read it. Without a run: of all runs of the tenant. */
export interface MemoryOwner {
  agent: AgentName;
  runId?: RunId;
  shareWith: AgentName[];
}

/** What an agent was asked in one task, and what it answered. */
export interface Exchange {
  /** Of the call that adds it: the same one is added once. */
  key: CallKey;
  runId: RunId;
  taskId: TaskId;
  at: number;
  asked: string;
  answered: string;
}

/** Messages that a summary stands for from now on. */
export interface Compaction {
  /** The exchanges. */
  taken: CallKey[];
  /** The summary that the new one goes on from. */
  before?: string | undefined;
  summary: string;
}

type Sizes = Pick<MemorySettings, 'maxTokens' | 'keepLast'>;

export function emptyMemory({ agent, runId, shareWith }: MemoryOwner): MemoryRecord {
  return { agent, ...(runId !== undefined && { runId }), shareWith, summarised: 0, leftOut: 0, messages: [], past: [] };
}

/** An estimate. */
export function tokensOf({ summary = '', messages }: Pick<MemoryRecord, 'summary' | 'messages'>): number {
  const characters = messages.reduce((sum, { text }) => sum + text.length, summary.length);
  return Math.ceil(characters / CHARACTERS_PER_TOKEN) + MESSAGE_TOKENS * messages.length;
}

/** Characters of a summary. */
export function summaryRoom({ maxTokens }: Sizes): number {
  return Math.floor(maxTokens * SUMMARY_SHARE * CHARACTERS_PER_TOKEN);
}

/** Adds an exchange, in the place of what the same task had added before; undefined: it is known. */
export function withExchange(memory: MemoryRecord, exchange: Exchange): MemoryRecord | undefined {
  const { key, runId, taskId, at, asked, answered } = exchange;
  if (memory.past.includes(key) || memory.messages.some((message) => message.key === key)) return undefined;
  const earlier = memory.messages.filter((message) => message.runId === runId && message.taskId === taskId);
  const rest = without(memory, new Set(earlier.map((message) => message.key)));
  const of = { runId, taskId, at, key };
  const added: MemoryMessage[] = [
    { role: 'user', text: cut(asked, MEMORY_LIMITS.asked), ...of },
    { role: 'assistant', text: cut(answered, MEMORY_LIMITS.answered), ...of },
  ];
  return bounded({ ...rest, messages: [...rest.messages, ...added] });
}

/** What is older than the messages that are kept in any case. */
export function olderMessages({ messages }: MemoryRecord, sizes: Sizes): MemoryMessage[] {
  return messages.slice(0, Math.max(0, messages.length - keptCount(sizes)));
}

/** What was asked and its answer stay together. */
function keptCount({ keepLast, maxTokens }: Sizes): number {
  return 2 * Math.ceil(Math.min(keepLast, Math.floor(maxTokens / MIN_TOKENS_KEPT)) / 2);
}

/**
 * The memory with a summary in the place of messages; undefined: somebody else was first, and it does not stand for this memory any more.
 */
export function compacted(memory: MemoryRecord, { taken, before, summary }: Compaction, sizes: Sizes): MemoryRecord | undefined {
  const keys = new Set(taken);
  const going = memory.messages.filter(({ key }) => keys.has(key));
  if (memory.summary !== before || going.length < 2 * keys.size) return undefined;
  const rest = without(memory, keys);
  const added = { summary: cut(summary, summaryRoom(sizes)), summarised: memory.summarised + going.length };
  return shortened({ ...rest, ...added }, sizes);
}

/** The memory as far as it fits: without its oldest messages, then with short ones. */
export function fitted(memory: MemoryRecord, sizes: Sizes): MemoryRecord {
  let fitting = memory;
  while (tokensOf(fitting) > sizes.maxTokens && olderMessages(fitting, sizes).length > 0) fitting = withoutOldest(fitting);
  return shortened(fitting, sizes);
}

/** The newest messages as far as they fit into so many bytes as JSON, with the summary. */
export function newestWithin(memory: MemoryRecord, bytes: number): MemoryRecord {
  let fitting = memory;
  while (utf8Bytes(JSON.stringify(fitting)) > bytes && fitting.messages.length > 0) fitting = withoutOldest(fitting);
  return fitting;
}

/** Nothing of what it has held, but what must not come back. */
export function cleared(memory: MemoryRecord): MemoryRecord {
  const { summary: _summary, ...rest } = without(memory, new Set(memory.messages.map(({ key }) => key)));
  return { ...rest, summarised: 0, leftOut: 0 };
}

/** Each message gets its share where all are too long together. */
function shortened(memory: MemoryRecord, sizes: Sizes): MemoryRecord {
  const { summary, messages } = memory;
  if (tokensOf(memory) <= sizes.maxTokens) return memory;
  const tokens = (sizes.maxTokens * KEPT_SHARE) / Math.max(messages.length, 1);
  const share = Math.max(0, Math.floor((tokens - MESSAGE_TOKENS) * CHARACTERS_PER_TOKEN));
  return {
    ...memory,
    ...(summary !== undefined && { summary: cut(summary, summaryRoom(sizes)) }),
    messages: messages.map((message) => ({ ...message, text: cut(message.text, share) })),
  };
}

function bounded(memory: MemoryRecord): MemoryRecord {
  let fitting = memory;
  const tooLarge = () => fitting.messages.length > MEMORY_LIMITS.messages || utf8Bytes(JSON.stringify(fitting)) > MEMORY_LIMITS.bytes;
  while (tooLarge() && fitting.messages.length > 2) fitting = withoutOldest(fitting);
  return fitting;
}

function withoutOldest(memory: MemoryRecord): MemoryRecord {
  const rest = without(memory, new Set(memory.messages.slice(0, 1).map(({ key }) => key)));
  return { ...rest, leftOut: memory.leftOut + memory.messages.length - rest.messages.length };
}

function without(memory: MemoryRecord, keys: ReadonlySet<CallKey>): MemoryRecord {
  const messages = memory.messages.filter(({ key }) => !keys.has(key));
  return { ...memory, messages, past: [...memory.past, ...keys].slice(-MEMORY_LIMITS.past) };
}

function cut(text: string, length: number): string {
  const sound = text.toWellFormed();
  return sound.length <= length ? sound : `${sound.slice(0, Math.max(0, length - 1)).toWellFormed()}…`.slice(0, length);
}
