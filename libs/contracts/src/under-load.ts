/** What an agent gives up when calls of its model have to wait for what the server allows, or its tasks for a free slot. */
import { z } from 'zod';
import { AgentName } from './ids.js';
import { ReasoningEffort } from './thinking.js';

/** How much less an agent thinks than its definition says; what is left out stays as it is. */
export const ReducedThinking = z.strictObject({
  effort: ReasoningEffort.optional(),
  /** Reviews of the answer. */
  reflect: z.int().min(0, 'reflect is 0 or 1').max(1, 'reflect is 0 or 1').optional(),
  /** Other solutions that it still weighs. */
  alternatives: z.int().min(0, 'alternatives is 0 to 4').max(4, 'alternatives is 0 to 4').optional(),
});
export type ReducedThinking = z.infer<typeof ReducedThinking>;

const lighter = { model: z.string().min(1).max(200).optional(), ...ReducedThinking.shape };
const WaitMs = z.int().min(0).max(3_600_000);

/**
 * When calls have to wait longer than `waitMs`, the attempt goes on like this to its end: with another model, with less thought, or both.
 */
export const UnderModelLoad = z.strictObject({ waitMs: WaitMs, ...lighter });
export type UnderModelLoad = z.infer<typeof UnderModelLoad>;

/**
 * Likewise, and when tasks that nobody has begun have been without a free slot for longer than `queueMs`: `agent` does them instead, as far
 * as it has their skills and labels, and what the agent begins itself it begins like this. One of both times is needed.
 */
export const UnderLoad = z.strictObject({
  waitMs: WaitMs.optional(),
  queueMs: WaitMs.optional(),
  agent: AgentName.optional(),
  ...lighter,
});
export type UnderLoad = z.infer<typeof UnderLoad>;

/** What a worker tells of it to the scheduler. `less`: the agent itself begins with less what has waited longer. */
export const QueueRelief = z.strictObject({ queueMs: WaitMs, agent: AgentName.optional(), less: z.literal(true).optional() });
export type QueueRelief = z.infer<typeof QueueRelief>;

/** Of a task, or of all tasks of a run: nothing is given up for it, however long it waits. */
export const NeverUnderLoad = z.literal('never');

/** How long a task that is done by another agent, or with less, had been without a free slot. */
export const QueuedMs = z.int().min(0);
