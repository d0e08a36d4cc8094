/** What workers and readers are told about a run's tasks. */
import { CadreError } from '@cadre/contracts';
import type { Assignment, TaskId, TaskOutcome } from '@cadre/contracts';
import { isOpen, upstream } from './run/standing.js';
import type { RunState, TaskState } from './state.js';
import { recordTable, taskOf } from './task-table.js';
import type { TaskReader } from './task-table.js';

function isEnded(task: TaskState): task is TaskState & { status: TaskOutcome['status'] } {
  return !isOpen(task);
}

function outcomeOf(task: TaskState & { status: TaskOutcome['status'] }): TaskOutcome {
  const error = task.skipped?.reason ?? (task.status === 'failed' ? task.error?.message : undefined);
  return {
    taskId: task.spec.id,
    title: task.spec.title,
    ...(task.agent === undefined ? {} : { agent: task.agent }),
    status: task.status,
    ...(task.result === undefined ? {} : { answer: task.result.answer, confidence: task.result.confidence }),
    artifacts: task.result?.artifacts ?? [],
    ...(error === undefined ? {} : { error }),
  };
}

/** @param only these tasks; all work tasks without it */
function outcomesAmong(tasks: TaskReader, only?: ReadonlySet<TaskId>): TaskOutcome[] {
  const found: TaskOutcome[] = [];
  for (const id of tasks.ids()) {
    const task = tasks.get(id);
    if (task?.kind === 'work' && (only?.has(id) ?? true) && isEnded(task)) found.push(outcomeOf(task));
  }
  return found;
}

/** The running attempt of a task, from a state or a draft of one. Error `engine-bug` when it is not running. */
export function assignmentOf(run: RunState, tasks: TaskReader, task: TaskState): Assignment {
  if (task.status !== 'running' || task.deadlineAt === undefined) {
    throw new CadreError('engine-bug', `Task ${task.spec.id} of run ${run.runId} is not running, so it has no assignment.`);
  }
  const { spec } = task;
  return {
    runId: run.runId,
    tenant: run.tenant,
    taskId: spec.id,
    attempt: task.attempt,
    kind: task.kind,
    goal: run.goal,
    title: spec.title,
    instructions: spec.instructions,
    ...(spec.input === undefined ? {} : { input: spec.input }),
    inputs: run.inputs,
    results: task.kind === 'answer' ? outcomesAmong(tasks) : outcomesAmong(tasks, upstream(tasks, spec)),
    ...(task.error === undefined ? {} : { previousError: task.error.message }),
    ...(run.options.model === undefined ? {} : { model: run.options.model }),
    deadlineAt: task.deadlineAt,
    ...(run.traceparent === undefined ? {} : { traceparent: run.traceparent }),
  };
}

/** What a worker needs for the running attempt of a task. Error `engine-bug` when the task is not running. */
export function buildAssignment(state: RunState, taskId: TaskId): Assignment {
  const task = taskOf(state.tasks, taskId);
  if (!task) throw new CadreError('engine-bug', `Run ${state.runId} has no task ${taskId}.`);
  return assignmentOf(state, recordTable(state.tasks), task);
}

/** How the run's work tasks ended, those that have, in plan order. */
export function outcomes(state: RunState): TaskOutcome[] {
  return outcomesAmong(recordTable(state.tasks));
}
