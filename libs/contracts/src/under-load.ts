/** What an agent gives up when calls of its model have to wait for what the server allows. */
import { z } from 'zod';
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

/** When calls have to wait longer than `waitMs`, the attempt goes on like this to its end: with another model, with less thought, or both. */
export const UnderLoad = z.strictObject({
  waitMs: z.int().min(0).max(3_600_000),
  model: z.string().min(1).max(200).optional(),
  ...ReducedThinking.shape,
});
export type UnderLoad = z.infer<typeof UnderLoad>;
