/** What workers and readers are told about a run's tasks. */
import { CadreError, placeOf } from '@cadre/contracts';
import type { Assignment, TaskId, TaskOutcome, TaskSpec } from '@cadre/contracts';
import { goalParts } from './goal/goal-parts.js';
import { fitOutcomes } from './fit-outcomes.js';
import { undoneWork } from './run/end-run.js';
import { resultTask } from './run/expression-input.js';
import { keptOut } from './run/gate.js';
import { mayGiveUp } from './run/under-load.js';
import { upstream } from './run/standing.js';
import { isOpen } from './state.js';
import type { RunState, TaskState } from './state.js';
import { recordTable, taskOf } from './task-table.js';
import type { TaskReader } from './task-table.js';

/** A task at the end of a chain of thousands is not told about each of them. */
const NEAREST = 256;

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
    ...(task.result === undefined ? {} : { answer: task.result.answer }),
    ...(task.result?.confidence === undefined ? {} : { confidence: task.result.confidence }),
    ...(task.result?.mark === undefined ? {} : { mark: task.result.mark }),
    ...(task.result?.missing === undefined ? {} : { missing: task.result.missing }),
    artifacts: task.result?.artifacts ?? [],
    ...(error === undefined ? {} : { error }),
  };
}

/** In plan order. @param only these tasks; all work tasks without it */
function outcomesAmong(tasks: TaskReader, only?: ReadonlySet<TaskId>): TaskOutcome[] {
  const found: (TaskState & { status: TaskOutcome['status'] })[] = [];
  for (const id of only ?? tasks.ids()) {
    const task = tasks.get(id);
    if (task?.kind === 'work' && isEnded(task)) found.push(task);
  }
  return found.sort((a, b) => a.order - b.order).map(outcomeOf);
}

/**
 * All that a task may look at; of the scopes that it depends on, or is, also what their items brought, what it has given to others, and in
 * a round what the one before it did.
 */
function seenBy(tasks: TaskReader, task: TaskState): Set<TaskId> {
  const seen = upstream(tasks, task.spec, NEAREST);
  for (const id of task.delegated?.tasks ?? []) seen.add(id);
  for (const id of task.scope ? [...task.spec.dependsOn, task.spec.id] : task.spec.dependsOn) {
    const scope = tasks.get(id);
    const out = scope ? keptOut(scope) : undefined;
    for (let item = 0; item < (scope?.scope?.opened ?? 0); item += 1) {
      if (out?.has(item)) continue;
      const each = resultTask(tasks, scope as TaskState, item);
      if (each?.result) seen.add(each.spec.id);
    }
  }
  for (let place = placeOf(task.spec.id); place !== undefined; place = placeOf(place.scope)) {
    const scope = tasks.get(place.scope) as TaskState;
    const before = scope.spec.scope?.repeat && place.item > 0 ? resultTask(tasks, scope, place.item - 1) : undefined;
    if (before) seen.add(before.spec.id);
  }
  return seen;
}

/** The plan's own tasks. */
function planIds(tasks: TaskReader): Set<TaskId> {
  return new Set([...tasks.ids()].filter((id) => placeOf(id) === undefined));
}

/**
 * Only of a task that nobody has worked on: what an attempt goes on with came of what its forerunner saw, and what that one did to the
 * world is not known to it.
 */
function cacheWish({ spec, kind, attempt }: TaskState): Pick<Assignment, 'cache'> {
  if (spec.cache === undefined || kind !== 'work' || attempt !== 1) return {};
  const { minConfidence, unknownConfidence } = spec;
  const sure = minConfidence === undefined ? {} : { minConfidence, ...(unknownConfidence === undefined ? {} : { unknownConfidence }) };
  return { cache: { ...spec.cache, ...sure } };
}

/** What the answer has to account for where Cadre has planned: what a caller's own plan leaves out, the caller has left out. */
function accountOf({ goal, planSource }: RunState, tasks: TaskReader): Pick<Assignment, 'account'> {
  if (planSource === 'submitted') return {};
  return { account: { parts: goalParts(goal).map(({ text }) => text), undone: undoneWork(tasks).slice(0, 50) } };
}

/** What a task says of how it is to be done. */
function ownWishes({ resultSchema, thinking, peers, shares, specialist }: TaskSpec): Partial<Assignment> {
  return {
    ...(resultSchema && { resultSchema }),
    ...(thinking && { thinking }),
    ...(peers && { peers }),
    ...(shares && { shares }),
    ...(specialist && { specialist }),
  };
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
    results: fitOutcomes(
      task.kind === 'answer' ? outcomesAmong(tasks, planIds(tasks)) : outcomesAmong(tasks, seenBy(tasks, task)),
      spec.input,
    ),
    ...(task.kind === 'answer' ? accountOf(run, tasks) : {}),
    round: task.round,
    tools: task.tools ?? [],
    ...(task.roundError === undefined ? {} : { previousError: task.roundError }),
    ...(run.options.model === undefined ? {} : { model: run.options.model }),
    ...(task.degradedTo === undefined ? {} : { degradedTo: task.degradedTo }),
    ...(task.queuedMs === undefined ? {} : { queuedMs: task.queuedMs }),
    ...(mayGiveUp(run, task) ? {} : { underLoad: 'never' as const }),
    ...(run.options.collectThinking ? { collectThinking: true as const } : {}),
    deadlineAt: task.deadlineAt,
    ...(task.defaultLimitMs === undefined ? {} : { defaultLimitMs: task.defaultLimitMs }),
    ...(task.serverWait ? { waited: task.serverWait.attempts } : {}),
    ...cacheWish(task),
    ...ownWishes(spec),
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
