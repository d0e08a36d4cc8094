/** How one task changes by one event. Returns a new object; the old one stays as it was. */
import { addUsage, NO_USAGE } from '@cadre/contracts';
import type { RunEvent, TaskResult, Usage } from '@cadre/contracts';
import type { TaskState } from './state.js';
import { subtractUsage, usageOfCalls } from './usage.js';

type TaskEvent = Extract<RunEvent, { taskId: string }>;

/** The attempt's total replaces what it had recorded on the way. */
function closeUsage(task: TaskState, total: Usage): Usage {
  return addUsage(subtractUsage(task.usage, task.recorded?.usage ?? NO_USAGE), total);
}

/** The planning result's plan lives on as the run's tasks; keeping it twice would double the snapshot. */
function withoutPlan(result: TaskResult): TaskResult {
  const { plan: _plan, ...rest } = result;
  return rest;
}

function scheduled(task: TaskState, event: Extract<TaskEvent, { type: 'AttemptScheduled' }>, at: number): TaskState {
  const { wantedAgent: _wanted, workerId: _worker, startedAt: _started, deadlineAt: _deadline, recorded: _recorded, ...kept } = task;
  return {
    ...kept,
    status: 'ready',
    attempt: event.attempt,
    notBefore: event.notBefore,
    scheduledAt: at,
    ...(event.agent === undefined ? {} : { wantedAgent: event.agent }),
  };
}

function failedAttempt(task: TaskState, event: Extract<TaskEvent, { type: 'AttemptFailed' }>): TaskState {
  const { deadlineAt: _deadline, recorded: _recorded, ...kept } = task;
  return {
    ...kept,
    status: 'waiting',
    counted: task.counted + (event.counted ? 1 : 0),
    error: event.error,
    usage: closeUsage(task, event.usage),
    lastClosed: {
      attempt: event.attempt,
      code: event.error.code,
      ...(task.workerId === undefined ? {} : { workerId: task.workerId }),
    },
  };
}

function completed(task: TaskState, event: Extract<TaskEvent, { type: 'TaskCompleted' }>, at: number): TaskState {
  const { deadlineAt: _deadline, recorded: _recorded, error: _error, ...kept } = task;
  return { ...kept, status: 'completed', result: withoutPlan(event.result), usage: closeUsage(task, event.result.usage), endedAt: at };
}

function withCalls(task: TaskState, event: Extract<TaskEvent, { type: 'CallsRecorded' }>): TaskState {
  const used = usageOfCalls(event.calls);
  const before = task.recorded ?? { upTo: 0, beyond: [], usage: NO_USAGE };
  const open = new Set(before.beyond);
  for (const call of event.calls) open.add(call.n);
  let upTo = before.upTo;
  while (open.delete(upTo + 1)) upTo += 1;
  const beyond = [...open].sort((a, b) => a - b);
  return { ...task, usage: addUsage(task.usage, used), recorded: { upTo, beyond, usage: addUsage(before.usage, used) } };
}

/** @param at time of the commit, in milliseconds since 1970 */
export function evolveTask(task: TaskState, event: TaskEvent, at: number): TaskState {
  switch (event.type) {
    case 'AttemptScheduled':
      return scheduled(task, event, at);
    case 'AttemptStarted':
      return {
        ...task,
        status: 'running',
        agent: event.agent,
        workerId: event.workerId,
        startedAt: at,
        deadlineAt: event.deadlineAt,
      };
    case 'CallsRecorded':
      return withCalls(task, event);
    case 'AttemptFailed':
      return failedAttempt(task, event);
    case 'TaskCompleted':
      return completed(task, event, at);
    case 'TaskFailed':
      return { ...task, status: 'failed', error: event.error, endedAt: at };
    case 'TaskSkipped':
      return { ...task, status: 'skipped', skipped: { cause: event.cause, reason: event.reason }, endedAt: at };
    case 'TaskCancelled':
      return { ...task, status: 'cancelled', endedAt: at };
  }
}
