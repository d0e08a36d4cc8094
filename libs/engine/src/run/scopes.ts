/**
 * Scopes: tasks that hold tasks. A scope opens items (one, one for each element of a list, or one round after the other), each a copy of
 * its body; when an item has ended, the join rule is asked whether the scope has, and what is still at work then is not needed any more.
 * Patterns of coordination are made of this and of nothing else, so that what holds for tasks holds for all of them.
 */
import { MAX_PLAN_ID_BYTES, MAX_PLAN_TASKS, SCOPE_LIMITS, TaskId, childId, placeOf, utf8Bytes } from '@cadre/contracts';
import type { Failure, Json, Scope, TaskSpec } from '@cadre/contracts';
import { evaluateCondition, evaluateValue } from '../plan/expressions.js';
import type { Evaluated } from '../plan/expressions.js';
import { isOpen } from '../state.js';
import type { ScopeState, TaskState } from '../state.js';
import type { Cascade } from './cascade.js';
import { combine } from './combine.js';
import { endDelegation } from './delegations.js';
import type { Draft } from './draft.js';
import { bodyOf, inputOf, resultId, resultTask } from './expression-input.js';
import { whyRefused } from './gate.js';
import { isPartial } from './pieces.js';
import { agentFor } from './retry.js';
import { settleOpenCalls } from './settle-calls.js';
import { hasFailed, standing } from './standing.js';

function scopeOf(task: TaskState): { spec: Scope; state: ScopeState } {
  return { spec: task.spec.scope as Scope, state: task.scope as ScopeState };
}

/** How many scopes a task stands in. */
function depthOf(id: TaskId): number {
  let depth = 0;
  for (let place = placeOf(id); place !== undefined; place = placeOf(place.scope)) depth += 1;
  return depth;
}

function fail(draft: Draft, id: TaskId, error: Failure): true {
  draft.emit({ type: 'TaskFailed', taskId: id, error });
  return true;
}

function failure(code: string, message: string): Failure {
  return { code, message: message.slice(0, 4000), retriable: false };
}

function itemsOf(draft: Draft, task: TaskState, over: string): Evaluated<Json[]> {
  const outcome = evaluateValue(over, inputOf(draft.run, draft, task));
  if (!outcome.ok) return outcome;
  if (!Array.isArray(outcome.value)) return { ok: false, message: 'it gives no list' };
  const { length } = outcome.value;
  if (length > SCOPE_LIMITS.items) return { ok: false, message: `it gives ${length} items, at most ${SCOPE_LIMITS.items} are possible` };
  const bytes = utf8Bytes(JSON.stringify(outcome.value));
  if (bytes > SCOPE_LIMITS.itemBytes)
    return { ok: false, message: `its items take ${bytes} bytes, at most ${SCOPE_LIMITS.itemBytes} are possible` };
  return { ok: true, value: outcome.value };
}

/** Opens a scope with its first items. @returns whether it has ended with that */
export function openScope(draft: Draft, task: TaskState, cascade: Cascade): boolean {
  const { id } = task.spec;
  const { over, repeat, join, branches, body } = scopeOf(task).spec;
  if (depthOf(id) >= SCOPE_LIMITS.depth) {
    return fail(draft, id, failure('scope-too-deep', `Scopes stand within each other more than ${SCOPE_LIMITS.depth} deep at ${id}.`));
  }
  const items = over === undefined ? undefined : itemsOf(draft, task, over);
  if (items && !items.ok) return fail(draft, id, failure('expression-error', `The list of ${id} could not be made: ${items.message}.`));
  const deadline = join.deadlineMs === undefined ? {} : { wakeAt: draft.now + join.deadlineMs };
  const count = items ? items.value.length : branches ? body.length : (repeat?.max ?? 1);
  const opened = draft.emit({ type: 'TaskOpened', taskId: id, count, ...(items ? { items: items.value } : {}), ...deadline });
  return judge(draft, opened, cascade);
}

/** A task of the body, as one of an item. */
function asChild(scope: TaskId, item: number, spec: TaskSpec): TaskSpec {
  const child = { ...spec, id: childId(scope, item, spec.id), dependsOn: spec.dependsOn.map((name) => childId(scope, item, name)) };
  return spec.alternativeTo === undefined ? child : { ...child, alternativeTo: childId(scope, item, spec.alternativeTo) };
}

/** Why no more tasks may join the run, if so. */
function tooMany(draft: Draft, tasks: readonly Pick<TaskSpec, 'id'>[]): Failure | undefined {
  const { taskCount, idBytes = 0 } = draft.run;
  if (taskCount + tasks.length > MAX_PLAN_TASKS + 2)
    return failure('too-many-tasks', `The run would have more than ${MAX_PLAN_TASKS} tasks.`);
  const bytes = tasks.reduce((sum, task) => sum + task.id.length, idBytes);
  return bytes > MAX_PLAN_ID_BYTES
    ? failure('too-many-tasks', `The ids of the run's tasks would take more than ${MAX_PLAN_ID_BYTES} bytes.`)
    : undefined;
}

/** Why work cannot be given to others by a task, if so: it stands too deep, or there would be too much of it. */
export function delegationLimit(draft: Draft, task: TaskState, work: readonly TaskSpec[]): string | undefined {
  const { id } = task.spec;
  if (depthOf(id) >= SCOPE_LIMITS.depth) return `Work has been handed on ${SCOPE_LIMITS.depth} times already; do it yourself.`;
  const ids = work.map((spec) => childId(id, task.delegated?.count ?? 0, spec.id));
  if (ids.some((each) => !TaskId.safeParse(each).success)) return 'The names of the tasks become too long; use shorter ones.';
  return tooMany(
    draft,
    ids.map((each) => ({ id: each })),
  )?.message;
}

/** Opens the work that a task's agent has given to others. @returns the tasks that have joined the run */
export function openDelegated(draft: Draft, task: TaskState): TaskId[] {
  const { spec, state } = scopeOf(task);
  const { id, priority } = task.spec;
  const tasks = spec.body.map((each) => ({ ...asChild(id, state.opened, each), priority }));
  draft.emit({ type: 'TasksAdded', source: 'engine', tasks });
  return tasks.map((added) => added.id);
}

/** How many items may be opened now. */
function roomIn({ spec, state }: { spec: Scope; state: ScopeState }): number {
  const atWork = Object.keys(state.working).length;
  return Math.min(state.count - state.opened, spec.repeat ? 1 - atWork : spec.width - atWork);
}

/** Items of one commit: it has to fit into one message. */
const MOST_BYTES = 200 * 1024;

/** Opens as many items as may be at work. @returns whether the scope has failed with that */
function openItems(draft: Draft, task: TaskState, cascade: Cascade): boolean {
  const { id } = task.spec;
  const scope = scopeOf(task);
  const { body } = scope.spec;
  const each = utf8Bytes(JSON.stringify(body));
  const count = Math.min(roomIn(scope), Math.max(1, Math.floor(MOST_BYTES / each)));
  const tasks: TaskSpec[] = [];
  for (let item = scope.state.opened; item < scope.state.opened + count; item += 1) {
    tasks.push(...bodyOf(scope.spec, item).map((spec) => asChild(id, item, spec)));
  }
  if (tasks.length === 0) return false;
  const limit = tooMany(draft, tasks);
  if (limit) {
    cancelItems(draft, id);
    return fail(draft, id, limit);
  }
  draft.emit({ type: 'TasksAdded', source: 'engine', tasks });
  cascade.added(tasks.map((added) => added.id));
  return false;
}

function needed({ spec, state }: { spec: Scope; state: ScopeState }): number {
  const { need } = spec.join;
  if (need === 'all') return state.count;
  if (need === 'any') return Math.min(1, state.count);
  return typeof need === 'number' ? need : Math.ceil(need.share * state.count);
}

type Verdict = 'on' | 'enough' | 'failed';

function joinVerdict(scope: { spec: Scope; state: ScopeState }): Verdict {
  const { spec, state } = scope;
  const need = needed(scope);
  const ended = state.succeeded + state.failed.length;
  const out = state.count - state.failed.length < need;
  if (ended === state.count) return out ? 'failed' : 'enough';
  if (spec.join.until === 'ended') return 'on';
  if (out) return 'failed';
  return need > 0 && state.succeeded >= need ? 'enough' : 'on';
}

/** After a round: whether another one is due. */
function roundVerdict(draft: Draft, task: TaskState): Verdict | Failure {
  const { spec, state } = scopeOf(task);
  const { repeat } = spec;
  if (state.failed.length > 0) return 'failed';
  if (state.succeeded === 0 || !repeat) return 'on';
  if (repeat.until !== undefined) {
    const last = resultTask(draft, task, state.succeeded - 1);
    // Seen from within the round that has just ended.
    const seen = last ?? task;
    const outcome = evaluateCondition(repeat.until, inputOf(draft.run, draft, seen));
    if (!outcome.ok) return failure('expression-error', `Whether ${task.spec.id} is done could not be evaluated: ${outcome.message}`);
    if (outcome.value) return 'enough';
  }
  if (state.succeeded < state.count) return 'on';
  return repeat.until !== undefined && repeat.atBound === 'fail'
    ? failure('not-converged', `${task.spec.id} was not done after ${state.count} rounds.`)
    : 'enough';
}

function whyFailed(draft: Draft, task: TaskState): Failure {
  const scope = scopeOf(task);
  const { failed, count } = scope.state;
  const first =
    failed[0] === undefined
      ? undefined
      : bodyOf(scope.spec, failed[0])
          .map((spec) => draft.get(childId(task.spec.id, failed[0] as number, spec.id)))
          .find((each) => each && hasFailed(each));
  const why = first?.error?.message ?? first?.skipped?.reason ?? (failed[0] === undefined ? undefined : whyRefused(draft, task, failed[0]));
  const because = why === undefined ? '' : ` The first failure: ${first?.spec.title ?? `item ${failed[0]}`}: ${why}`;
  return failure(
    'scope-failed',
    `${failed.length} of ${count} items of ${task.spec.title} failed; ${needed(scope)} had to succeed.${because}`,
  );
}

/** Its items have ended well enough: what they come to is an agent's work, done as any other. */
function handToAgent(draft: Draft, task: TaskState, cutOff: boolean): false {
  const agent = agentFor(task.spec, task.round);
  draft.emit({
    type: 'AttemptScheduled',
    taskId: task.spec.id,
    attempt: 1,
    notBefore: draft.now,
    ...(agent === undefined ? {} : { agent }),
    joined: isPartial(draft, task, cutOff) ? 'partial' : 'whole',
  });
  return false;
}

/** @returns whether the scope has ended with that: not where an agent is to combine its items */
function close(draft: Draft, id: TaskId, verdict: 'enough' | 'failed' | Failure, cutOff = false): boolean {
  cancelItems(draft, id);
  const task = draft.need(id);
  if (typeof verdict === 'object') return fail(draft, id, verdict);
  if (verdict === 'failed') return fail(draft, id, whyFailed(draft, task));
  if (task.spec.scope?.combine.by === 'custom') return handToAgent(draft, task, cutOff);
  const combined = combine(draft, task, cutOff);
  if (!combined.ok) return fail(draft, id, combined.error);
  draft.emit({ type: 'TaskCompleted', taskId: id, attempt: 0, result: combined.result });
  return true;
}

/** Ends a scope whose join rule says so, or opens what comes next. @returns whether the scope has ended */
function judge(draft: Draft, task: TaskState, cascade: Cascade): boolean {
  const scope = scopeOf(task);
  const verdict = scope.spec.repeat ? roundVerdict(draft, task) : joinVerdict(scope);
  return verdict === 'on' ? openItems(draft, task, cascade) : close(draft, task.spec.id, verdict);
}

/** The deadline of a scope: what is there by now counts. @returns whether the scope has ended */
export function judgeAtDeadline(draft: Draft, id: TaskId): boolean {
  const scope = scopeOf(draft.need(id));
  const enough = scope.state.succeeded >= Math.max(1, needed(scope)) || (scope.spec.repeat !== undefined && scope.state.succeeded > 0);
  if (enough) return close(draft, id, 'enough', true);
  const { succeeded, count } = scope.state;
  const { title } = draft.need(id).spec;
  return close(draft, id, failure('scope-deadline', `${succeeded} of ${count} items of ${title} had succeeded when its time was up.`));
}

/** The tasks of an item, those of scopes within it included; the inner ones first. */
function within(draft: Draft, scope: TaskId, item: number, found: TaskId[]): void {
  for (const { id: name } of bodyOf(scopeOf(draft.need(scope)).spec, item)) {
    const id = childId(scope, item, name);
    const task = draft.get(id);
    if (!task || !isOpen(task)) continue;
    for (const inner of Object.keys(task.scope?.working ?? {})) within(draft, id, Number(inner), found);
    found.push(id);
  }
}

const NOT_NEEDED = { code: 'not-needed', message: 'The scope that it belongs to has ended.', retriable: false };

/** Calls first, then attempts, then tasks: alike events beside each other take little room. */
function cancelTasks(draft: Draft, ids: readonly TaskId[]): void {
  const running = ids.filter((id) => draft.need(id).status === 'running');
  for (const id of running) settleOpenCalls(draft, id);
  for (const id of running)
    draft.emit({ type: 'AttemptFailed', taskId: id, attempt: draft.need(id).attempt, error: NOT_NEEDED, counted: false });
  for (const id of ids) draft.emit({ type: 'TaskCancelled', taskId: id });
}

function cancelItems(draft: Draft, scope: TaskId): void {
  const ids: TaskId[] = [];
  for (const item of Object.keys(draft.need(scope).scope?.working ?? {})) within(draft, scope, Number(item), ids);
  cancelTasks(draft, ids);
}

/** Whether an item has failed though it has not ended. Who has given work to others sees all that comes of it. */
function isLost(draft: Draft, scope: TaskState, id: TaskId): boolean {
  if (draft.run.options.continueOnFailure || scope.delegating) return false;
  return hasFailed(draft.need(id)) && standing(draft, id) === 'failed';
}

/**
 * What the end of a task means to the scope that it stands in: its item may have ended, and with it the scope.
 * @returns whether the item has ended
 */
export function moveScope(draft: Draft, id: TaskId, cascade: Cascade): boolean {
  const place = placeOf(id);
  const task = place && draft.get(place.scope);
  if (!place || task?.status !== 'open' || task.scope?.working[place.item] === undefined) return false;
  const original = draft.need(id).spec.alternativeTo;
  const isOver = task.scope.working[place.item] === 0;
  // Another of its tasks may have failed in the same decision, and not have been looked at yet.
  const among = isOver ? bodyOf(task.spec.scope as Scope, place.item).map((spec) => childId(place.scope, place.item, spec.id)) : [id];
  const lost = among.some((each) => isLost(draft, task, each)) || (original !== undefined && isLost(draft, task, original));
  if (lost) {
    const ids: TaskId[] = [];
    within(draft, place.scope, place.item, ids);
    cancelTasks(draft, ids);
  } else if (!isOver) return false;
  const brought = !lost && standing(draft, resultId(task, place.item)) === 'succeeded';
  const ok = brought && whyRefused(draft, task, place.item) === undefined;
  const moved = draft.emit({ type: 'ItemEnded', taskId: place.scope, item: place.item, ok });
  if (moved.delegating ? endDelegation(draft, moved) : judge(draft, moved, cascade)) cascade.ended(place.scope);
  return true;
}
