/** Agents that are asked to think before they answer, and what is kept of it beside the answer. */
import { z } from 'zod';

/** `step-by-step`: from the facts to the answer. `critical`: doubt each step. `exploratory`: several ways before one is taken. */
export const ThinkingStyle = z.enum(['step-by-step', 'critical', 'exploratory'], 'a style is step-by-step, critical or exploratory');
export type ThinkingStyle = z.infer<typeof ThinkingStyle>;

/** How much a model server is asked to reason by itself before it answers. */
export const ReasoningEffort = z.enum(['minimal', 'low', 'medium', 'high'], 'an effort is minimal, low, medium or high');
export type ReasoningEffort = z.infer<typeof ReasoningEffort>;

export const Thinking = z.strictObject({
  style: ThinkingStyle.default('step-by-step'),
  /** What to bear in mind, one thing each. */
  directives: z
    .array(z.string().min(1, 'a directive says something').max(300, 'a directive has at most 300 characters'))
    .max(10, 'at most 10 directives; put more into the instructions')
    .default([]),
  /** Of all that an attempt thinks, its model server's own reasoning included. Over it the attempt answers without more thought. */
  maxThinkingTokens: z
    .int()
    .min(100, 'maxThinkingTokens is at least 100')
    .max(100_000, 'maxThinkingTokens is at most 100000')
    .default(4000),
  /** How often the agent reviews its answer before it counts; each time is one more model call. */
  reflect: z.int().min(0, 'reflect is 0, 1 or 2').max(2, 'reflect is 0, 1 or 2').default(0),
  /** How many other solutions to weigh. */
  alternatives: z.int().min(0, 'alternatives is 0 to 5').max(5, 'alternatives is 0 to 5').default(0),
  /** Sent to the model server as `reasoning_effort`; left out: nothing is sent. */
  effort: ReasoningEffort.optional(),
});
export type Thinking = z.infer<typeof Thinking>;

/** How one task is to be thought about: goes before what its agent's definition says; directives come on top of the agent's own. */
export const TaskThinking = z.strictObject({
  style: ThinkingStyle.optional(),
  directives: Thinking.shape.directives.unwrap().optional(),
  maxThinkingTokens: Thinking.shape.maxThinkingTokens.unwrap().optional(),
  reflect: Thinking.shape.reflect.unwrap().optional(),
  alternatives: Thinking.shape.alternatives.unwrap().optional(),
  effort: ReasoningEffort.optional(),
});
export type TaskThinking = z.infer<typeof TaskThinking>;

/** Another solution that was weighed, and why it was not taken. */
export const Alternative = z.object({ option: z.string(), whyNot: z.string() });
export type Alternative = z.infer<typeof Alternative>;

/** What a thinking agent may add to its last message, as `thinking`. */
export const ThoughtReply = z.object({
  steps: z.array(z.string()).optional(),
  alternatives: z.array(Alternative).optional(),
  /** Of a review: what was checked, and what it changed. */
  reflection: z.string().optional(),
});
export type ThoughtReply = z.infer<typeof ThoughtReply>;

/** What an agent has thought in the attempt that brought a result: never part of the answer. A task's `thinking` is this, as JSON. */
export const ThinkingTrace = z.strictObject({
  style: ThinkingStyle,
  /** The answer, then each review of it that could be used. The last one counts. */
  rounds: z.array(
    z.strictObject({
      confidence: z.number().optional(),
      steps: z.array(z.string()),
      alternatives: z.array(Alternative),
      reflection: z.string().optional(),
    }),
  ),
  /** What the model server has told of its own reasoning, by number of the model call in the attempt. */
  reasoning: z.array(z.strictObject({ call: z.int().min(1), text: z.string() })),
  /** Of the budget `maxThinkingTokens`; estimated from the length where the server does not count. */
  thinkingTokens: z.int().nonnegative(),
  /** Why there are fewer reviews than asked for. */
  note: z.string().optional(),
  /** Something was shortened to fit the budget. */
  shortened: z.literal(true).optional(),
});
export type ThinkingTrace = z.infer<typeof ThinkingTrace>;
