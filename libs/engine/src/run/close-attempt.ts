/** How an attempt closes without a result, and what comes after it. */
import { PLAN_TASK } from '@cadre/contracts';
import type { Failure, TaskId } from '@cadre/contracts';
import type { TaskState } from '../state.js';
import { adoptTemplate } from './adopt-plan.js';
import { advance } from './advance.js';
import type { Draft } from './draft.js';
import { endIfCancelled, failRun } from './end-run.js';
import { askAboutEffect, askForBudget } from './questions.js';
import type { BudgetQuestion } from './questions.js';
import { hasFallbackLeft, retryDelayMs, serverWaitMs } from './retry.js';
import { scheduleAttempt } from './schedule-attempt.js';
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

/** Says of its agent, not of the task, that it is of no use, however often it is asked. */
const OF_THE_AGENT: ReadonlySet<string> = new Set(['malformed-output']);

export interface Closing {
  error: Failure;
  /** Against the retry policy. */
  counted: boolean;
  /**
   * `server`: the model server is in passing trouble, which counts only where the task may not wait for that. `time`: the attempt's time
   * was up.
   */
  cause?: 'server' | 'time' | undefined;
  /**
   * What the next attempt resumes from. `resume`: all that was recorded. `fallback`: likewise, unless another agent's turn has come.
   * `anew`: nothing but effects, the content was at fault.
   */
  next: 'resume' | 'fallback' | 'anew';
  /** Asked before the task goes on. */
  question?: BudgetQuestion;
}

/**
 * Fails a task for good, with all that follows from it. Without a plan the goal's template is one; but where the planner's model has no
 * price and needs one, the models of the plan's tasks would need it, too.
 */
export function failTask(draft: Draft, taskId: TaskId, error: Failure): void {
  const { kind } = draft.emit({ type: 'TaskFailed', taskId, error });
  if (kind !== 'plan' || taskId !== PLAN_TASK) return advance(draft, [taskId]);
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

/** What becomes of a task whose attempt closes. `final`: it fails. `fresh`: the next attempt starts anew. */
type Verdict = { error: Failure; counted: boolean; final: boolean; fresh: boolean; waits: boolean };

/** For an agent whose turn comes the server may be another one, so nothing is waited for. */
function verdictOn({ run, now }: Draft, before: TaskState, { error, cause, counted, next }: Closing): Verdict {
  const { spec, round, serverWait } = before;
  if (cause === 'server' && error.retriable) {
    const fresh = next === 'fallback' && hasFallbackLeft(spec, round, before.counted);
    const mostMs = spec.retry.maxServerWaitMs ?? run.options.maxServerWaitMs ?? Infinity;
    const isSpent = mostMs === 0 || now - (serverWait?.since ?? now) >= mostMs;
    const leftMs = run.deadlineAt - now;
    if (!fresh && !isSpent && (error.retryAfterMs ?? 0) >= leftMs) return { error: tooLong(error, leftMs), counted, ...IN_VAIN };
    if (fresh || !isSpent) return { error, counted: false, final: false, fresh, waits: !fresh };
  }
  const total = before.counted + (counted ? 1 : 0);
  const other = counted && hasFallbackLeft(spec, round, total);
  const retriable = error.retriable || (other && OF_THE_AGENT.has(error.code));
  const final = counted && (!retriable || total >= spec.retry.maxAttempts);
  const fallback = next === 'fallback' && other;
  return { error: { ...error, retriable }, counted, final, fresh: !final && (next === 'anew' || fallback), waits: false };
}

const IN_VAIN = { final: true, fresh: false, waits: false } as const;

function tooLong(error: Failure, leftMs: number): Failure {
  const why = ` It is to be asked again in ${Math.ceil((error.retryAfterMs ?? 0) / 1000)} s, and the run has ${Math.ceil(leftMs / 1000)} s left (its deadline).`;
  return { ...error, message: error.message.slice(0, 4000 - why.length) + why };
}

/** Closes the running attempt: another one is scheduled where the policy allows it, else the task fails with all that follows from it. */
export function closeAttempt(draft: Draft, taskId: TaskId, closing: Closing): void {
  const { openCalls: silent } = draft.need(taskId);
  const before = settleOpenCalls(draft, taskId);
  const closed = { type: 'AttemptFailed', taskId, attempt: before.attempt } as const;
  if (draft.run.status === 'cancelling') {
    draft.emit({ ...closed, error: closing.error, counted: false });
    draft.emit({ type: 'TaskCancelled', taskId });
    return endIfCancelled(draft);
  }
  const { error, counted, final, fresh, waits } = verdictOn(draft, before, closing);
  const isLate = closing.cause === 'time' && before.defaultLimitMs !== undefined;
  const cause = waits ? ('server' as const) : isLate ? ('time' as const) : undefined;
  const task = draft.emit({ ...closed, error, counted, ...(fresh ? { fresh } : {}), ...(cause && { cause }) });
  if (final) return failTask(draft, taskId, withDoubts(task, error));
  if (closing.question) askForBudget(draft, taskId, closing.question);
  for (const key of task.unknownEffects ?? []) askAboutEffect(draft, taskId, key, silent?.includes(key) ? before.workerId : undefined);
  goOn(draft, taskId, delayOf(draft, task, { error, counted, waits }));
}

function delayOf(
  { random }: Draft,
  { spec, counted, serverWait }: TaskState,
  closed: Pick<Verdict, 'error' | 'counted' | 'waits'>,
): number {
  if (closed.waits) return serverWaitMs(serverWait?.attempts ?? 1, random, closed.error);
  return closed.counted ? retryDelayMs(spec.retry, counted, random, closed.error) : (closed.error.retryAfterMs ?? 0);
}
