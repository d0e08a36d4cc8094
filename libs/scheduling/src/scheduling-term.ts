/**
 * One term as the leading scheduler. Offers go out as soon as something changes (once for each turn of the event loop); losses, deadlines
 * and cancellations are looked for four times a second. Nothing here is stored: a successor finds all of it in the logs and the heartbeats.
 */
import type { UnwantedAttempt } from '@cadre/contracts';
import { pause, type Clock, type Lease, type ShardLog } from '@cadre/engine';
import type { AgentBreakerView } from './agent-breakers.js';
import { attemptKey } from './attempts.js';
import type { CommandDesk, Finding } from './command-desk.js';
import { LogTails, type TailReports } from './log-tails.js';
import { OfferDesk, type DeskTiming, type LostAttempt, type Unmatched } from './offer-desk.js';
import { OpenWork } from './open-work.js';
import type { TaskTensor } from './task-tensor.js';
import type { HeartbeatEar, OfferLine } from './ports.js';

/** What a term tells about itself; the service turns it into logs and metrics. */
export interface TermReports extends TailReports {
  /** Offers put on the wire, and in how many messages. */
  offered(offers: number, messages: number): void;
  /** Attempts that workers were told to drop. */
  cancelled(attempts: number): void;
  /** About once a second: what is open, and the work that no live agent can do. */
  show(work: OpenWork, desk: OfferDesk, unmatched: readonly Unmatched[], now: number): void;
}

export interface TermSurroundings {
  lease: Lease;
  logs: readonly ShardLog[];
  ear: HeartbeatEar;
  line: OfferLine;
  commands: CommandDesk;
  clock: Clock;
  reports: TermReports;
  timing: Partial<DeskTiming>;
}

/** Heartbeats come each 250 ms: after this time all workers have been heard of. */
const LISTEN_MS = 600;
const SWEEP_MS = 250;
const SHOW_MS = 1000;
/** A worker that has just ended an attempt lists it a moment longer; only what it goes on listing is cancelled. */
const UNWANTED_MS = 400;
const CANCEL_AGAIN_MS = 1000;
const ROUND_TRIP_MS = 1000;

export class SchedulingTerm {
  readonly work: OpenWork;
  readonly desk: OfferDesk;
  readonly #tails: LogTails;
  #tickDue = false;
  #ended = false;
  #unmatched: readonly Unmatched[] = [];
  #shownAt = 0;
  #backlogToldAt = 0;
  /** When an attempt was first seen as unwanted, and when its worker was last told. */
  readonly #unwanted = new Map<string, { since: number; toldAt: number }>();

  constructor(private readonly around: TermSurroundings) {
    const { logs, ear, clock, reports, timing } = around;
    this.work = new OpenWork(timing.breaker);
    this.desk = new OfferDesk(this.work, ear.directory, timing);
    this.#tails = new LogTails(logs, this.work, clock, reports, () => this.#tickSoon());
  }

  /** True once the logs are folded and the workers heard. */
  get working(): boolean {
    const { ear, lease, clock } = this.around;
    return this.#tails.complete && ear.connected && ear.directory.listeningFor(clock.now()) >= LISTEN_MS && lease.isHeld();
  }

  get tensor(): TaskTensor {
    return this.desk.tensor(this.around.clock.now());
  }

  get unmatched(): readonly Unmatched[] {
    return this.#unmatched;
  }

  /** Agents that get no work, or only one attempt as a probe. */
  get breakers(): AgentBreakerView[] {
    return this.desk.breakers(this.around.clock.now());
  }

  /** Works until the lease is lost or the signal aborts. */
  async serve(signal: AbortSignal): Promise<void> {
    const end = AbortSignal.any([signal, this.around.lease.lost]);
    this.around.ear.onChange = () => this.#tickSoon();
    const following = this.#tails.follow(end);
    while (!end.aborted) {
      await this.#sweep(end);
      await pause(this.around.clock, SWEEP_MS, end);
    }
    this.#ended = true;
    this.around.ear.onChange = () => undefined;
    this.around.commands.withdrawAll();
    await following;
  }

  #tickSoon(): void {
    if (this.#tickDue) return;
    this.#tickDue = true;
    this.around.clock.soon(() => {
      this.#tickDue = false;
      this.#tick();
    });
  }

  #tick(): void {
    if (this.#ended || !this.working) return;
    const { line, clock, reports } = this.around;
    const now = clock.now();
    for (const offers of this.desk.offers(now)) reports.offered(offers.offers.length, line.offer(offers));
    this.#tellBacklog(now);
    // Whoever works for a run that is being cancelled hears of it at once.
    if (this.work.cancellingCount > 0) this.#cancelUnwanted(now);
  }

  /** While work waits, workers leave it to us what they do next. */
  #tellBacklog(now: number): void {
    if (now - this.#backlogToldAt < SWEEP_MS) return;
    const agents = this.desk.backlog(now);
    if (agents.length === 0) return;
    this.#backlogToldAt = now;
    this.around.line.backlog(agents);
  }

  async #sweep(end: AbortSignal): Promise<void> {
    if (!this.working) return;
    this.#tick();
    const lost = await this.#surelyLost();
    if (end.aborted || !this.working) return;
    const now = this.around.clock.now();
    this.around.commands.take([...lost.map(loseFinding), ...this.#expiredFindings(now)], now);
    this.#cancelUnwanted(now);
    if (now - this.#shownAt < SHOW_MS) return;
    this.#shownAt = now;
    this.#unmatched = this.desk.unmatched(now);
    this.around.reports.show(this.work, this.desk, this.#unmatched, now);
  }

  /** Silence may be ours: before anybody is called lost, everything that was sent to us must have been heard. */
  async #surelyLost(): Promise<LostAttempt[]> {
    const { clock, ear } = this.around;
    if (this.desk.lost(clock.now()).length === 0) return [];
    return (await ear.heardAll(ROUND_TRIP_MS)) ? this.desk.lost(clock.now()) : [];
  }

  #expiredFindings(now: number): Finding[] {
    const attempts = this.desk.expiredAttempts(now).map(({ runId, taskId, attempt }): Finding => {
      return {
        key: `expire ${attemptKey({ runId, taskId, attempt })}`,
        label: 'attempt',
        command: { type: 'ExpireAttempt', runId, taskId, attempt },
      };
    });
    const runs = this.desk
      .expiredRuns(now)
      .map((runId): Finding => ({ key: `expire ${runId}`, label: 'run', command: { type: 'ExpireRun', runId } }));
    const questions = this.desk.expiredQuestions(now).map(({ runId, questionId }): Finding => {
      return { key: `expire ${runId} ${questionId}`, label: 'question', command: { type: 'ExpireQuestion', runId, questionId } };
    });
    const timers = this.work.timers.due(now).map(({ runId, taskId }): Finding => {
      return { key: `wake ${runId} ${taskId}`, label: 'timer', command: { type: 'WakeTask', runId, taskId } };
    });
    return [...attempts, ...runs, ...questions, ...timers];
  }

  #cancelUnwanted(now: number): void {
    const seen = new Set<string>();
    for (const { workerId, attempts } of this.desk.unwanted(now)) {
      const due = attempts.filter((attempt) => this.#isCancelDue(workerId, attempt, seen, now));
      if (due.length > 0) this.#cancel(workerId, due);
    }
    for (const key of this.#unwanted.keys()) if (!seen.has(key)) this.#unwanted.delete(key);
  }

  #isCancelDue(workerId: string, attempt: UnwantedAttempt, seen: Set<string>, now: number): boolean {
    const key = `${workerId} ${attemptKey(attempt)}`;
    seen.add(key);
    const entry = this.#unwanted.get(key) ?? { since: now, toldAt: 0 };
    this.#unwanted.set(key, entry);
    const waitMs = attempt.runCancelled ? 0 : UNWANTED_MS;
    if (now - entry.since < waitMs || now - entry.toldAt < CANCEL_AGAIN_MS) return false;
    entry.toldAt = now;
    return true;
  }

  #cancel(workerId: string, attempts: UnwantedAttempt[]): void {
    this.around.reports.cancelled(attempts.length);
    this.around.line.cancel(workerId, attempts);
  }
}

function loseFinding({ runId, taskId, attempt, workerId, reason, cause }: LostAttempt): Finding {
  const key = `lose ${attemptKey({ runId, taskId, attempt })}`;
  return { key, label: cause, command: { type: 'LoseAttempt', runId, taskId, attempt, workerId, reason } };
}
