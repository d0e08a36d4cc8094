/** Whether a command speaks about the attempt that is running, for the worker that holds it. */
import type { CallSettlement, TaskId, WorkerId } from '@cadre/contracts';
import { rejected } from '../decision.js';
import type { Decision } from '../decision.js';
import type { Draft } from '../run/draft.js';
import { settleCalls } from '../run/settle-calls.js';
import type { RunState, TaskState } from '../state.js';
import { taskOf } from '../task-table.js';

export interface AttemptNamed {
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

/**
 * Whether the attempt is already closed without a result, so that a command that closes it has nothing left to do. Of the attempt closed
 * last it is known who held it; for earlier ones anybody is believed, for the answer gives nothing away and changes nothing.
 */
export function isClosed({ attempt, status, lastClosed }: TaskState, command: AttemptNamed): boolean {
  if (lastClosed === undefined || command.attempt > lastClosed.attempt) return false;
  if (command.attempt < lastClosed.attempt) return true;
  if (attempt === command.attempt && status === 'completed') return false;
  return command.workerId === undefined || lastClosed.workerId === command.workerId;
}

/** Settles the calls that a command of the running attempt brings. @returns why the command cannot be taken, if so */
export function settleSaid(draft: Draft, command: { taskId: TaskId; settle: CallSettlement[] }): Decision | undefined {
  const stray = settleCalls(draft, command.taskId, command.settle);
  if (stray === undefined) return undefined;
  return rejected('invalid-command', `Call ${stray} of task ${command.taskId} was never reserved, so it cannot be settled.`);
}
