/** What a viewer of a run needs to know, folded from its events. */
import { addUsage, ANSWER_TASK, NO_USAGE, PLAN_TASK, type FeedEvent, type Usage } from '@cadre/contracts';

export type TaskPhase = 'waiting' | 'ready' | 'running' | 'completed' | 'failed' | 'skipped' | 'cancelled';

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
  /** What it does at the moment, or why it ended as it did. */
  note?: string;
}

export interface RunProgress {
  tasks: Map<string, TaskProgress>;
  /** Set by the terminal event. */
  outcome?: 'completed' | 'partial' | 'failed' | 'cancelled';
  /** Why it failed or was cancelled. */
  reason?: string;
  /** Times of the first and the latest event, in milliseconds since 1970. */
  startedAt?: number;
  lastAt?: number;
  usage: Usage;
}

export const emptyProgress = (): RunProgress => ({ tasks: new Map(), usage: NO_USAGE });

export const hasEnded = ({ phase }: TaskProgress): boolean =>
  phase === 'completed' || phase === 'failed' || phase === 'skipped' || phase === 'cancelled';

/**
 * Takes an event in.
 * @returns the tasks that it changed
 */
export function advance(progress: RunProgress, event: FeedEvent): TaskProgress[] {
  const { data } = event;
  const at = Date.parse(event.time);
  progress.startedAt ??= at;
  progress.lastAt = at;
  switch (data.type) {
    case 'TasksAdded':
      return data.tasks.map(({ id, title }) => {
        const kind = data.source !== 'engine' ? 'work' : id === PLAN_TASK ? 'plan' : id === ANSWER_TASK ? 'answer' : 'work';
        const task: TaskProgress = { id, title, kind, phase: 'waiting', attempt: 0, usage: NO_USAGE };
        progress.tasks.set(id, task);
        return task;
      });
    case 'RunCompleted':
      progress.outcome = data.partial ? 'partial' : 'completed';
      progress.usage = data.usage;
      return [];
    case 'RunFailed':
      return end(progress, 'failed', data.error.message, data.usage);
    case 'RunCancelled':
      return end(progress, 'cancelled', data.reason, data.usage);
    case 'RunStarted':
    case 'CancelRequested':
      return [];
    default: {
      const task = progress.tasks.get(data.taskId);
      if (task === undefined) return [];
      advanceTask(task, data, at);
      progress.usage = [...progress.tasks.values()].reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE);
      return [task];
    }
  }
}

function end(progress: RunProgress, outcome: 'failed' | 'cancelled', reason: string, usage: Usage): TaskProgress[] {
  progress.outcome = outcome;
  progress.reason = reason;
  progress.usage = usage;
  return [];
}

type TaskEvent = Extract<FeedEvent['data'], { taskId: string }>;

function advanceTask(task: TaskProgress, data: TaskEvent, at: number): void {
  switch (data.type) {
    case 'AttemptScheduled':
      task.phase = 'ready';
      task.attempt = data.attempt;
      break;
    case 'AttemptStarted':
      Object.assign(task, { phase: 'running', attempt: data.attempt, agent: data.agent, startedAt: at });
      delete task.note;
      break;
    case 'CallsRecorded':
      for (const call of data.calls) task.usage = addUsage(task.usage, usageOf(call));
      task.note = data.calls.map(({ name, note }) => (note === '' ? name : `${name}: ${note}`)).at(-1) ?? '';
      break;
    case 'AttemptFailed':
      task.note = data.error.message;
      break;
    case 'TaskCompleted':
      Object.assign(task, { phase: 'completed', endedAt: at });
      delete task.note;
      break;
    case 'TaskFailed':
      Object.assign(task, { phase: 'failed', endedAt: at, note: data.error.message });
      break;
    case 'TaskSkipped':
      Object.assign(task, { phase: 'skipped', endedAt: at, note: data.reason });
      break;
    case 'TaskCancelled':
      Object.assign(task, { phase: 'cancelled', endedAt: at });
  }
}

function usageOf(call: { kind: 'model' | 'tool'; inputTokens: number; outputTokens: number; costMicros: number }): Usage {
  const { kind, inputTokens, outputTokens, costMicros } = call;
  return { modelCalls: kind === 'model' ? 1 : 0, toolCalls: kind === 'tool' ? 1 : 0, inputTokens, outputTokens, costMicros };
}
