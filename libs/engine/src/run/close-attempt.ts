/** How an attempt closes without a result, and what comes after it. */
import { PLAN_TASK } from '@cadre/contracts';
import type { Failure, TaskId } from '@cadre/contracts';
import type { TaskState } from '../state.js';
import { adoptTemplate } from './adopt-plan.js';
import { advance } from './advance.js';
import { scheduleAttempt } from './begin-task.js';
import type { Draft } from './draft.js';
import { endIfCancelled, failRun } from './end-run.js';
import { askAboutEffect, askForBudget } from './questions.js';
import type { BudgetQuestion } from './questions.js';
import { hasFallbackLeft, retryDelayMs } from './retry.js';
import { settleOpenCalls } from './settle-calls.js';

/** Codes of failures that the engine itself states; a worker's own failures have other codes. */
export const CLOSED_BY = {
  lost: 'worker-lost',
  expired: 'attempt-timeout',
  released: 'attempt-released',
  lowConfidence: 'low-confidence',
  budget: 'budget-exceeded',
  unpriced: 'model-unpriced',
  asked: 'waiting-for-answer',
  delegated: 'waiting-for-others',
  cancelled: 'run-cancelled',
} as const;

export interface Closing {
  error: Failure;
  /** Against the retry policy. */
  counted: boolean;
  /**
   * What the next attempt resumes from. `resume`: all that was recorded. `fallback`: likewise, unless another agent's turn has come.
   * `anew`: nothing but effects, the content was at fault.
   */
  next: 'resume' | 'fallback' | 'anew';
  /** Asked before the task goes on. */
  question?: BudgetQuestion;
}

/**
 * Fails a task for good, with all that follows from it. Without a plan the goal's template is one; but where the planner's model has no price and needs one,
 * the models of the plan's tasks would need it, too.
 */
export function failTask(draft: Draft, taskId: TaskId, error: Failure): void {
  draft.emit({ type: 'TaskFailed', taskId, error });
  if (draft.need(taskId).kind !== 'plan' || taskId !== PLAN_TASK) return advance(draft, [taskId]);
  if (error.code === CLOSED_BY.unpriced) return failRun(draft, error);
  adoptTemplate(draft, `Planning failed: ${error.message}`);
}

/** A failure that leaves an effect in doubt says so: nobody will ask any more. */
function withDoubts(task: TaskState, error: Failure): Failure {
  if (!task.unknownEffects) return error;
  const doubt = ' Whether a call that must happen once has happened is not known.';
  return { ...error, message: error.message.slice(0, 4000 - doubt.length) + doubt };
}

/** The task goes on: when every question is answered, with the next attempt. */
export function goOn(draft: Draft, taskId: TaskId, delayMs: number): void {
  const task = draft.need(taskId);
  if (!task.openQuestions) scheduleAttempt(draft, task, delayMs);
}

/** Closes the running attempt: another one is scheduled where the policy allows it, else the task fails with all that follows from it. */
export function closeAttempt(draft: Draft, taskId: TaskId, closing: Closing): void {
  const { openCalls: silent } = draft.need(taskId);
  settleOpenCalls(draft, taskId);
  const before = draft.need(taskId);
  const { retry } = before.spec;
  const { error } = closing;
  const cancelling = draft.run.status === 'cancelling';
  const counted = closing.counted && !cancelling;
  const total = before.counted + (counted ? 1 : 0);
  const final = counted && (!error.retriable || total >= retry.maxAttempts);
  const fallback = closing.next === 'fallback' && counted && hasFallbackLeft(before.spec, before.round, total);
  const fresh = !final && !cancelling && (closing.next === 'anew' || fallback);
  draft.emit({ type: 'AttemptFailed', taskId, attempt: before.attempt, error, counted, ...(fresh ? { fresh } : {}) });
  if (cancelling) {
    draft.emit({ type: 'TaskCancelled', taskId });
    return endIfCancelled(draft);
  }
  const task = draft.need(taskId);
  if (final) return failTask(draft, taskId, withDoubts(task, error));
  if (closing.question) askForBudget(draft, taskId, closing.question);
  for (const key of task.unknownEffects ?? []) askAboutEffect(draft, taskId, key, silent?.includes(key) ? before.workerId : undefined);
  goOn(draft, taskId, counted ? retryDelayMs(retry, total, draft.random, error) : (error.retryAfterMs ?? 0));
}
