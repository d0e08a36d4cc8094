/**
 * A worker that brings a result may go on at once with tasks that the result makes ready: their attempts are bound to it in the same
 * commit, and the answer is their assignments. It gets what the scheduler would have given it: the same agent, for tasks that ask for the
 * same.
 */
import { meetsLabels, PRIORITIES } from '@cadre/contracts';
import type { Assignment, CompleteAttempt, Json } from '@cadre/contracts';
import { assignmentOf } from '../assignment.js';
import { unitsOfAssignment } from '../fit-replies.js';
import type { Draft } from '../run/draft.js';
import type { RunState, TaskState } from '../state.js';
import { recordTable, taskOf } from '../task-table.js';
import { startAttempt } from './start-attempt.js';

/** Of all assignments of an answer but the first, which fits in any case. */
const MAX_UNITS = 64 * 1024;

function asReply(next: Assignment[]): Json | undefined {
  return next.length === 0 ? undefined : ({ next } as unknown as Json);
}

function asksForTheSame(next: TaskState, done: TaskState, agent: string): boolean {
  // Which labels its worker has is not known here, but that it has those that were asked for.
  if (!meetsLabels(done.spec.labels, next.spec.labels)) return false;
  if (next.wantedAgent !== undefined) return next.wantedAgent === agent;
  const skills = new Set(done.spec.skills);
  return done.wantedAgent === undefined && next.spec.skills.length === skills.size && next.spec.skills.every((skill) => skills.has(skill));
}

/** What this decision has made ready and the agent could do, the most urgent first, then in plan order. */
function fitting(draft: Draft, done: TaskState, agent: string): TaskState[] {
  const tasks: TaskState[] = [];
  for (const event of draft.events) {
    if (event.type !== 'AttemptScheduled' || event.notBefore > draft.now) continue;
    const task = draft.need(event.taskId);
    // What the system knows of a bidder comes with an offer.
    if (task.status === 'ready' && !task.spec.bid && asksForTheSame(task, done, agent)) tasks.push(task);
  }
  if (tasks.length < 2) return tasks;
  return tasks.sort((a, b) => PRIORITIES.indexOf(a.spec.priority) - PRIORITIES.indexOf(b.spec.priority) || a.order - b.order);
}

/** Starts tasks that this decision has made ready, as many as the worker would take. @returns the answer to the command */
export function takeNext(draft: Draft, done: TaskState, { next: grant, workerId, taskId }: CompleteAttempt): Json | undefined {
  if (grant === undefined || draft.run.deadlineAt <= draft.now || draft.need(taskId).status !== 'completed') return undefined;
  // Who stands in for another agent is given only what that one has no slot for.
  if (done.insteadOf !== undefined && done.queuedMs !== undefined) return undefined;
  const { slots, ...given } = grant;
  const next: Assignment[] = [];
  let units = 0;
  for (const task of fitting(draft, done, grant.agent)) {
    if (next.length >= slots || units > MAX_UNITS) break;
    const assignment = startAttempt(draft, task, workerId, given, taskId);
    next.push(assignment);
    units += unitsOfAssignment(assignment);
  }
  return asReply(next);
}

/** What the worker was answered when it brought the result, but for what it has ended since. */
export function repeatedNext(state: RunState, { next: grant, workerId, taskId }: CompleteAttempt): Json | undefined {
  if (grant === undefined) return undefined;
  const tasks = recordTable(state.tasks);
  const next: Assignment[] = [];
  for (const id of tasks.ids()) {
    const task = taskOf(state.tasks, id);
    if (task?.status !== 'running' || task.after !== taskId) continue;
    if (task.workerId === workerId && task.life === grant.life) next.push(assignmentOf(state, tasks, task));
  }
  return asReply(next);
}
