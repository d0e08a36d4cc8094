/** A decision in the making: events gathered so far, and the state as they leave it. The state that it starts from is only read. */
import { CadreError } from '@cadre/contracts';
import type { RunEvent, TaskId } from '@cadre/contracts';
import { applyEvent } from '../evolve.js';
import type { DecideContext } from '../decision.js';
import type { RunState, TaskState } from '../state.js';
import { taskOf } from '../task-table.js';
import type { TaskTable } from '../task-table.js';

export class Draft implements TaskTable {
  readonly events: RunEvent[] = [];
  /** The run's own fields; read tasks through `get`. */
  readonly run: RunState;
  readonly now: number;
  readonly random: number;
  readonly #changed = new Map<TaskId, TaskState>();

  constructor(state: RunState, context: DecideContext) {
    this.run = { ...state };
    this.now = context.now;
    this.random = context.random;
  }

  get(id: TaskId): TaskState | undefined {
    return this.#changed.get(id) ?? taskOf(this.run.tasks, id);
  }

  /** The task, which must be there. */
  need(id: TaskId): TaskState {
    const task = this.get(id);
    if (!task) throw new CadreError('engine-bug', `Run ${this.run.runId} has no task ${id}.`);
    return task;
  }

  set(id: TaskId, task: TaskState): void {
    this.#changed.set(id, task);
  }

  *ids(): Iterable<TaskId> {
    yield* Object.keys(this.run.tasks);
    for (const id of this.#changed.keys()) {
      if (!Object.hasOwn(this.run.tasks, id)) yield id;
    }
  }

  emit(event: RunEvent): void {
    this.events.push(event);
    applyEvent(this.run, this, event, this.now);
  }
}
