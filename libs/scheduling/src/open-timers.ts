/** Scopes and waits whose time ends, folded from the log. */
import type { Commit, RunEvent, RunId, TaskId } from '@cadre/contracts';
import type { RunState } from '@cadre/engine';

export class OpenTimers {
  readonly #runs = new Map<RunId, Map<TaskId, number>>();
  /** None is due earlier. */
  #nextDue = Infinity;

  /** Takes what a snapshot holds of a run. */
  take({ runId, tasks }: RunState): void {
    for (const { spec, status, wakeAt } of Object.values(tasks))
      if (status === 'open' && wakeAt !== undefined) this.#add(runId, spec.id, wakeAt);
  }

  apply({ runId }: Commit, event: RunEvent): void {
    switch (event.type) {
      case 'TaskOpened':
        if (event.wakeAt !== undefined) this.#add(runId, event.taskId, event.wakeAt);
        return;
      // A scope whose items have ended, and which an agent combines.
      case 'AttemptScheduled':
      case 'TaskCompleted':
      case 'TaskFailed':
      case 'TaskCancelled': {
        const timers = this.#runs.get(runId);
        if (timers?.delete(event.taskId) && timers.size === 0) this.#runs.delete(runId);
      }
    }
  }

  /** A run that is over, or is read anew. */
  drop(runId: RunId): void {
    this.#runs.delete(runId);
  }

  /** @param now milliseconds since 1970 */
  due(now: number): { runId: RunId; taskId: TaskId }[] {
    if (now < this.#nextDue) return [];
    this.#nextDue = Infinity;
    const due: { runId: RunId; taskId: TaskId }[] = [];
    for (const [runId, timers] of this.#runs) {
      for (const [taskId, at] of timers) {
        this.#nextDue = Math.min(this.#nextDue, at);
        if (at <= now) due.push({ runId, taskId });
      }
    }
    return due;
  }

  #add(runId: RunId, taskId: TaskId, at: number): void {
    const timers = this.#runs.get(runId) ?? new Map<TaskId, number>();
    timers.set(taskId, at);
    this.#runs.set(runId, timers);
    this.#nextDue = Math.min(this.#nextDue, at);
  }
}
