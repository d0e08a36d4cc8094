/** Questions to people: what only they can decide. A task that asked waits until it is answered. */
import { z } from 'zod';
import { CallKey, SpendLimit } from './calls.js';
import { RunId, TaskId, WorkerId } from './ids.js';
import { Micros, Timestamp } from './values.js';

export const QuestionId = z.string().regex(/^q[0-9]{1,9}$/, 'a question id looks like q1');
export type QuestionId = z.infer<typeof QuestionId>;

/**
 * Budget: `approve` raises the cap that was hit, `deny` fails the task. Effect (a call that must happen once may or may not have happened):
 * `done`, it has; `repeat`, it has not and is to be made; `deny` fails the task.
 */
export const QuestionChoice = z.enum(['approve', 'deny', 'done', 'repeat']);
export type QuestionChoice = z.infer<typeof QuestionChoice>;

export const Question = z.strictObject({
  questionId: QuestionId,
  taskId: TaskId,
  kind: z.enum(['budget', 'effect']),
  text: z.string().min(1).max(2000),
  choices: z.array(QuestionChoice).min(2),
  /** Budget: the cap that was hit, and what the refused call would have taken beyond it. */
  limit: SpendLimit.optional(),
  neededMicros: Micros.optional(),
  /** Effect: the call in question. */
  key: CallKey.optional(),
  tool: z.string().optional(),
  /** Effect: the worker that was lost on it. While it may come back, it may still do it: stop it before `repeat`. */
  worker: WorkerId.optional(),
  /** Denied by itself then. */
  dueAt: Timestamp,
});
export type Question = z.infer<typeof Question>;

/** An open question as lists show it. */
export const QuestionView = Question.extend({ runId: RunId, askedAt: Timestamp, taskTitle: z.string() });
export type QuestionView = z.infer<typeof QuestionView>;
