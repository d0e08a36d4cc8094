/** The ways in which a run ends. Each closes what is open, so that the commit that holds it is the run's last. */
import { ANSWER_TASK, INLINE_LIMIT_BYTES, fitsBytes, placeOf } from '@cadre/contracts';
import type { ArtifactRef, Failure, Missing, TaskSpec } from '@cadre/contracts';
import { isOpen } from '../state.js';
import type { TaskState } from '../state.js';
import type { TaskReader } from '../task-table.js';
import { composeAnswer, prefixOfBytes } from './compose-answer.js';
import type { Draft } from './draft.js';
import { settleOpenCalls } from './settle-calls.js';
import { hasFailed, standing } from './standing.js';

/** A last commit has to fit into one message; the tasks' own results name the rest. */
const MAX_ARTIFACTS = 1000;

function workTasks(tasks: TaskReader): TaskState[] {
  const work: TaskState[] = [];
  for (const id of tasks.ids()) {
    const task = tasks.get(id);
    if (task?.kind === 'work') work.push(task);
  }
  return work;
}

/** The plan's own tasks: what stands within a scope counts through it. */
function planTasks(tasks: TaskReader): TaskState[] {
  return workTasks(tasks).filter((task) => placeOf(task.spec.id) === undefined);
}

/** All artifacts by name; where several tasks made the same one, the version made last. In the order in which tasks ended. */
function artifactsOf(work: TaskState[]): ArtifactRef[] {
  const done = work.filter((task) => task.result !== undefined);
  done.sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  const byName = new Map<string, ArtifactRef>();
  for (const task of done) for (const artifact of task.result?.artifacts ?? []) byName.set(artifact.name, artifact);
  return [...byName.values()].slice(-MAX_ARTIFACTS);
}

function failedWork(tasks: TaskReader, work: TaskState[]): TaskState[] {
  return work.filter((task) => hasFailed(task) && standing(tasks, task.spec.id) === 'failed');
}

/** Calls first, then attempts, then tasks: alike events beside each other take little room, however many tasks there are. */
function closeOpenTasks(draft: Draft, why: string): void {
  const open = [...draft.ids()].filter((id) => isOpen(draft.need(id)));
  const running = open.filter((id) => draft.need(id).status === 'running');
  for (const id of running) settleOpenCalls(draft, id);
  const error = { code: 'run-ended', message: why, retriable: false };
  for (const id of running) draft.emit({ type: 'AttemptFailed', taskId: id, attempt: draft.need(id).attempt, error, counted: false });
  for (const id of open) draft.emit({ type: 'TaskCancelled', taskId: id });
}

export function failRun(draft: Draft, error: Failure): void {
  closeOpenTasks(draft, 'The run failed.');
  draft.emit({ type: 'RunFailed', error, artifacts: artifactsOf(workTasks(draft)), usage: draft.run.usage });
}

function cancelled(draft: Draft): void {
  const reason = draft.run.cancelReason ?? '';
  draft.emit({ type: 'RunCancelled', reason, artifacts: artifactsOf(workTasks(draft)), usage: draft.run.usage });
}

/** A run that is being cancelled is over when its last running attempt has closed. */
export function endIfCancelled(draft: Draft): void {
  if (draft.run.openTasks === 0) cancelled(draft);
}

/** Running attempts may wind up within the grace time, which never reaches past the run's deadline; the rest ends at once. */
export function requestCancel(draft: Draft, reason: string): void {
  const { deadlineAt, options } = draft.run;
  draft.emit({ type: 'CancelRequested', reason, graceUntil: Math.min(draft.now + options.cancelGraceMs, deadlineAt) });
  if (draft.run.deadlineAt <= draft.now) return finishCancel(draft);
  for (const id of [...draft.ids()]) {
    const task = draft.need(id);
    if (isOpen(task) && task.status !== 'running') draft.emit({ type: 'TaskCancelled', taskId: id });
  }
  endIfCancelled(draft);
}

/** The grace time is over: what still runs is closed. */
export function finishCancel(draft: Draft): void {
  closeOpenTasks(draft, 'The run was cancelled.');
  cancelled(draft);
}

/** Why a run with nothing to show fails, once all its work has ended: there were failures and not one result. */
export function failureWithoutResults(draft: Draft): Failure | undefined {
  const work = planTasks(draft);
  if (work.some((task) => task.status === 'completed')) return undefined;
  const [first] = failedWork(draft, work);
  if (!first) return undefined;
  const message = `No task succeeded. The first failure: ${first.spec.title}: ${first.error?.message ?? first.skipped?.reason ?? ''}`;
  return { code: 'no-results', message: message.slice(0, 4000), retriable: false };
}

/** What tasks asked for and their results have not. */
function missingOf({ run }: Draft, work: TaskState[]): Missing | undefined {
  // What was planned from the goal is only known to meet it when an answer has accounted for it.
  const unchecked = run.options.summarize && run.planSource !== 'submitted' ? ['one answer to the whole goal'] : [];
  const missing = new Set([...work.flatMap((task) => task.result?.missing ?? []), ...unchecked]);
  return missing.size === 0 ? undefined : [...missing].slice(0, 50);
}

/** Work that failed and that nothing stands in for, by title. */
export function undoneWork(tasks: TaskReader): string[] {
  return failedWork(tasks, planTasks(tasks)).map(({ spec }) => spec.title);
}

/** Ends a run whose tasks have all ended. */
export function completeRun(draft: Draft): void {
  const failure = failureWithoutResults(draft);
  if (failure) return failRun(draft, failure);
  const work = planTasks(draft);
  const failed = failedWork(draft, work);
  const answerTask = draft.get(ANSWER_TASK);
  // An answer accounts for all work; without one each task speaks for itself.
  const missing = answerTask?.result ? answerTask.result.missing : missingOf(draft, work);
  const partial = failed.length > 0 || missing !== undefined || work.some((task) => task.result?.partial);
  const answer =
    answerTask?.result?.answer ?? composeAnswer(work, failed, missing, answerTask && (answerTask.error?.message ?? 'the task failed'));
  const named = missing && { missing };
  draft.emit({ type: 'RunCompleted', answer, partial, ...named, artifacts: artifactsOf(workTasks(draft)), usage: draft.run.usage });
}

/** Nobody works on the plan: it is the run's answer, as JSON where that fits into a message, else as the list of its tasks. */
export function completeWithPlan(draft: Draft, tasks: readonly TaskSpec[]): void {
  for (const { id } of tasks) draft.emit({ type: 'TaskSkipped', taskId: id, cause: 'condition', reason: 'Only the plan was asked for.' });
  const json = JSON.stringify({ tasks });
  const list = tasks.map(({ id, title }) => `- ${id}: ${title}`).join('\n');
  const text = fitsBytes(json, INLINE_LIMIT_BYTES)
    ? json
    : prefixOfBytes(`A plan of ${tasks.length} tasks:\n\n${list}`, INLINE_LIMIT_BYTES);
  draft.emit({ type: 'RunCompleted', answer: { text }, partial: false, artifacts: [], usage: draft.run.usage });
}
