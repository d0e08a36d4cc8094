/** How attempts that closed without a result count, and when the next ones may come: part of invariant 5. */
import type { RunEvent } from '@cadre/contracts';
import type { AuditTask } from './audit-tasks.js';
import type { Complain } from './violation.js';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

export class RetryAudit {
  /** What the run allows tasks to wait for their model servers, unless they say otherwise. */
  maxServerWaitMs = Infinity;

  constructor(private readonly complain: Complain) {}

  /** An attempt has closed. */
  closed(task: AuditTask, { taskId: id, counted, cause, error }: EventOf<'AttemptFailed'>, at: number): void {
    const { retriable, retryAfterMs = 0 } = error;
    const waits = cause === 'server';
    if (counted) task.counted += 1;
    task.lastFailure = { counted, retriable, retryAfterMs, waits };
    task.refused = waits ? { attempts: (task.refused?.attempts ?? 0) + 1, since: task.refused?.since ?? at } : undefined;
    if (!task.refused) return;
    const mostMs = task.spec.retry.maxServerWaitMs ?? this.maxServerWaitMs;
    if (counted || !retriable || mostMs === 0 || at - task.refused.since >= mostMs)
      this.complain(5, 'waits-wrongly', `${id} waits for its model server, but its failure counts or ends it`, id);
  }

  /** Another attempt is scheduled. */
  next(task: AuditTask, event: EventOf<'AttemptScheduled'>, at: number): void {
    const { retry } = task.spec;
    const last = task.lastFailure;
    const { taskId: id, attempt } = event;
    const waitMs = event.notBefore - at;
    if (task.counted >= retry.maxAttempts) {
      this.complain(5, 'too-many-attempts', `attempt ${attempt} of ${id} is past the ${retry.maxAttempts} that its policy allows`, id);
    }
    if (!last || last.answered) return;
    if (last.waits) return this.#least(id, attempt, waitMs, Math.max(this.#serverWait(task), last.retryAfterMs));
    if (!last.counted) return;
    if (!last.retriable) this.complain(5, 'retry-of-fatal', `attempt ${attempt} of ${id} repeats a failure that cannot be retried`, id);
    const backoff = Math.min(retry.maxBackoffMs, retry.backoffMs * Math.pow(retry.factor, task.counted - 1));
    this.#least(id, attempt, waitMs, Math.max(Math.floor(backoff * (1 - retry.jitter)), last.retryAfterMs));
  }

  /** Twice as long each time, up to a minute, of which jitter takes no more than half. */
  #serverWait({ refused }: AuditTask): number {
    return Math.floor(Math.min(60_000, 1000 * Math.pow(2, (refused?.attempts ?? 1) - 1)) / 2);
  }

  #least(id: string, attempt: number, waitMs: number, least: number): void {
    if (waitMs < least)
      this.complain(5, 'delay-too-short', `attempt ${attempt} of ${id} waits ${waitMs} ms; at least ${least} are due`, id);
  }
}
