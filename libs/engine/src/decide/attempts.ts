/** Whether a command speaks about the attempt that is running, for the worker that holds it. */
import type { TaskId, WorkerId } from '@cadre/contracts';
import { rejected } from '../decision.js';
import type { Decision } from '../decision.js';
import type { RunState, TaskState } from '../state.js';
import { taskOf } from '../task-table.js';

interface AttemptNamed {
  taskId: TaskId;
  attempt: number;
  workerId?: WorkerId;
}

export type AttemptFound = { found: true; task: TaskState } | { found: false; refusal: Decision };

function refuse(code: Parameters<typeof rejected>[0], message: string): AttemptFound {
  return { found: false, refusal: rejected(code, message) };
}

/** The task that a command names. */
export function findTask(state: RunState, command: AttemptNamed): AttemptFound {
  const task = taskOf(state.tasks, command.taskId);
  return task ? { found: true, task } : refuse('unknown-task', `The run has no task ${command.taskId}.`);
}

/** The task, if the named attempt is running and, where a worker is named, held by that worker. */
export function findRunning(state: RunState, command: AttemptNamed): AttemptFound {
  const found = findTask(state, command);
  if (!found.found) return found;
  const { task } = found;
  if (task.attempt !== command.attempt || (task.status !== 'running' && task.status !== 'ready')) {
    return refuse('attempt-closed', `Attempt ${command.attempt} of task ${command.taskId} is not open any more.`);
  }
  if (task.status === 'ready') {
    return refuse('attempt-closed', `Attempt ${command.attempt} of task ${command.taskId} has not been started; send StartAttempt first.`);
  }
  if (command.workerId !== undefined && task.workerId !== command.workerId) {
    return refuse('attempt-taken', `Attempt ${command.attempt} of task ${command.taskId} is held by another worker.`);
  }
  return found;
}

/** Whether the attempt was closed without a result, last of all, for this worker, with such a code. */
export function wasClosed(task: TaskState, command: AttemptNamed, isCode: (code: string) => boolean): boolean {
  const last = task.lastClosed;
  return last !== undefined && last.attempt === command.attempt && last.workerId === command.workerId && isCode(last.code);
}
