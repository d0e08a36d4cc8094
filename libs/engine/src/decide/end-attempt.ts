/** Commands that end an attempt: with a result, with a failure, handed back, lost, or out of time. */
import { NO_USAGE, PLAN_TASK } from '@cadre/contracts';
import type { CompleteAttempt, ExpireAttempt, FailAttempt, LoseAttempt, ReleaseAttempt, TaskResult } from '@cadre/contracts';
import { accepted, duplicate, rejected } from '../decision.js';
import type { DecideContext, Decision } from '../decision.js';
import { adoptPlannedResult } from '../run/adopt-plan.js';
import { advance } from '../run/advance.js';
import { CLOSED_BY, closeAttempt } from '../run/close-attempt.js';
import { Draft } from '../run/draft.js';
import { hasFallbackLeft } from '../run/retry.js';
import type { RunState, TaskState } from '../state.js';
import { taskOf } from '../task-table.js';
import { largerUsage } from '../usage.js';
import { findRunning, wasClosed } from './attempts.js';

const ENGINE_CODES: ReadonlySet<string> = new Set(Object.values(CLOSED_BY));

/** What the attempt has recorded so far. */
function recordedUsage(task: TaskState): TaskResult['usage'] {
  return task.recorded?.usage ?? NO_USAGE;
}

/** Whether the last closing of the task's attempt was this same command, sent before. */
function isRepeated(state: RunState, command: CompleteAttempt | FailAttempt | ReleaseAttempt | LoseAttempt): boolean {
  const task = taskOf(state.tasks, command.taskId);
  if (!task) return false;
  switch (command.type) {
    case 'CompleteAttempt':
      if (task.status === 'completed' && task.attempt === command.attempt && task.workerId === command.workerId) return true;
      return wasClosed(task, command, (code) => code === CLOSED_BY.lowConfidence);
    case 'FailAttempt':
      return wasClosed(task, command, (code) => !ENGINE_CODES.has(code));
    case 'ReleaseAttempt':
      return wasClosed(task, command, (code) => code === CLOSED_BY.released);
    case 'LoseAttempt':
      return wasClosed(task, command, (code) => code === CLOSED_BY.lost);
  }
}

function tooUnsure(task: TaskState, result: TaskResult): boolean {
  const { minConfidence } = task.spec;
  return minConfidence !== undefined && result.confidence < minConfidence && hasFallbackLeft(task.spec, task.counted);
}

export function decideCompleteAttempt(state: RunState, command: CompleteAttempt, context: DecideContext): Decision {
  if (isRepeated(state, command)) return duplicate();
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const { task } = found;
  const draft = new Draft(state, context);
  const result = { ...command.result, usage: largerUsage(command.result.usage, recordedUsage(task)) };
  if (tooUnsure(task, result)) {
    const message = `The result's confidence of ${result.confidence} is below ${task.spec.minConfidence}.`;
    const error = { code: CLOSED_BY.lowConfidence, message, retriable: true };
    closeAttempt(draft, command.taskId, { error, counted: true, usage: result.usage });
    return accepted(draft.events);
  }
  draft.emit({ type: 'TaskCompleted', taskId: command.taskId, attempt: command.attempt, result });
  if (task.kind === 'plan' && command.taskId === PLAN_TASK) adoptPlannedResult(draft, result.plan);
  else advance(draft, [command.taskId]);
  return accepted(draft.events);
}

export function decideFailAttempt(state: RunState, command: FailAttempt, context: DecideContext): Decision {
  if (isRepeated(state, command)) return duplicate();
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const draft = new Draft(state, context);
  const usage = largerUsage(command.usage, recordedUsage(found.task));
  closeAttempt(draft, command.taskId, { error: command.error, counted: true, usage });
  return accepted(draft.events);
}

export function decideReleaseAttempt(state: RunState, command: ReleaseAttempt, context: DecideContext): Decision {
  if (isRepeated(state, command)) return duplicate();
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const draft = new Draft(state, context);
  const error = { code: CLOSED_BY.released, message: 'The worker stopped and handed the attempt back.', retriable: true };
  closeAttempt(draft, command.taskId, { error, counted: false, usage: largerUsage(command.usage, recordedUsage(found.task)) });
  return accepted(draft.events);
}

export function decideLoseAttempt(state: RunState, command: LoseAttempt, context: DecideContext): Decision {
  if (isRepeated(state, command)) return duplicate();
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const draft = new Draft(state, context);
  const error = { code: CLOSED_BY.lost, message: `The worker was lost: ${command.reason}`, retriable: true };
  closeAttempt(draft, command.taskId, { error, counted: true, usage: recordedUsage(found.task) });
  return accepted(draft.events);
}

export function decideExpireAttempt(state: RunState, command: ExpireAttempt, context: DecideContext): Decision {
  const found = findRunning(state, command);
  if (!found.found) return found.refusal;
  const { task } = found;
  const leftMs = (task.deadlineAt ?? Infinity) - context.now;
  if (leftMs > 0) return rejected('not-yet', `The attempt has ${leftMs} ms left.`);
  const draft = new Draft(state, context);
  const allowed = (task.deadlineAt ?? 0) - (task.startedAt ?? 0);
  const error = { code: CLOSED_BY.expired, message: `The attempt did not end within ${allowed / 1000} s.`, retriable: true };
  closeAttempt(draft, command.taskId, { error, counted: true, usage: recordedUsage(task) });
  return accepted(draft.events);
}
