/** What a viewer of a run needs to know of one task, and how an event changes it. */
import {
  addUsage,
  NO_USAGE,
  usageOfCall,
  type CallReservation,
  type FeedEvent,
  type Question,
  type ReducedThinking,
  type Usage,
} from '@cadre/contracts';
import type { ServerWait } from '../output/server-wait.js';

export type TaskEvent = Extract<FeedEvent['data'], { taskId: string }>;
type EventOf<T extends TaskEvent['type']> = Extract<TaskEvent, { type: T }>;

export type TaskPhase = 'waiting' | 'ready' | 'running' | 'asking' | 'open' | 'completed' | 'failed' | 'skipped' | 'cancelled';

export interface TaskProgress {
  id: string;
  title: string;
  kind: 'plan' | 'work' | 'answer';
  phase: TaskPhase;
  agent?: string;
  attempt: number;
  usage: Usage;
  /** Milliseconds since 1970, of the current attempt. */
  startedAt?: number;
  endedAt?: number;
  /** What it does at the moment, what it asks, or why it ended as it did. */
  note?: string;
  /** Its model server is in trouble: it waits, or has begun to ask again and has not been answered yet. */
  waits?: ServerWait;
  /** Open ones, oldest first. */
  questions: Question[];
  /** The cheaper model that its budget, or a server without room, brought it to. */
  degradedTo?: string;
  /** How much less its agent has thought. */
  reducedTo?: ReducedThinking;
  /** Who was to do it, where another agent does; and for how long there was no free slot, if that is why. */
  insteadOf?: string;
  queuedMs?: number;
  /** Its result is an earlier one's. */
  cached?: true;
  /** Of a scope: how many items, or rounds at most, and how many have ended. */
  items?: { count: number; ended: number };
}

export const hasEnded = ({ phase }: TaskProgress): boolean =>
  phase === 'completed' || phase === 'failed' || phase === 'skipped' || phase === 'cancelled';

/** Calls whose outcome is not known yet, by key. */
export type OpenCalls = Map<string, CallReservation>;

/** Changes the task in place. @param at milliseconds since 1970 @returns what calls that ended with the event used */
export function advanceTask(task: TaskProgress, data: TaskEvent, at: number, openCalls: OpenCalls): Usage | undefined {
  if (data.type === 'CallsSettled') return settle(task, data, openCalls);
  change(task, data, at, openCalls);
  return undefined;
}

function change(task: TaskProgress, data: Exclude<TaskEvent, { type: 'CallsSettled' }>, at: number, openCalls: OpenCalls): void {
  switch (data.type) {
    case 'AttemptScheduled':
      task.phase = 'ready';
      task.attempt = data.attempt;
      if (task.waits) task.waits = { ...task.waits, until: data.notBefore };
      return;
    case 'AttemptStarted':
      Object.assign(task, { phase: 'running', attempt: data.attempt, agent: data.agent, startedAt: at });
      delete task.note;
      standIn(task, data.insteadOf === undefined ? {} : data);
      return;
    case 'CallsReserved':
      return reserve(task, data, openCalls);
    case 'CallRefused':
      if (data.then === 'degrade' && data.model !== undefined) task.degradedTo = data.model;
      return;
    case 'QuestionAsked':
      task.questions.push(data.question);
      Object.assign(task, { phase: 'asking', note: data.question.text });
      return;
    case 'QuestionAnswered':
      task.questions = task.questions.filter(({ questionId }) => questionId !== data.questionId);
      task.note = task.questions[0]?.text ?? `${data.by} has answered: ${data.choice}`;
      if (task.questions.length === 0) task.phase = 'waiting';
      return;
    case 'AttemptFailed':
      task.note = data.error.message;
      if (data.cause === 'server') task.waits = { until: at, words: data.error.message };
      else delete task.waits;
      return;
    case 'TaskResolved':
      if (data.title !== undefined) task.title = data.title;
      return;
    case 'TaskOpened':
      Object.assign(task, { phase: 'open', startedAt: at });
      if (data.count !== undefined && !data.delegated) task.items = { count: data.count, ended: 0 };
      return;
    case 'ItemEnded':
      if (task.items) task.items.ended += 1;
      return;
    default:
      endTask(task, data, at);
  }
}

function reserve(task: TaskProgress, { calls }: EventOf<'CallsReserved'>, openCalls: OpenCalls): void {
  for (const call of calls) openCalls.set(call.key, call);
  const last = calls.at(-1);
  // What a tool is called for is known when it has ended; models take long.
  if (last?.kind === 'model') task.note = `asks ${last.name}`;
}

function settle(task: TaskProgress, { calls }: EventOf<'CallsSettled'>, openCalls: OpenCalls): Usage {
  let used = NO_USAGE;
  for (const call of calls) {
    const made = openCalls.get(call.key);
    // Said by a person of a call that has been counted before.
    if (made === undefined) continue;
    openCalls.delete(call.key);
    if (call.outcome === 'done') delete task.waits;
    used = addUsage(used, usageOfCall(made.kind, call));
    task.note = call.note === '' ? made.name : `${made.name}: ${call.note}`;
  }
  task.usage = addUsage(task.usage, used);
  return used;
}

function endTask(task: TaskProgress, data: EventOf<'TaskCompleted' | 'TaskFailed' | 'TaskSkipped' | 'TaskCancelled'>, at: number): void {
  task.questions = [];
  task.endedAt = at;
  delete task.note;
  delete task.waits;
  switch (data.type) {
    case 'TaskCompleted':
      return complete(task, data.result);
    case 'TaskFailed':
      Object.assign(task, { phase: 'failed', note: data.error.message });
      return;
    case 'TaskSkipped':
      Object.assign(task, { phase: 'skipped', note: data.reason });
      return;
    case 'TaskCancelled':
      task.phase = 'cancelled';
  }
}

function standIn(task: TaskProgress, { insteadOf, queuedMs }: Pick<EventOf<'TaskCompleted'>['result'], 'insteadOf' | 'queuedMs'>): void {
  delete task.insteadOf;
  delete task.queuedMs;
  if (insteadOf !== undefined) task.insteadOf = insteadOf;
  if (queuedMs !== undefined) task.queuedMs = queuedMs;
}

function complete(task: TaskProgress, result: EventOf<'TaskCompleted'>['result']): void {
  const { cachedFrom, degradedTo, reducedTo } = result;
  task.phase = 'completed';
  standIn(task, result);
  if (cachedFrom) task.cached = true;
  if (degradedTo !== undefined) task.degradedTo = degradedTo;
  if (reducedTo) task.reducedTo = reducedTo;
}
