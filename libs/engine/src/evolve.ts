/**
 * State is the fold of events. A fold takes over the state it is given: the records of tasks and calls are written in place (a run of
 * ten thousand tasks is not copied for each commit), so only the returned state may be used afterwards. Single tasks and calls are
 * replaced, never changed, and no event is changed, so what was read from a task stays valid.
 */
import { ANSWER_TASK, CadreError, NO_USAGE, PLAN_TASK, placeOf } from '@cadre/contracts';
import type { Commit, RunEvent, RunId, TaskId, TaskSpec } from '@cadre/contracts';
import { applyAnswered, applyAsked, applyReserved, applySettled, forgetOpenQuestions } from './evolve-calls.js';
import { evolveTask } from './evolve-task.js';
import { recordTables } from './run-tables.js';
import type { RunTables } from './run-tables.js';
import { NOTHING_SPENT, isOpen } from './state.js';
import type { RunState, TaskState } from './state.js';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;
type TaskEvent = Extract<RunEvent, { taskId: string }>;

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
    ...(event.params === undefined ? {} : { params: event.params }),
    tasks: {},
    taskCount: 0,
    openTasks: 0,
    waits: {},
    calls: {},
    artifacts: [],
    usage: NO_USAGE,
    spent: NOTHING_SPENT,
    agentsSpent: {},
    questions: {},
    asked: 0,
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

function newTask(spec: TaskSpec, kind: TaskState['kind'], order: number): TaskState {
  return {
    spec,
    kind,
    status: 'waiting',
    order,
    attempt: 0,
    round: 1,
    counted: 0,
    notBefore: 0,
    usage: NO_USAGE,
    spent: NOTHING_SPENT,
  };
}

/** Each task learns who waits for it, and how many it waits for. The answer task waits for all, which is known without lists. */
function link(tables: RunTables, specs: readonly TaskSpec[]): void {
  const waiting = specs.filter((spec) => spec.id !== ANSWER_TASK);
  const dependents = grouped(waiting.flatMap((spec) => [...new Set(spec.dependsOn)].map((on): [TaskId, TaskId] => [on, spec.id])));
  for (const [id, added] of dependents) {
    const task = tables.get(id);
    if (!task) continue;
    tables.set(id, { ...task, dependents: [...(task.dependents ?? []), ...added] });
    if (isOpen(task)) for (const each of added) tables.setWaits(each, tables.waits(each) + 1);
  }
  const alternatives = grouped(
    waiting.flatMap((spec): [TaskId, TaskId][] => (spec.alternativeTo === undefined ? [] : [[spec.alternativeTo, spec.id]])),
  );
  for (const [id, added] of alternatives) {
    const task = tables.get(id);
    if (task) tables.set(id, { ...task, alternatives: [...(task.alternatives ?? []), ...added] });
  }
}

function addTasks(run: RunState, tables: RunTables, event: EventOf<'TasksAdded'>): void {
  for (const spec of event.tasks) {
    tables.set(spec.id, newTask(spec, kindOf(event, spec.id), run.taskCount));
    run.taskCount += 1;
    run.openTasks += 1;
    run.idBytes = (run.idBytes ?? 0) + spec.id.length;
  }
  joinScopes(tables, event.tasks);
  if (event.part !== undefined) run.planParts = event.part;
  if (event.more) {
    run.morePlan = true;
    return;
  }
  link(tables, run.morePlan ? workSpecs(tables) : event.tasks);
  delete run.morePlan;
}

/** Tasks of an item open it. */
function joinScopes(tables: RunTables, specs: readonly TaskSpec[]): void {
  const counts = new Map<TaskId, Map<number, number>>();
  for (const { id } of specs) {
    const place = placeOf(id);
    if (!place) continue;
    const items = counts.get(place.scope) ?? new Map<number, number>();
    items.set(place.item, (items.get(place.item) ?? 0) + 1);
    counts.set(place.scope, items);
  }
  for (const [id, items] of counts) {
    const task = tables.get(id);
    if (!task?.scope) throw corrupt(`Tasks of scope ${id}, which is not open.`);
    const working = { ...task.scope.working, ...Object.fromEntries(items) };
    const opened = Math.max(task.scope.opened, ...[...items.keys()].map((item) => item + 1));
    tables.set(id, { ...task, scope: { ...task.scope, working, opened } });
  }
}

/** A task of an item has ended. */
function leaveScope(tables: RunTables, id: TaskId): void {
  const place = placeOf(id);
  const task = place && tables.get(place.scope);
  if (!place || !task?.scope) return;
  const left = (task.scope.working[place.item] ?? 0) - 1;
  tables.set(place.scope, { ...task, scope: { ...task.scope, working: { ...task.scope.working, [place.item]: left } } });
}

/** A task may depend on one of a later part, so a plan in parts is linked when it is whole. */
function workSpecs(tables: RunTables): TaskSpec[] {
  return [...tables.ids()].flatMap((id) => {
    const task = tables.get(id);
    return task?.kind === 'work' ? [task.spec] : [];
  });
}

function endRun(run: RunState, event: EventOf<'RunCompleted' | 'RunFailed' | 'RunCancelled'>, at: number): void {
  run.endedAt = at;
  run.artifacts = event.artifacts;
  if (event.type === 'RunCompleted') {
    run.status = 'completed';
    run.answer = event.answer;
    run.partial = event.partial;
    if (event.missing) run.missing = event.missing;
  } else if (event.type === 'RunFailed') {
    run.status = 'failed';
    run.error = event.error;
  } else {
    run.status = 'cancelled';
    run.cancelReason = event.reason;
  }
}

/** A task that has ended frees those that wait for it, and its calls are not asked for any more. */
function taskEnded(run: RunState, tables: RunTables, before: TaskState): void {
  run.openTasks -= 1;
  forgetOpenQuestions(run, before);
  tables.dropCalls(before.spec.id, 'all');
  for (const id of before.dependents ?? []) tables.setWaits(id, tables.waits(id) - 1);
  leaveScope(tables, before.spec.id);
}

function applyToTask(run: RunState, tables: RunTables, event: TaskEvent, at: number): void {
  const before = tables.get(event.taskId);
  if (!before) throw corrupt(`Run ${run.runId} has an event for the unknown task ${event.taskId}.`);
  switch (event.type) {
    case 'CallsReserved':
      return tables.set(event.taskId, applyReserved(run, tables, before, event));
    case 'CallsSettled':
      return tables.set(event.taskId, applySettled(run, tables, before, event));
    case 'QuestionAsked':
      return tables.set(event.taskId, applyAsked(run, before, event, at));
    case 'QuestionAnswered':
      return tables.set(event.taskId, applyAnswered(run, tables, before, event, at));
    default: {
      const after = evolveTask(before, event, at);
      tables.set(event.taskId, after);
      if (after.round !== before.round) tables.dropCalls(event.taskId, 'without-effect');
      if (isOpen(before) && !isOpen(after)) taskEnded(run, tables, before);
    }
  }
}

/** Applies one event to a header that the caller owns, and to its tables. `RunStarted` is not for here: see `startedRun`. */
export function applyEvent(run: RunState, tables: RunTables, event: RunEvent, at: number): void {
  switch (event.type) {
    case 'RunStarted':
      throw corrupt(`Run ${run.runId} was started twice.`);
    case 'TasksAdded':
      addTasks(run, tables, event);
      if (event.source !== 'engine') {
        if (!event.more) run.status = 'running';
        run.planSource = event.source;
        if (event.note !== undefined) run.planNote = event.note;
      }
      return;
    case 'CancelRequested':
      run.status = 'cancelling';
      run.cancelReason = event.reason;
      run.deadlineAt = event.graceUntil;
      return;
    case 'RunCompleted':
    case 'RunFailed':
    case 'RunCancelled':
      endRun(run, event, at);
      return;
    default:
      applyToTask(run, tables, event, at);
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
  applyEvent(run, recordTables(run), event, at);
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
  let tables = run === undefined ? undefined : recordTables(run);
  for (const event of commit.events) {
    if (run === undefined || tables === undefined) {
      run = evolve(undefined, event, commit.at, commit.runId);
      tables = recordTables(run);
    } else applyEvent(run, tables, event, commit.at);
  }
  if (run === undefined) throw corrupt(`Run ${commit.runId}: commit ${commit.seq} is empty.`);
  run.seq = commit.seq;
  return run;
}

/** A copy that later folds of the original do not change. */
export function copyOfRun(run: RunState): RunState {
  const calls = Object.entries(run.calls).map(([taskId, each]) => [taskId, { ...each }] as const);
  return {
    ...run,
    tasks: { ...run.tasks },
    waits: { ...run.waits },
    agentsSpent: { ...run.agentsSpent },
    calls: Object.fromEntries(calls),
  };
}
