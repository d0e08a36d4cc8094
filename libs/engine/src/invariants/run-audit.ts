/** Follows one run through its commits and reports what breaks invariants 1 to 10. */
import type { Commit, RunEvent } from '@cadre/contracts';
import { allows, alternativeIsCalled } from './audit-tasks.js';
import { CallAudit } from './call-audit.js';
import { TaskAudit } from './task-audit.js';
import type { Complain, Report, Violation } from './violation.js';

const ENDINGS: readonly string[] = ['RunCompleted', 'RunFailed', 'RunCancelled'];

export interface AuditTimes {
  /** Time of the check, if it is known. */
  now: number | undefined;
  graceMs: number;
  finished: boolean;
}

export class RunAudit {
  readonly runId: string;
  readonly causes = new Set<string>();
  /** Commands of which only settlements were committed yet. */
  readonly #settledOnly = new Set<string>();
  starts = 0;
  fingerprint: string | undefined;
  #seq = 0;
  #lastAt = 0;
  #deadlineAt = 0;
  #cancelledAt: number | undefined;
  #graceUntil = 0;
  #endedAt: number | undefined;
  #endings = 0;
  /** Parts of the plan are still to come; until then nothing starts. */
  #planOpen = false;
  #blockSeq = 0;
  readonly #tasks: TaskAudit;
  readonly #calls: CallAudit;
  readonly #report: Report;

  constructor(runId: string, report: Report) {
    this.runId = runId;
    this.#report = report;
    const complain: Complain = (invariant, clause, message, taskId) => this.#complain(invariant, clause, message, taskId);
    this.#tasks = new TaskAudit(complain);
    this.#calls = new CallAudit(complain);
  }

  #complain(invariant: Violation['invariant'], clause: string, message: string, taskId?: string): void {
    const place = { runId: this.runId, blockSeq: this.#blockSeq, ...(taskId === undefined ? {} : { taskId }) };
    this.#report({ invariant, clause, message: `${this.runId}: ${message}`, ...place });
  }

  commit(commit: Commit, blockSeq: number): void {
    this.#blockSeq = blockSeq;
    if (commit.seq !== this.#seq + 1) this.#complain(1, 'commit-gap', `commit ${commit.seq} follows ${this.#seq}`);
    this.#seq = commit.seq;
    if (this.causes.has(commit.cause) && !this.#goesOn(commit)) {
      this.#complain(2, 'command-applied-twice', `command ${commit.cause} was applied twice`);
    }
    if (this.causes.has(commit.cause)) this.#settledOnly.delete(commit.cause);
    else if (commit.events.every(({ type }) => type === 'CallsSettled')) this.#settledOnly.add(commit.cause);
    this.causes.add(commit.cause);
    this.#lastAt = commit.at;
    for (const event of commit.events) this.#event(event, commit.at);
    this.#tasks.scopes.committed();
    if (this.#endings === 0) this.#checkAlive();
  }

  /**
   * The same command, but nothing is done twice: of one that settled and was to ask later for what it reserves, the second part is decided
   * when its message comes again; a reservation whose answer was lost, asked for again after a cancel, ends its attempt.
   */
  #goesOn({ cause, events }: Commit): boolean {
    if (this.#settledOnly.has(cause)) return events.some(({ type }) => type !== 'CallsSettled');
    if (this.#cancelledAt === undefined || events.some((event) => event.type === 'CallsReserved')) return false;
    return events.some((event) => event.type === 'AttemptFailed');
  }

  #event(event: RunEvent, at: number): void {
    if (this.#endings > 0 && !ENDINGS.includes(event.type)) this.#complain(3, 'event-after-end', `${event.type} after the run's end`);
    if (this.starts === 0 && event.type !== 'RunStarted') this.#complain(2, 'no-start', `${event.type} before RunStarted`);
    this.#calls.event(event);
    switch (event.type) {
      case 'RunStarted':
        this.starts += 1;
        if (this.starts > 1) this.#complain(2, 'run-started-twice', 'the run was started twice');
        this.#deadlineAt = event.deadlineAt;
        this.fingerprint = event.fingerprint;
        this.#tasks.scopes.tolerant = event.options.continueOnFailure;
        this.#tasks.retries.maxServerWaitMs = event.options.maxServerWaitMs ?? Infinity;
        this.#tasks.planOnly = event.options.planOnly === true;
        this.#tasks.neverUnderLoad = event.options.underLoad === 'never';
        return;
      case 'TasksAdded':
        this.#planOpen = event.more === true;
        return this.#tasks.add(event.tasks);
      case 'CancelRequested':
        this.#cancelledAt ??= at;
        this.#graceUntil = event.graceUntil;
        return;
      case 'RunCompleted':
      case 'RunFailed':
      case 'RunCancelled':
        return this.#end(event, at);
      default:
        this.#tasks.apply(event, at, this.#cancelledAt !== undefined);
    }
  }

  #end(event: RunEvent, at: number): void {
    this.#endings += 1;
    if (this.#endings > 1) this.#complain(3, 'ended-twice', `${event.type} for a run that had ended`);
    this.#endedAt ??= at;
    for (const [id, task] of this.#tasks.tasks) {
      if (!task.ending) this.#complain(4, 'task-left-open', `the run ended (${event.type}) with task ${id} open`, id);
    }
  }

  /** After each commit an open run has an attempt that is open (or timed), or a question, and nothing that could start is left waiting. */
  #checkAlive(): void {
    if (this.#planOpen && this.#cancelledAt === undefined) return;
    const { tasks, openAttempts, openQuestions, openWaits } = this.#tasks;
    if (openAttempts + openQuestions + openWaits === 0) {
      this.#complain(9, 'stalled', 'the run is open, but has neither an open attempt nor a question nor a wait, so nothing will move it');
    }
    for (const id of this.#tasks.takeConcerned()) {
      const task = tasks.get(id);
      if (!task || task.ending) continue;
      if (task.phase === 'closed' && task.questions.size === 0) {
        this.#complain(9, 'attempt-not-followed', `an attempt of task ${id} has closed, and neither another nor an end came`, id);
      }
      const mayStart = this.#cancelledAt === undefined && task.phase === 'none';
      if (mayStart && alternativeIsCalled(tasks, task.spec) === 'yes' && allows(tasks, task.spec) === 'yes') {
        this.#complain(9, 'runnable-not-opened', `task ${id} could start, but no attempt was opened`, id);
      }
    }
  }

  /** What only the end of the log can show. */
  finish({ now, graceMs, finished }: AuditTimes): void {
    const seenAt = Math.max(now ?? 0, this.#lastAt);
    const endedAt = this.#endedAt;
    const lastDue = this.#deadlineAt + graceMs;
    if (endedAt === undefined && finished) this.#complain(3, 'not-ended', 'the system is quiet, but the run has not ended');
    else if (endedAt === undefined && seenAt > lastDue)
      this.#complain(3, 'past-deadline', `the run is open ${seenAt - lastDue} ms after its time`);
    if (endedAt !== undefined && endedAt > lastDue) this.#complain(3, 'ended-late', `the run ended ${endedAt - lastDue} ms after its time`);
    if (this.#cancelledAt === undefined) return;
    const over = (endedAt ?? seenAt) - this.#graceUntil;
    const isLate = over > graceMs || (endedAt === undefined && finished);
    if (isLate) this.#complain(7, 'cancel-not-effective', `the run was not ended ${over} ms after its grace time`);
  }
}
