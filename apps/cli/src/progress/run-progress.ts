/** What a viewer of a run needs to know, folded from its events. */
import { addUsage, ANSWER_TASK, NO_USAGE, PLAN_TASK, type FeedEvent, type Usage } from '@cadre/contracts';
import { advanceTask, type OpenCalls, type TaskEvent, type TaskProgress } from './task-progress.js';

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
