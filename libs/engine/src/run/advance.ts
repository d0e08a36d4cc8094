/**
 * The cascade: what the end of a task makes of the others. Dependents become ready or are skipped, which may end more tasks, until nothing
 * moves; then the run may be over. All of it becomes events of the one decision in hand.
 */
import { ANSWER_TASK } from '@cadre/contracts';
import type { TaskId, TaskSpec } from '@cadre/contracts';
import { evaluateCondition } from '../plan/conditions.js';
import type { TaskState } from '../state.js';
import { conditionInput } from './condition-input.js';
import type { Draft } from './draft.js';
import { completeRun, failRun, failureWithoutResults } from './end-run.js';
import { agentFor } from './retry.js';
import { dependencyVerdict, hasFailed, isOpen, standing } from './standing.js';

/** Opens the next attempt of a task. What an agent has begun goes on with the same agent. @param delayMs from now */
export function scheduleAttempt(draft: Draft, task: TaskState, delayMs: number): void {
  const agent = task.resumable && task.agent !== undefined ? task.agent : agentFor(task.spec, task.round);
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

/**
 * Whether a count shows that the task still waits, without a look at each of perhaps thousands of dependencies. Of those that need some of them a loss
 * decides only when too few are left, and a success only when enough have ended.
 * @param open how many of its dependencies have not ended
 */
function waitsSurely({ require, dependsOn }: TaskSpec, open: number, lost: boolean): boolean {
  if (require === 'all' || require === 'settled') return !lost && open > 0;
  const need = require === 'any' ? Math.min(1, dependsOn.length) : require;
  return lost ? open >= need : dependsOn.length - open < need;
}

/**
 * Starts, skips or fails a waiting task if its time has come.
 * @param lost whether something that it depends on cannot succeed any more
 * @returns whether the task has ended
 */
function consider(draft: Draft, id: TaskId, lost: boolean): boolean {
  const task = draft.need(id);
  if (task.kind === 'answer' || task.status !== 'waiting' || task.attempt > 0) return false;
  const { alternativeTo, condition } = task.spec;
  if (alternativeTo !== undefined) {
    const original = draft.need(alternativeTo);
    if (isOpen(original)) return false;
    if (!hasFailed(original)) return skip(draft, id, 'alternative', `${alternativeTo} did not fail, so nothing has to stand in for it.`);
  }
  if (waitsSurely(task.spec, draft.waits(id), lost)) return false;
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
  if (answer === undefined || !isOpen(answer)) {
    if (draft.run.openTasks === 0) completeRun(draft);
    return;
  }
  if (answer.attempt > 0 || draft.run.openTasks > 1) return;
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
  const look = (id: TaskId, lost: boolean): void => {
    if (consider(draft, id, lost)) queue.push(id);
  };
  for (const id of added) look(id, false);
  for (let next = 0; next < queue.length; next += 1) {
    const id = queue[next] as TaskId;
    for (const alternative of draft.need(id).alternatives ?? []) look(alternative, false);
    for (const task of concerned(draft, id)) if (failsRun(draft, task)) return failByTask(draft, task);
    for (const task of concerned(draft, id)) {
      if (!task.dependents) continue;
      const lost = hasFailed(task) && standing(draft, task.spec.id) === 'failed';
      for (const dependent of task.dependents) look(dependent, lost);
    }
  }
  finish(draft);
}
