/**
 * The cascade: what the end of a task makes of the others. Dependents become ready or are skipped, which may end more tasks, until nothing
 * moves; then the run may be over. All of it becomes events of the one decision in hand.
 */
import { ANSWER_TASK, placeOf } from '@cadre/contracts';
import type { TaskId, TaskSpec } from '@cadre/contracts';
import { isOpen } from '../state.js';
import type { TaskState } from '../state.js';
import { beginTask, skip } from './begin-task.js';
import type { Cascade } from './cascade.js';
import type { Draft } from './draft.js';
import { completeRun, failRun, failureWithoutResults } from './end-run.js';
import { scheduleAttempt } from './schedule-attempt.js';
import { moveScope } from './scopes.js';
import { dependencyVerdict, hasFailed, standing } from './standing.js';

/**
 * Whether a count shows that the task still waits, without a look at each of perhaps thousands of dependencies. Of those that need some of
 * them a loss decides only when too few are left, and a success only when enough have ended.
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
function consider(draft: Draft, id: TaskId, lost: boolean, cascade: Cascade): boolean {
  const task = draft.need(id);
  if (task.kind === 'answer' || task.status !== 'waiting' || task.attempt > 0) return false;
  const { alternativeTo } = task.spec;
  if (alternativeTo !== undefined) {
    const original = draft.need(alternativeTo);
    if (isOpen(original)) return false;
    if (!hasFailed(original)) return skip(draft, id, 'alternative', `${alternativeTo} did not fail, so nothing has to stand in for it.`);
  }
  if (waitsSurely(task.spec, draft.waits(id), lost)) return false;
  const verdict = dependencyVerdict(draft, task.spec);
  if (verdict.verdict === 'wait') return false;
  if (verdict.verdict === 'never') return skip(draft, id, 'dependency', verdict.reason);
  return beginTask(draft, task, cascade);
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
  if (task.kind !== 'work' || draft.run.options.continueOnFailure || placeOf(task.spec.id) !== undefined) return false;
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

/** What the end of a task means to those that wait for it or look at it. @returns false: the run has ended with that */
function passOn(draft: Draft, id: TaskId, cascade: Cascade): boolean {
  for (const alternative of draft.need(id).alternatives ?? []) cascade.look(alternative);
  for (const task of concerned(draft, id)) {
    if (!failsRun(draft, task)) continue;
    failByTask(draft, task);
    return false;
  }
  if (moveScope(draft, id, cascade)) return true;
  for (const task of concerned(draft, id)) {
    if (!task.dependents) continue;
    const lost = hasFailed(task) && standing(draft, task.spec.id) === 'failed';
    for (const dependent of task.dependents) cascade.look(dependent, lost);
  }
  return true;
}

/**
 * @param ended tasks that this decision has ended
 * @param added tasks that this decision has added
 */
export function advance(draft: Draft, ended: readonly TaskId[], added: readonly TaskId[] = []): void {
  const queue = [...ended];
  const begun = [...added];
  const cascade: Cascade = {
    added: (ids) => void begun.push(...ids),
    ended: (id) => void queue.push(id),
    look: (id, lost = false) => {
      if (consider(draft, id, lost, cascade)) queue.push(id);
    },
  };
  let nextBegun = 0;
  for (let next = 0; next < queue.length || nextBegun < begun.length;) {
    if (nextBegun < begun.length) cascade.look(begun[nextBegun++] as TaskId);
    else if (!passOn(draft, queue[next++] as TaskId, cascade)) return;
  }
  finish(draft);
}
