/** Access to the tasks of a run, whether they are the state's own or a decision's draft of them. */
import type { TaskId } from '@cadre/contracts';
import type { TaskState } from './state.js';

export interface TaskReader {
  get(id: TaskId): TaskState | undefined;
  /** In plan order. */
  ids(): Iterable<TaskId>;
}

export interface TaskTable extends TaskReader {
  set(id: TaskId, task: TaskState): void;
}

/** A task named `constructor` is legal, so only own keys count. */
export function taskOf(tasks: Record<string, TaskState>, id: TaskId): TaskState | undefined {
  return Object.hasOwn(tasks, id) ? tasks[id] : undefined;
}

/** A table that writes through to the record. */
export function recordTable(tasks: Record<string, TaskState>): TaskTable {
  return {
    get: (id) => taskOf(tasks, id),
    ids: () => Object.keys(tasks),
    set: (id, task) => {
      tasks[id] = task;
    },
  };
}
