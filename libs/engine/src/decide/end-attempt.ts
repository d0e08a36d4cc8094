/**
 * Commands that end an attempt: with a result, with a failure, handed back, lost, or out of time. Repetitions are recognised by what they
 * mean: to close an attempt without a result, when it is closed so already, asks for nothing, however long ago that was and whoever did it.
 */
import { DEFAULT_LIMIT_REMEDY, PLAN_TASK } from '@cadre/contracts';
import type { CompleteAttempt, ExpireAttempt, FailAttempt, LoseAttempt, ReleaseAttempt, TaskResult } from '@cadre/contracts';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { adoptPlannedResult } from '../run/adopt-plan.js';
import { advance } from '../run/advance.js';
import { CLOSED_BY, closeAttempt } from '../run/close-attempt.js';
import type { Closing } from '../run/close-attempt.js';
import { Draft } from '../run/draft.js';
import { endIfCancelled } from '../run/end-run.js';
import { hasFallbackLeft } from '../run/retry.js';
import { settleOpenCalls } from '../run/settle-calls.js';
import { whyUnsure } from '../run/sureness.js';
import type { RunState, TaskState } from '../state.js';
import { taskOf } from '../task-table.js';
import { findRunning, isClosed, settleSaid } from './attempts.js';
import { repeatedNext, takeNext } from './take-next.js';
import type { AttemptNamed } from './attempts.js';

function isClosedAlready(state: RunState, command: AttemptNamed): boolean {
  const task = taskOf(state.tasks, command.taskId);
  return task !== undefined && isClosed(task, command);
}

/** Whether this very result has counted, or was set aside as too unsure. */
function isTaken(state: RunState, command: CompleteAttempt): boolean {
  const task = taskOf(state.tasks, command.taskId);
  if (!task) return false;
  if (task.status === 'completed' && task.attempt === command.attempt) return task.workerId === command.workerId;
  return task.lastClosed?.code === CLOSED_BY.lowConfidence && task.lastClosed.attempt === command.attempt && isClosed(task, command);
}

/** Why the result is left to another agent, if one is there that has not had its turn. */
function tooUnsure({ spec, round, counted }: TaskState, { confidence }: TaskResult): string | undefined {
  return hasFallbackLeft(spec, round, counted + 1) ? whyUnsure(confidence, spec) : undefined;
}

/** The result counts as it is, also where an effect stays in doubt: nothing of the task will be repeated. */
function complete(draft: Draft, task: TaskState, given: TaskResult): void {
  const { id } = task.spec;
  settleOpenCalls(draft, id);
  // A plan becomes the run's tasks in the same commit, which says all of it once.
  const { plan, thinking, insteadOf: _insteadOf, queuedMs: _queuedMs, ...rest } = given;
  const result: TaskResult = {
    ...rest,
    // What the run did not ask for is not kept, whatever the worker sends.
    ...(thinking === undefined || !draft.run.options.collectThinking ? {} : { thinking }),
    ...(task.degradedTo === undefined ? {} : { degradedTo: task.degradedTo }),
    ...(task.scope?.partial ? { partial: true } : {}),
    ...(task.insteadOf === undefined ? {} : { insteadOf: task.insteadOf }),
  };
  // A task that waited, and was done by its own agent as ever, is nothing to speak of.
  const isOther = result.insteadOf ?? result.degradedTo ?? result.reducedTo;
  if (task.queuedMs !== undefined && isOther !== undefined) result.queuedMs = task.queuedMs;
  draft.emit({ type: 'TaskCompleted', taskId: id, attempt: task.attempt, result });
  if (draft.run.status === 'cancelling') endIfCancelled(draft);
  else if (task.kind === 'plan' && id === PLAN_TASK) adoptPlannedResult(draft, plan);
  else advance(draft, [id]);
}

export function decideCompleteAttempt(state: RunState, command: CompleteAttempt, context: DecideContext): Decision {
  if (isTaken(state, command)) return duplicate(repeatedNext(state, command));
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const { task } = found;
  const { result, taskId } = command;
  const draft = new Draft(state, context);
  const refusal = settleSaid(draft, command);
  if (refusal) return refusal;
  const unsure = state.status === 'cancelling' ? undefined : tooUnsure(task, result);
  if (unsure !== undefined) {
    const message = `The result ${unsure}; ${task.spec.minConfidence} is asked for.`;
    closeAttempt(draft, taskId, { error: { code: CLOSED_BY.lowConfidence, message, retriable: true }, counted: true, next: 'anew' });
  } else complete(draft, task, result);
  return accepted(draft, takeNext(draft, task, command));
}

/** @param settle the last calls of a worker that reports by itself */
function close(
  state: RunState,
  command: AttemptNamed & Partial<Pick<FailAttempt, 'settle'>>,
  context: DecideContext,
  closing: Closing,
): Decision {
  const draft = new Draft(state, context);
  const refusal = settleSaid(draft, { taskId: command.taskId, settle: command.settle ?? [] });
  if (refusal) return refusal;
  closeAttempt(draft, command.taskId, closing);
  return accepted(draft);
}

/** A worker that closes the attempt of a run that is being cancelled says so itself; that is no failure of the task. */
export function decideFailAttempt(state: RunState, command: FailAttempt, context: DecideContext): Decision {
  if (isClosedAlready(state, command)) return duplicate();
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const { error, cause, fresh } = command;
  return close(state, command, context, { error, cause, counted: true, next: fresh ? 'anew' : 'fallback' });
}

export function decideReleaseAttempt(state: RunState, command: ReleaseAttempt, context: DecideContext): Decision {
  if (isClosedAlready(state, command)) return duplicate();
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const error = { code: CLOSED_BY.released, message: 'The worker stopped and handed the attempt back.', retriable: true };
  return close(state, command, context, { error, counted: false, next: 'resume' });
}

export function decideLoseAttempt(state: RunState, command: LoseAttempt, context: DecideContext): Decision {
  if (isClosedAlready(state, command)) return duplicate();
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const error = { code: CLOSED_BY.lost, message: `The worker was lost: ${command.reason}`, retriable: true };
  return close(state, command, context, { error, counted: true, next: 'resume' });
}

export function decideExpireAttempt(state: RunState, command: ExpireAttempt, context: DecideContext): Decision {
  if (isClosedAlready(state, command)) return duplicate();
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const { task } = found;
  const leftMs = (task.deadlineAt ?? Infinity) - context.now;
  if (leftMs > 0) return rejected('not-yet', `The attempt has ${leftMs} ms left.`);
  const allowed = (task.deadlineAt ?? 0) - (task.startedAt ?? 0);
  const why = task.defaultLimitMs === undefined ? '' : ` ${DEFAULT_LIMIT_REMEDY}`;
  const error = { code: CLOSED_BY.expired, message: `The attempt did not end within ${allowed / 1000} s.${why}`, retriable: true };
  return close(state, command, context, { error, counted: true, next: 'fallback', cause: 'time' });
}
