/** From the engine's state to the shapes that queries answer with. */
import {
  isTerminal,
  type ArtifactRef,
  type QuestionView,
  type RunSummary,
  type RunView,
  type TaskStatus,
  type TaskView,
} from '@cadre/contracts';
import type { RunState, TaskState } from '@cadre/engine';
import { bare, titleOf } from './question-batch.js';

const ENDED: readonly TaskStatus[] = ['completed', 'failed', 'skipped', 'cancelled'];

/** How many tasks have ended, and how many there are. */
export function taskCounts(state: RunState): { done: number; total: number } {
  return { done: state.taskCount - state.openTasks, total: state.taskCount };
}

export function isOpenTask(task: TaskState): boolean {
  return !ENDED.includes(task.status);
}

export function runSummary(state: RunState): RunSummary {
  const { done, total } = taskCounts(state);
  return {
    runId: state.runId,
    tenant: state.tenant,
    goal: state.goal,
    status: state.status,
    createdAt: state.createdAt,
    ...(state.endedAt !== undefined && { endedAt: state.endedAt }),
    tasksDone: done,
    tasksTotal: total,
    usage: state.usage,
    ...(state.partial !== undefined && { partial: state.partial }),
    ...(state.missing !== undefined && { missing: state.missing }),
  };
}

export function runView(state: RunState): RunView {
  return {
    ...runSummary(state),
    options: state.options,
    inputs: state.inputs,
    ...(state.planSource !== undefined && { planSource: state.planSource }),
    ...(state.planNote !== undefined && { planNote: state.planNote }),
    deadlineAt: state.deadlineAt,
    seq: state.seq,
    tasks: Object.values(state.tasks).map(taskView),
    ...(state.answer !== undefined && { answer: state.answer }),
    ...(state.error !== undefined && { error: state.error }),
    ...(state.cancelReason !== undefined && { cancelReason: state.cancelReason }),
    artifacts: isTerminal(state.status) ? state.artifacts : artifactsSoFar(state),
    reservedMicros: state.spent.reservedMicros,
    questions: openQuestions(state),
    ...(state.traceparent !== undefined && { traceparent: state.traceparent }),
  };
}

export function taskView(task: TaskState): TaskView {
  const { spec, result } = task;
  const error = problemOf(task);
  const degradedTo = task.degradedTo ?? result?.degradedTo;
  return {
    taskId: spec.id,
    title: spec.title,
    status: task.status,
    priority: spec.priority,
    skills: spec.skills,
    ...(spec.labels !== undefined && { labels: spec.labels }),
    dependsOn: spec.dependsOn,
    require: spec.require,
    ...(spec.pattern !== undefined && { pattern: spec.pattern }),
    ...(spec.why !== undefined && { why: spec.why }),
    ...(spec.specialist && { specialist: spec.specialist.name }),
    attempt: task.attempt,
    ...(task.agent !== undefined && { agent: task.agent }),
    ...(task.workerId !== undefined && { workerId: task.workerId }),
    ...(task.startedAt !== undefined && { startedAt: task.startedAt }),
    ...(task.endedAt !== undefined && { endedAt: task.endedAt }),
    ...(result?.confidence !== undefined && { confidence: result.confidence }),
    ...(result?.mark !== undefined && { mark: result.mark }),
    ...(result !== undefined && { answer: result.answer }),
    artifacts: result?.artifacts ?? [],
    ...(result?.context !== undefined && { context: result.context }),
    ...(result?.thinking !== undefined && { thinking: result.thinking }),
    ...(degradedTo !== undefined && { degradedTo }),
    ...(result?.reducedTo !== undefined && { reducedTo: result.reducedTo }),
    ...standIn(task),
    ...(result?.cachedFrom !== undefined && { cachedFrom: result.cachedFrom }),
    ...(result?.missing !== undefined && { missing: result.missing }),
    ...(error !== undefined && { error }),
    ...(task.serverWait && task.status === 'ready' && { serverWait: { since: task.serverWait.since, until: task.notBefore } }),
    usage: task.usage,
  };
}

/** That another agent does it than the one that was to, or that it is done with less, and how long it had no free slot, if that is why. */
function standIn({ result, insteadOf, queuedMs }: TaskState): Pick<TaskView, 'insteadOf' | 'queuedMs'> {
  const said = result ?? { insteadOf, queuedMs: insteadOf === undefined ? undefined : queuedMs };
  return {
    ...(said.insteadOf !== undefined && { insteadOf: said.insteadOf }),
    ...(said.queuedMs !== undefined && { queuedMs: said.queuedMs }),
  };
}

/** Oldest first. */
function openQuestions(state: RunState): QuestionView[] {
  return Object.values(state.questions)
    .filter((question) => question.answer === undefined)
    .map((question) => ({
      ...bare(question),
      runId: state.runId,
      askedAt: question.askedAt,
      taskTitle: titleOf(state, question.taskId),
    }));
}

function problemOf(task: TaskState): string | undefined {
  if (task.status === 'completed') return undefined;
  return task.skipped?.reason ?? task.error?.message;
}

/** While a run is open its artifacts are those of its tasks; a later task's file of the same name replaces an earlier one's. */
function artifactsSoFar(state: RunState): ArtifactRef[] {
  const byName = new Map<string, ArtifactRef>();
  for (const task of Object.values(state.tasks)) for (const artifact of task.result?.artifacts ?? []) byName.set(artifact.name, artifact);
  return [...byName.values()];
}
