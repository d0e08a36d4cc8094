/** What agents remember across tasks. */
import { z } from 'zod';
import { CallKey } from './calls.js';
import { AgentName, RunId, TaskId } from './ids.js';
import { Timestamp } from './values.js';

export const MEMORY_LIMITS = {
  /** Characters of one message: of what was asked, and of what was answered. */
  asked: 1000,
  answered: 4000,
  /** Messages that a memory holds until they are summed up. */
  messages: 400,
  /** Of a memory as JSON; the oldest messages make room. */
  bytes: 256 * 1024,
  /** Exchanges that are remembered as known, after they were summed up or left out. */
  past: 100,
  /** A run's memory is kept so long after its last change. */
  runTtlMs: 7 * 86_400_000,
  /** A cleared memory still knows so long what it has held, so that a late repetition brings nothing back. */
  clearedTtlMs: 86_400_000,
} as const;

/**
 * The name of the recorded calls by which an attempt reads its agent's memory and adds to it. Agents with a memory are granted it by that.
 */
export const MEMORY_TOOL = 'agent_memory';

/** Part of an agent's definition. */
export const MemorySettings = z.strictObject({
  /** Whose tasks it spans: of one run, or all of the tenant. */
  scope: z.enum(['run', 'tenant']).default('run'),
  /** When it is larger than this, older messages are summed up. */
  maxTokens: z.int().min(200).max(50_000).default(8000),
  /**
   * So many of the last messages are not summed up; fewer where `maxTokens` has less than 100 for each. What was asked and its answer stay
   * together, so an odd number counts as one more.
   */
  keepLast: z.int().min(0).max(100).default(10),
  /** Agents that may read it, when they ask for it with the tool `recall_memory`. */
  shareWith: z.array(AgentName).max(50).default([]),
});
export type MemorySettings = z.infer<typeof MemorySettings>;

/** `user`: what the agent was asked. `assistant`: what it answered. */
export const MemoryMessage = z.strictObject({
  role: z.enum(['user', 'assistant']),
  text: z.string().max(MEMORY_LIMITS.answered),
  runId: RunId,
  taskId: TaskId,
  at: Timestamp,
  /** Of the call that added it. */
  key: CallKey,
});
export type MemoryMessage = z.infer<typeof MemoryMessage>;

const count = z.int().nonnegative();

/**
 * An agent's memory as the bucket `cadre_context` holds it. Its sharing is kept with it: the definition is known to the agent's own workers
 * only.
 */
export const MemoryRecord = z.strictObject({
  agent: AgentName,
  /** Left out: of all runs of the tenant. */
  runId: RunId.optional(),
  shareWith: z.array(AgentName).max(50),
  /** Of the messages that are not there any more. */
  summary: z.string().max(50_000).optional(),
  /** Messages that the summary stands for, and messages that are gone without one. */
  summarised: count,
  leftOut: count,
  /** In pairs, oldest first. */
  messages: z.array(MemoryMessage).max(MEMORY_LIMITS.messages),
  /** Keys of exchanges whose messages are gone. */
  past: z.array(CallKey).max(MEMORY_LIMITS.past),
});
export type MemoryRecord = z.infer<typeof MemoryRecord>;

/** Answer to `GET /v1/agents/{agent}/memory`. */
export const MemoryView = MemoryRecord.omit({ past: true }).extend({ tokens: count });
export type MemoryView = z.infer<typeof MemoryView>;
