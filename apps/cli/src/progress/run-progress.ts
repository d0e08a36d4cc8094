/** What a viewer of a run needs to know, folded from its events. */
import {
  addUsage,
  ANSWER_TASK,
  NO_USAGE,
  PLAN_TASK,
  type FeedEvent,
  type Question,
  type ReducedThinking,
  type Usage,
} from '@cadre/contracts';
import type { ServerWait } from '../output/server-wait.js';
import { advanceTask, type OpenCalls, type TaskEvent } from './task-progress.js';

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

export interface RunProgress {
  runId?: string;
  tasks: Map<string, TaskProgress>;
  /** Set by the terminal event. */
  outcome?: 'completed' | 'partial' | 'failed' | 'cancelled';
  /** Why it failed or was cancelled. */
  reason?: string;
  /** Why it is being cancelled. */
  cancelling?: string;
  /** Times of the first and the latest event, in milliseconds since 1970. */
  startedAt?: number;
  lastAt?: number;
  usage: Usage;
  /** The run's cap, in millionths of a US dollar, as people have raised it so far. */
  capMicros?: number;
  openCalls: OpenCalls;
  /** The first model that was asked without a known price. */
  unpricedModel?: string | undefined;
}

export const emptyProgress = (): RunProgress => ({ tasks: new Map(), usage: NO_USAGE, openCalls: new Map() });

export const hasEnded = ({ phase }: TaskProgress): boolean =>
  phase === 'completed' || phase === 'failed' || phase === 'skipped' || phase === 'cancelled';

/**
 * Takes an event in.
 * @returns the tasks that it changed
 */
export function advance(progress: RunProgress, event: FeedEvent): TaskProgress[] {
  const { data } = event;
  const at = Date.parse(event.time);
  progress.runId = event.subject;
  progress.startedAt ??= at;
  progress.lastAt = at;
  switch (data.type) {
    case 'RunStarted': {
      const { runMicros } = data.options.budget;
      if (runMicros !== undefined) progress.capMicros = runMicros;
      return [];
    }
    case 'TasksAdded':
      return data.tasks.map(({ id, title }) => {
        const kind = data.source !== 'engine' ? 'work' : id === PLAN_TASK ? 'plan' : id === ANSWER_TASK ? 'answer' : 'work';
        const task: TaskProgress = { id, title, kind, phase: 'waiting', attempt: 0, usage: NO_USAGE, questions: [] };
        progress.tasks.set(id, task);
        return task;
      });
    case 'RunCompleted':
      progress.outcome = data.partial ? 'partial' : 'completed';
      if (data.missing) progress.reason = `not done: ${data.missing.join('; ')}`;
      progress.usage = data.usage;
      return [];
    case 'RunFailed':
      return end(progress, 'failed', data.error.message, data.usage);
    case 'RunCancelled':
      return end(progress, 'cancelled', data.reason, data.usage);
    case 'CancelRequested':
      progress.cancelling = data.reason;
      return windUp(progress);
    default:
      return advanceOne(progress, data, at);
  }
}

function advanceOne(progress: RunProgress, data: TaskEvent, at: number): TaskProgress[] {
  const task = progress.tasks.get(data.taskId);
  if (task === undefined) return [];
  if (data.type === 'QuestionAnswered') raiseCap(progress, task, data);
  if (data.type === 'CallsReserved') progress.unpricedModel ??= data.calls.find(({ unpriced }) => unpriced)?.name;
  const used = advanceTask(task, data, at, progress.openCalls);
  if (used !== undefined) progress.usage = addUsage(progress.usage, used);
  return [task];
}

function raiseCap(progress: RunProgress, task: TaskProgress, data: Extract<TaskEvent, { type: 'QuestionAnswered' }>): void {
  const question = task.questions.find(({ questionId }) => questionId === data.questionId);
  if (question?.limit === 'run' && progress.capMicros !== undefined) progress.capMicros += data.raiseMicros ?? 0;
}

/** Attempts that run may finish what they are about. */
function windUp({ tasks }: RunProgress): TaskProgress[] {
  const running = [...tasks.values()].filter(({ phase }) => phase === 'running');
  for (const task of running) task.note = 'the run is being cancelled: winding up';
  return running;
}

function end(progress: RunProgress, outcome: 'failed' | 'cancelled', reason: string, usage: Usage): TaskProgress[] {
  progress.outcome = outcome;
  progress.reason = reason;
  progress.usage = usage;
  return [];
}
