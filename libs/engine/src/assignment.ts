import type { Assignment, TaskId, TaskOutcome } from '@cadre/contracts';
import type { RunState } from './state.js';

/** What a worker needs for the running attempt of a task. Throws when the task is not running. */
export function buildAssignment(_state: RunState, _taskId: TaskId): Assignment {
  throw new Error('to come');
}
/** How the run's work tasks ended, those that have, in plan order. */
export function outcomes(_state: RunState): TaskOutcome[] {
  throw new Error('to come');
}
