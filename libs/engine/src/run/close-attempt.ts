/** How an attempt closes without a result, and what comes after it. */
import { PLAN_TASK } from '@cadre/contracts';
import type { Failure, TaskId, Usage } from '@cadre/contracts';
import { adoptTemplate } from './adopt-plan.js';
import { advance, scheduleAttempt } from './advance.js';
import type { Draft } from './draft.js';
import { retryDelayMs } from './retry.js';

/** Codes of failures that the engine itself states; a worker's own failures have other codes. */
export const CLOSED_BY = {
  lost: 'worker-lost',
  expired: 'attempt-timeout',
  released: 'attempt-released',
  lowConfidence: 'low-confidence',
} as const;

/** Closes the running attempt: another one is scheduled where the policy allows it, else the task fails with all that follows from it. */
export function closeAttempt(draft: Draft, taskId: TaskId, failure: { error: Failure; counted: boolean; usage: Usage }): void {
  const { attempt } = draft.need(taskId);
  draft.emit({ type: 'AttemptFailed', taskId, attempt, ...failure });
  const task = draft.need(taskId);
  const { retry } = task.spec;
  if (!failure.counted) return scheduleAttempt(draft, task, 0);
  if (failure.error.retriable && task.counted < retry.maxAttempts) {
    return scheduleAttempt(draft, task, retryDelayMs(retry, task.counted, draft.random));
  }
  draft.emit({ type: 'TaskFailed', taskId, error: failure.error });
  if (task.kind === 'plan' && taskId === PLAN_TASK) adoptTemplate(draft, `Planning failed: ${failure.error.message}`);
  else advance(draft, [taskId]);
}
