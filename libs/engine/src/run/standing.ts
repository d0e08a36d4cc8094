/**
 * How tasks count for each other. A task that failed (or cannot start, because what it needs failed) may have alternatives: while one
 * of them is open the matter is open, and one that completes stands in for it.
 */
import { placeOf } from '@cadre/contracts';
import type { TaskId, TaskSpec } from '@cadre/contracts';
import { isOpen } from '../state.js';
import type { TaskState } from '../state.js';
import type { TaskReader } from '../task-table.js';

export type Standing = 'open' | 'succeeded' | 'failed';

/** Failed itself, or cannot start because of failures: what alternatives are for. */
export function hasFailed(task: TaskState): boolean {
  return task.status === 'failed' || (task.status === 'skipped' && task.skipped?.cause === 'dependency');
}

/** The completed task whose result counts for this one: itself, or the alternative that stands in for it. */
export function standIn(tasks: TaskReader, task: TaskState): TaskState | undefined {
  if (task.status === 'completed') return task;
  if (!hasFailed(task)) return undefined;
  for (const id of task.alternatives ?? []) {
    const alternative = tasks.get(id);
    const found = alternative && standIn(tasks, alternative);
    if (found) return found;
  }
  return undefined;
}

function isMatterOpen(tasks: TaskReader, task: TaskState): boolean {
  if (isOpen(task)) return true;
  if (!hasFailed(task)) return false;
  return (task.alternatives ?? []).some((id) => {
    const alternative = tasks.get(id);
    return alternative !== undefined && isMatterOpen(tasks, alternative);
  });
}

/** A task skipped by its own condition, or because what it stands in for succeeded, was not needed and counts as succeeded. */
export function standing(tasks: TaskReader, id: TaskId): Standing {
  const task = tasks.get(id);
  if (!task) return 'failed';
  if (task.status === 'completed') return 'succeeded';
  if (task.status === 'skipped' && task.skipped?.cause !== 'dependency') return 'succeeded';
  if (standIn(tasks, task)) return 'succeeded';
  return isMatterOpen(tasks, task) ? 'open' : 'failed';
}

export type Verdict = { verdict: 'wait' } | { verdict: 'go' } | { verdict: 'never'; reason: string };

const WAIT: Verdict = { verdict: 'wait' };
const GO: Verdict = { verdict: 'go' };

/** What was skipped for one and the same failure says so in the same words, down to the last task of a long chain. */
function never(tasks: TaskReader, failed: TaskId[], need: string): Verdict {
  const first = failed[0] === undefined ? undefined : tasks.get(failed[0])?.skipped;
  if (failed.length === 1 && first?.cause === 'dependency') return { verdict: 'never', reason: first.reason };
  const names = failed.slice(0, 5).join(', ') + (failed.length > 5 ? ` and ${failed.length - 5} more` : '');
  return { verdict: 'never', reason: `It needs ${need}, but ${names} did not succeed.` };
}

function needOf(spec: TaskSpec, dependencies: number): number {
  if (spec.require === 'all' || spec.require === 'settled') return dependencies;
  return spec.require === 'any' ? Math.min(1, dependencies) : spec.require;
}

/** Whether the dependencies of a task allow it to start. */
export function dependencyVerdict(tasks: TaskReader, spec: TaskSpec): Verdict {
  if (spec.require === 'settled') return spec.dependsOn.some((id) => standing(tasks, id) === 'open') ? WAIT : GO;
  const dependencies = new Set(spec.dependsOn);
  const need = needOf(spec, dependencies.size);
  const failed: TaskId[] = [];
  let succeeded = 0;
  for (const id of dependencies) {
    const state = standing(tasks, id);
    if (state === 'succeeded') succeeded += 1;
    else if (state === 'failed') failed.push(id);
    if (succeeded >= need && spec.require !== 'all') return GO;
    if (dependencies.size - failed.length < need) {
      return never(tasks, failed, spec.require === 'all' ? 'all its dependencies' : `at least ${need} of its dependencies`);
    }
  }
  return succeeded >= need ? GO : WAIT;
}

/**
 * All that a task may look at: its dependencies, direct and indirect, with what they stand in for and what stands in for them; the nearest
 * first.
 * @param enough of a long chain no more than about so many, but always the direct ones
 */
export function upstream(tasks: TaskReader, spec: TaskSpec, enough = Infinity): Set<TaskId> {
  const seen = new Set<TaskId>();
  const open = [...spec.dependsOn, ...(spec.alternativeTo === undefined ? [] : [spec.alternativeTo])];
  // What a scope waited for, its tasks have waited for.
  for (let place = placeOf(spec.id); place !== undefined; place = placeOf(place.scope))
    open.push(...(tasks.get(place.scope)?.spec.dependsOn ?? []));
  const most = Math.max(enough, open.length);
  for (let next = 0; next < open.length && seen.size < most; next += 1) {
    const id = open[next] as TaskId;
    const task = tasks.get(id);
    if (!task || id === spec.id || seen.has(id)) continue;
    seen.add(id);
    open.push(...task.spec.dependsOn, ...(task.alternatives ?? []));
    if (task.spec.alternativeTo !== undefined) open.push(task.spec.alternativeTo);
  }
  return seen;
}
