/**
 * The checker's own view of tasks and of what may start. Written apart from the engine's, on purpose: a mistake that the engine makes in
 * its cascade must not be made here again.
 */
import { ANSWER_TASK } from '@cadre/contracts';
import type { TaskSpec } from '@cadre/contracts';

/** How a task ended: `unneeded` was skipped by its condition or as an alternative, `blocked` because of what it depends on. */
export type Ending = 'completed' | 'failed' | 'unneeded' | 'blocked' | 'cancelled';

export interface AuditTask {
  spec: TaskSpec;
  ending?: Ending;
  /** Number of the last attempt opened. */
  attempt: number;
  phase: 'none' | 'opened' | 'scheduled' | 'started' | 'closed';
  notBefore: number;
  /** The agent that the open attempt asks for by name. */
  wanted?: string | undefined;
  worker?: string;
  counted: number;
  /** Of its result. */
  confidence?: number | undefined;
  lastFailure?: { counted: boolean; retriable: boolean; retryAfterMs: number; waits: boolean; answered?: true };
  /** Attempts in a row that found the model server in trouble, and when the first of them closed. */
  refused?: { attempts: number; since: number } | undefined;
  /** Open ones. */
  questions: Set<string>;
}

export type AuditTasks = ReadonlyMap<string, AuditTask>;

const FELL_THROUGH: readonly (Ending | undefined)[] = ['failed', 'blocked'];

/** Whether a task has ended in a way that calls for its alternatives. */
export function fellThrough(task: AuditTask): boolean {
  return FELL_THROUGH.includes(task.ending);
}

type Count = 'good' | 'bad' | 'undecided';

/** What the alternatives of a task that fell through make of it. Walks all of them, by generations. */
function rescue(tasks: AuditTasks, id: string): Count {
  let undecided = false;
  const reached = [id];
  for (const original of reached) {
    for (const [otherId, other] of tasks) {
      if (other.spec.alternativeTo !== original) continue;
      if (other.ending === 'completed') return 'good';
      if (other.ending === undefined) undecided = true;
      else if (fellThrough(other)) reached.push(otherId);
    }
  }
  return undecided ? 'undecided' : 'bad';
}

/** How a task counts for those that depend on it. */
export function countOf(tasks: AuditTasks, id: string): Count {
  const task = tasks.get(id);
  if (task === undefined || task.ending === 'cancelled') return 'bad';
  if (task.ending === undefined) return 'undecided';
  return fellThrough(task) ? rescue(tasks, id) : 'good';
}

/** The answer of a large plan names no dependencies: it waits for every other task. */
function answerAllows(tasks: AuditTasks): 'yes' | 'not-yet' {
  for (const [id, { ending }] of tasks) if (ending === undefined && id !== ANSWER_TASK) return 'not-yet';
  return 'yes';
}

/** Whether a task's dependencies let it start: surely, not yet, or not any more. Looks no further than needed: there may be thousands. */
export function allows(tasks: AuditTasks, spec: TaskSpec): 'yes' | 'not-yet' | 'no-more' {
  if (spec.id === ANSWER_TASK && spec.dependsOn.length === 0) return answerAllows(tasks);
  const names = new Set(spec.dependsOn);
  const settled = spec.require === 'settled';
  const wanted = spec.require === 'any' ? Math.min(names.size, 1) : typeof spec.require === 'number' ? spec.require : names.size;
  let [good, possible] = [0, names.size];
  for (const id of names) {
    const count = countOf(tasks, id);
    if (settled && count === 'undecided') return 'not-yet';
    if (count === 'good') good += 1;
    if (count === 'bad') possible -= 1;
  }
  if (settled || good >= wanted) return 'yes';
  return possible >= wanted ? 'not-yet' : 'no-more';
}

/** Whether an alternative's turn has come; always so for tasks that are none. */
export function alternativeIsCalled(tasks: AuditTasks, spec: TaskSpec): 'yes' | 'not-yet' | 'no-more' {
  if (spec.alternativeTo === undefined) return 'yes';
  const original = tasks.get(spec.alternativeTo);
  if (original === undefined) return 'no-more';
  if (original.ending === undefined) return 'not-yet';
  return fellThrough(original) ? 'yes' : 'no-more';
}
