/**
 * The cascade: what the end of a task makes of the others. Dependents become ready or are skipped, which may end more tasks, until nothing
 * moves; then the run may be over. All of it becomes events of the one decision in hand.
 */
import { ANSWER_TASK } from '@cadre/contracts';
import type { TaskId } from '@cadre/contracts';
import { evaluateCondition } from '../plan/conditions.js';
import type { TaskState } from '../state.js';
import { conditionInput } from './condition-input.js';
import type { Draft } from './draft.js';
import { completeRun, failRun, failureWithoutResults } from './end-run.js';
import { agentFor } from './retry.js';
import { dependencyVerdict, hasFailed, isOpen, standing } from './standing.js';

/** Opens the next attempt of a task. @param delayMs from now */
export function scheduleAttempt(draft: Draft, task: TaskState, delayMs: number): void {
  const agent = agentFor(task.spec, task.counted);
  draft.emit({
    type: 'AttemptScheduled',
    taskId: task.spec.id,
    attempt: task.attempt + 1,
    notBefore: draft.now + delayMs,
    ...(agent === undefined ? {} : { agent }),
  });
}

function skip(draft: Draft, id: TaskId, cause: 'condition' | 'dependency' | 'alternative', reason: string): true {
  draft.emit({ type: 'TaskSkipped', taskId: id, cause, reason });
  return true;
}

/** @returns whether the task is over with that */
function applyCondition(draft: Draft, task: TaskState, condition: string): boolean {
  const id = task.spec.id;
  const outcome = evaluateCondition(condition, (needed) => conditionInput(draft, task.spec, needed));
  if (!outcome.ok) {
    const message = `The condition of task ${id} could not be evaluated: ${outcome.message}`.slice(0, 4000);
    draft.emit({ type: 'TaskFailed', taskId: id, error: { code: 'condition-error', message, retriable: false } });
    return true;
  }
  return outcome.value ? false : skip(draft, id, 'condition', `Its condition is false: ${condition}`);
}

/** Starts, skips or fails a waiting task if its time has come. @returns whether the task has ended */
function consider(draft: Draft, id: TaskId): boolean {
  const task = draft.need(id);
  if (task.kind === 'answer' || task.status !== 'waiting' || task.attempt > 0) return false;
  const { alternativeTo, condition } = task.spec;
  if (alternativeTo !== undefined) {
    const original = draft.need(alternativeTo);
    if (isOpen(original)) return false;
    if (!hasFailed(original)) return skip(draft, id, 'alternative', `${alternativeTo} did not fail, so nothing has to stand in for it.`);
  }
  const verdict = dependencyVerdict(draft, task.spec);
  if (verdict.verdict === 'wait') return false;
  if (verdict.verdict === 'never') return skip(draft, id, 'dependency', verdict.reason);
  if (condition !== undefined && applyCondition(draft, task, condition)) return true;
  scheduleAttempt(draft, task, 0);
  return false;
}

/** The task and, if it is an alternative, what it stands in for: their standing may have changed with it. */
function* concerned(draft: Draft, id: TaskId): Iterable<TaskState> {
  for (let at: TaskId | undefined = id; at !== undefined;) {
    const task: TaskState = draft.need(at);
    yield task;
    at = task.spec.alternativeTo;
  }
}

function failsRun(draft: Draft, task: TaskState): boolean {
  if (task.kind !== 'work' || draft.run.options.continueOnFailure) return false;
  return hasFailed(task) && standing(draft, task.spec.id) === 'failed';
}

function failByTask(draft: Draft, task: TaskState): void {
  const why = task.error?.message ?? task.skipped?.reason ?? 'it failed';
  const message = `Task ${task.spec.id} (${task.spec.title}) failed: ${why}`.slice(0, 4000);
  failRun(draft, { code: 'task-failed', message, retriable: false });
}

/** The answer comes when all else has ended. With nothing to write about, the run fails rather than ask for a summary of failures. */
function finish(draft: Draft): void {
  const answer = draft.get(ANSWER_TASK);
  if (answer === undefined) {
    for (const id of draft.ids()) if (isOpen(draft.need(id))) return;
    return completeRun(draft);
  }
  if (!isOpen(answer)) return completeRun(draft);
  if (answer.attempt > 0 || dependencyVerdict(draft, answer.spec).verdict !== 'go') return;
  const failure = failureWithoutResults(draft);
  if (failure) failRun(draft, failure);
  else scheduleAttempt(draft, answer, 0);
}

/**
 * @param ended tasks that this decision has ended
 * @param added tasks that this decision has added
 */
export function advance(draft: Draft, ended: readonly TaskId[], added: readonly TaskId[] = []): void {
  const queue = [...ended];
  const look = (id: TaskId): void => {
    if (consider(draft, id)) queue.push(id);
  };
  added.forEach(look);
  for (let next = 0; next < queue.length; next += 1) {
    const id = queue[next] as TaskId;
    draft.need(id).alternatives?.forEach(look);
    for (const task of concerned(draft, id)) if (failsRun(draft, task)) return failByTask(draft, task);
    for (const task of concerned(draft, id)) task.dependents?.forEach(look);
  }
  finish(draft);
}
