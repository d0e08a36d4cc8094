/** Follows the attempts and endings of a run's tasks and reports what breaks invariants 4, 5 and 7. */
import type { RunEvent, TaskSpec } from '@cadre/contracts';
import { allows, alternativeIsCalled } from './audit-tasks.js';
import type { AuditTask, Ending } from './audit-tasks.js';
import type { Violation } from './violation.js';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;
type TaskEvent = Extract<RunEvent, { taskId: string }>;
export type Complain = (invariant: Violation['invariant'], clause: string, message: string, taskId?: string) => void;

export class TaskAudit {
  readonly tasks = new Map<string, AuditTask>();
  /** Attempts scheduled or started and not closed. */
  openAttempts = 0;
  readonly #complain: Complain;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  add(specs: readonly TaskSpec[]): void {
    for (const spec of specs) {
      if (this.tasks.has(spec.id)) this.#complain(4, 'task-added-twice', `task ${spec.id} was added twice`, spec.id);
      else this.tasks.set(spec.id, { spec, attempt: 0, phase: 'none', notBefore: 0, counted: 0 });
    }
  }

  /** @param cancelled whether the run was asked to cancel before this event */
  apply(event: TaskEvent, at: number, cancelled: boolean): void {
    const task = this.tasks.get(event.taskId);
    if (!task)
      return this.#complain(4, 'unknown-task', `${event.type} for task ${event.taskId}, which the run does not have`, event.taskId);
    switch (event.type) {
      case 'AttemptScheduled':
        return this.#scheduled(task, event, at, cancelled);
      case 'AttemptStarted':
        return this.#started(task, event, at, cancelled);
      case 'CallsRecorded':
        return this.#needStarted(task, event, 'call-outside-attempt');
      case 'AttemptFailed':
        return this.#attemptFailed(task, event, at);
      case 'TaskCompleted':
        this.#needStarted(task, event, 'result-outside-attempt');
        return this.#end(task, 'completed', event);
      case 'TaskFailed':
        return this.#end(task, 'failed', event);
      case 'TaskSkipped':
        this.#checkSkip(task, event);
        return this.#end(task, event.cause === 'dependency' ? 'blocked' : 'unneeded', event);
      case 'TaskCancelled':
        return this.#end(task, 'cancelled', event);
    }
  }

  #scheduled(task: AuditTask, event: EventOf<'AttemptScheduled'>, at: number, cancelled: boolean): void {
    const { taskId: id, attempt } = event;
    if (cancelled) this.#complain(7, 'scheduled-after-cancel', `attempt ${attempt} of ${id} was scheduled after the cancel`, id);
    if (task.ending) this.#complain(4, 'attempt-after-end', `attempt ${attempt} of ${id} was scheduled after the task had ended`, id);
    if (isOpen(task)) this.#complain(4, 'two-open-attempts', `attempt ${attempt} of ${id} was scheduled while ${task.attempt} is open`, id);
    else this.openAttempts += 1;
    if (attempt !== task.attempt + 1) this.#complain(5, 'attempt-number', `attempt ${attempt} of ${id} follows ${task.attempt}`, id);
    if (task.attempt === 0) this.#checkFirst(task, id);
    else this.#checkRetry(task, event, at);
    task.attempt = attempt;
    task.phase = 'scheduled';
    task.notBefore = event.notBefore;
  }

  #checkFirst(task: AuditTask, id: string): void {
    if (allows(this.tasks, task.spec) !== 'yes') {
      this.#complain(5, 'started-before-dependencies', `task ${id} was opened before its dependencies allow it`, id);
    }
    if (alternativeIsCalled(this.tasks, task.spec) !== 'yes') {
      this.#complain(5, 'alternative-not-called', `task ${id} was opened though ${task.spec.alternativeTo} has not failed`, id);
    }
  }

  #checkRetry(task: AuditTask, event: EventOf<'AttemptScheduled'>, at: number): void {
    const { retry } = task.spec;
    const last = task.lastFailure;
    const { taskId: id, attempt } = event;
    if (task.counted >= retry.maxAttempts) {
      this.#complain(5, 'too-many-attempts', `attempt ${attempt} of ${id} is past the ${retry.maxAttempts} that its policy allows`, id);
    }
    if (!last?.counted) return;
    if (!last.retriable) this.#complain(5, 'retry-of-fatal', `attempt ${attempt} of ${id} repeats a failure that cannot be retried`, id);
    const backoff = Math.min(retry.maxBackoffMs, retry.backoffMs * Math.pow(retry.factor, task.counted - 1));
    const least = Math.floor(backoff * (1 - retry.jitter));
    if (event.notBefore - at < least) {
      this.#complain(5, 'delay-too-short', `attempt ${attempt} of ${id} waits ${event.notBefore - at} ms; at least ${least} are due`, id);
    }
  }

  #started(task: AuditTask, event: EventOf<'AttemptStarted'>, at: number, cancelled: boolean): void {
    const { taskId: id, attempt } = event;
    if (cancelled) this.#complain(7, 'started-after-cancel', `attempt ${attempt} of ${id} was started after the cancel`, id);
    if (task.phase !== 'scheduled' || task.attempt !== attempt) {
      this.#complain(4, 'start-of-closed-attempt', `attempt ${attempt} of ${id} was started, but is not the one that is scheduled`, id);
    }
    if (at < task.notBefore)
      this.#complain(5, 'started-early', `attempt ${attempt} of ${id} was started ${task.notBefore - at} ms early`, id);
    task.phase = 'started';
    task.worker = event.workerId;
  }

  #needStarted(task: AuditTask, event: { type: string; taskId: string; attempt: number }, clause: string): void {
    if (task.phase === 'started' && task.attempt === event.attempt) return;
    const state = `the last attempt is ${task.attempt} (${task.phase})`;
    this.#complain(4, clause, `${event.type} for attempt ${event.attempt} of ${event.taskId}, but ${state}`, event.taskId);
  }

  #attemptFailed(task: AuditTask, event: EventOf<'AttemptFailed'>, at: number): void {
    this.#needStarted(task, event, 'failure-outside-attempt');
    if (isOpen(task)) this.openAttempts -= 1;
    task.phase = 'closed';
    if (event.counted) task.counted += 1;
    task.lastFailure = { counted: event.counted, retriable: event.error.retriable, at };
  }

  #checkSkip(task: AuditTask, event: EventOf<'TaskSkipped'>): void {
    const id = event.taskId;
    if (event.cause === 'dependency' && allows(this.tasks, task.spec) !== 'no-more') {
      this.#complain(5, 'skipped-wrongly', `task ${id} was skipped for its dependencies, which still allow it`, id);
    }
    if (event.cause === 'alternative' && alternativeIsCalled(this.tasks, task.spec) !== 'no-more') {
      this.#complain(5, 'skipped-wrongly', `task ${id} was skipped as not needed, but ${task.spec.alternativeTo} may need it`, id);
    }
  }

  #end(task: AuditTask, ending: Ending, event: TaskEvent): void {
    const { taskId: id } = event;
    if (task.ending) this.#complain(4, 'task-ended-twice', `${event.type} for task ${id}, which has ended (${task.ending})`, id);
    if (isOpen(task)) {
      this.openAttempts -= 1;
      if (ending === 'failed' || ending === 'unneeded' || ending === 'blocked') {
        this.#complain(4, 'ended-with-open-attempt', `${event.type} for task ${id}, whose attempt ${task.attempt} is open`, id);
      }
      task.phase = 'closed';
    }
    task.ending ??= ending;
  }
}

function isOpen(task: AuditTask): boolean {
  return task.phase === 'scheduled' || task.phase === 'started';
}
