/**
 * State is the fold of events. A fold takes over the state it is given: the record of tasks is written in place (a run of ten
 * thousand tasks is not copied for each commit), so only the returned state may be used afterwards. Single tasks are replaced, never
 * changed, and no event is changed, so what was read from a task stays valid.
 */
import { addUsage, ANSWER_TASK, CadreError, NO_USAGE, PLAN_TASK } from '@cadre/contracts';
import type { Commit, RunEvent, RunId, TaskId } from '@cadre/contracts';
import type { RunState, TaskState } from './state.js';
import { evolveTask } from './evolve-task.js';
import { recordTable } from './task-table.js';
import type { TaskTable } from './task-table.js';
import { subtractUsage } from './usage.js';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

function corrupt(message: string): CadreError {
  return new CadreError('log-corrupt', message, {
    remedy: 'The log was not written by this engine, or was changed; restore it from a copy.',
  });
}

/** The state right after `RunStarted`. */
export function startedRun(runId: RunId, event: EventOf<'RunStarted'>, at: number): RunState {
  return {
    runId,
    tenant: event.tenant,
    goal: event.goal,
    inputs: event.inputs,
    options: event.options,
    fingerprint: event.fingerprint,
    status: 'planning',
    seq: 0,
    createdAt: at,
    deadlineAt: event.deadlineAt,
    ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
    tasks: {},
    artifacts: [],
    usage: NO_USAGE,
  };
}

function kindOf(event: EventOf<'TasksAdded'>, id: TaskId): TaskState['kind'] {
  if (event.source !== 'engine') return 'work';
  if (id === PLAN_TASK) return 'plan';
  return id === ANSWER_TASK ? 'answer' : 'work';
}

function grouped(pairs: [TaskId, TaskId][]): Map<TaskId, TaskId[]> {
  const groups = new Map<TaskId, TaskId[]>();
  for (const [key, value] of pairs) {
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

function addTasks(tasks: TaskTable, event: EventOf<'TasksAdded'>): void {
  for (const spec of event.tasks) {
    tasks.set(spec.id, { spec, kind: kindOf(event, spec.id), status: 'waiting', attempt: 0, counted: 0, notBefore: 0, usage: NO_USAGE });
  }
  const dependents = grouped(event.tasks.flatMap((spec) => spec.dependsOn.map((on): [TaskId, TaskId] => [on, spec.id])));
  for (const [id, added] of dependents) {
    const task = tasks.get(id);
    if (task) tasks.set(id, { ...task, dependents: [...(task.dependents ?? []), ...added] });
  }
  const alternatives = grouped(
    event.tasks.flatMap((spec): [TaskId, TaskId][] => (spec.alternativeTo === undefined ? [] : [[spec.alternativeTo, spec.id]])),
  );
  for (const [id, added] of alternatives) {
    const task = tasks.get(id);
    if (task) tasks.set(id, { ...task, alternatives: [...(task.alternatives ?? []), ...added] });
  }
}

function endRun(run: RunState, event: EventOf<'RunCompleted' | 'RunFailed' | 'RunCancelled'>, at: number): void {
  run.endedAt = at;
  run.artifacts = event.artifacts;
  if (event.type === 'RunCompleted') {
    run.status = 'completed';
    run.answer = event.answer;
    run.partial = event.partial;
  } else if (event.type === 'RunFailed') {
    run.status = 'failed';
    run.error = event.error;
  } else {
    run.status = 'cancelled';
    run.cancelReason = event.reason;
  }
}

/** Applies one event to a header that the caller owns, and to a table of tasks. `RunStarted` is not for here: see `startedRun`. */
export function applyEvent(run: RunState, tasks: TaskTable, event: RunEvent, at: number): void {
  switch (event.type) {
    case 'RunStarted':
      throw corrupt(`Run ${run.runId} was started twice.`);
    case 'TasksAdded':
      addTasks(tasks, event);
      if (event.source !== 'engine') {
        run.status = 'running';
        run.planSource = event.source;
        if (event.note !== undefined) run.planNote = event.note;
      }
      return;
    case 'CancelRequested':
      run.cancelReason = event.reason;
      return;
    case 'RunCompleted':
    case 'RunFailed':
    case 'RunCancelled':
      endRun(run, event, at);
      return;
    default: {
      const before = tasks.get(event.taskId);
      if (!before) throw corrupt(`Run ${run.runId} has an event for the unknown task ${event.taskId}.`);
      const after = evolveTask(before, event, at);
      tasks.set(event.taskId, after);
      if (after.usage !== before.usage) run.usage = addUsage(run.usage, subtractUsage(after.usage, before.usage));
    }
  }
}

/**
 * One event. Takes over the state given (see the top of this file). `RunStarted` makes the state; it needs the run's id.
 * @param at time of the commit, in milliseconds since 1970
 */
export function evolve(state: RunState | undefined, event: RunEvent, at: number, runId?: RunId): RunState {
  if (event.type === 'RunStarted' && state === undefined) {
    if (runId === undefined) throw corrupt('RunStarted needs the id of its run.');
    return startedRun(runId, event, at);
  }
  if (state === undefined) throw corrupt(`A run begins with RunStarted, not ${event.type}.`);
  const run = { ...state };
  applyEvent(run, recordTable(run.tasks), event, at);
  return run;
}

/**
 * All events of a commit. Takes over the state given: only the returned one may be used afterwards.
 * Error `log-corrupt` when the commit does not follow on the state.
 */
export function foldCommit(state: RunState | undefined, commit: Commit): RunState {
  const expected = (state?.seq ?? 0) + 1;
  if (commit.seq !== expected) throw corrupt(`Run ${commit.runId}: commit ${commit.seq} came where ${expected} was due.`);
  let run = state === undefined ? undefined : { ...state };
  for (const event of commit.events) {
    if (run === undefined) run = evolve(undefined, event, commit.at, commit.runId);
    else applyEvent(run, recordTable(run.tasks), event, commit.at);
  }
  if (run === undefined) throw corrupt(`Run ${commit.runId}: commit ${commit.seq} is empty.`);
  run.seq = commit.seq;
  return run;
}
