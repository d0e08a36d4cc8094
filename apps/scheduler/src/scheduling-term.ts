/**
 * One term as the leading scheduler. Offers go out as soon as something changes (once for each turn of the event loop); losses, deadlines and
 * cancellations are looked for four times a second. Nothing here is stored: a successor finds all of it in the logs and the heartbeats.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HeldAttempt } from '@cadre/contracts';
import type { Lease, ShardLog } from '@cadre/engine';
import { OfferDesk, OpenWork, attemptKey, type LostAttempt, type Unmatched } from '@cadre/scheduling';
import type { CommandDesk, Finding } from './command-desk.js';
import type { HeartbeatEar } from './heartbeat-ear.js';
import { LogTails, type TailReports } from './log-tails.js';
import type { OfferLine } from './offer-line.js';
import type { SchedulerMetrics } from './scheduler-metrics.js';

export interface TermReports extends TailReports {
  unmatched(list: readonly Unmatched[]): void;
}

export interface TermSurroundings {
  lease: Lease;
  logs: readonly ShardLog[];
  ear: HeartbeatEar;
  line: OfferLine;
  commands: CommandDesk;
  metrics: SchedulerMetrics;
  reports: TermReports;
  ageingMs: number;
  unmatchedMs: number;
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
  readonly work = new OpenWork();
  readonly desk: OfferDesk;
  readonly #tails: LogTails;
  #tickDue = false;
  #ended = false;
  #unmatched: readonly Unmatched[] = [];
  #shownAt = 0;
  /** When an attempt was first seen as unwanted, and when its worker was last told. */
  readonly #unwanted = new Map<string, { since: number; toldAt: number }>();

  constructor(private readonly around: TermSurroundings) {
    const { logs, ear, reports, ageingMs, unmatchedMs } = around;
    this.desk = new OfferDesk(this.work, ear.directory, { ageingMs, unmatchedMs });
    this.#tails = new LogTails(logs, this.work, reports, () => this.#tickSoon());
  }

  /** True once the logs are folded and the workers heard. */
  get working(): boolean {
    const { ear, lease } = this.around;
    return this.#tails.complete && ear.connected && ear.directory.listeningFor(Date.now()) >= LISTEN_MS && lease.isHeld();
  }

  get unmatched(): readonly Unmatched[] {
    return this.#unmatched;
  }

  /** Works until the lease is lost or the signal aborts. */
  async serve(signal: AbortSignal): Promise<void> {
    const end = AbortSignal.any([signal, this.around.lease.lost]);
    this.around.ear.onChange = () => this.#tickSoon();
    const following = this.#tails.follow(end);
    while (!end.aborted) {
      await this.#sweep(end);
      await sleep(SWEEP_MS, undefined, { signal: end }).catch(() => undefined);
    }
    this.#ended = true;
    this.around.ear.onChange = () => undefined;
    this.around.commands.withdrawAll();
    this.around.metrics.clearWork();
    await following;
  }

  #tickSoon(): void {
    if (this.#tickDue) return;
    this.#tickDue = true;
    setImmediate(() => {
      this.#tickDue = false;
      this.#tick();
    });
  }

  #tick(): void {
    if (this.#ended || !this.working) return;
    const { line, metrics } = this.around;
    for (const offers of this.desk.offers(Date.now())) {
      metrics.offers.inc({}, offers.offers.length);
      metrics.offerMessages.inc({}, line.offer(offers));
    }
  }

  async #sweep(end: AbortSignal): Promise<void> {
    if (!this.working) return;
    this.#tick();
    const lost = await this.#surelyLost();
    if (end.aborted || !this.working) return;
    const now = Date.now();
    this.around.commands.take([...lost.map(loseFinding), ...this.#expiredFindings(now)], now);
    this.#cancelUnwanted(now);
    if (now - this.#shownAt < SHOW_MS) return;
    this.#shownAt = now;
    this.#unmatched = this.desk.unmatched(now);
    this.around.reports.unmatched(this.#unmatched);
    this.around.metrics.showWork(this.work, this.desk, this.#unmatched, now);
  }

  /** Silence may be ours: before anybody is called lost, everything that was sent to us must have been heard. */
  async #surelyLost(): Promise<LostAttempt[]> {
    if (this.desk.lost(Date.now()).length === 0) return [];
    return (await this.around.ear.heardAll(ROUND_TRIP_MS)) ? this.desk.lost(Date.now()) : [];
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
    return [...attempts, ...runs];
  }

  #cancelUnwanted(now: number): void {
    const seen = new Set<string>();
    for (const { workerId, attempts } of this.desk.unwanted(now)) {
      const due = attempts.filter((attempt) => this.#isCancelDue(`${workerId} ${attemptKey(attempt)}`, seen, now));
      if (due.length > 0) this.#cancel(workerId, due);
    }
    for (const key of this.#unwanted.keys()) if (!seen.has(key)) this.#unwanted.delete(key);
  }

  #isCancelDue(key: string, seen: Set<string>, now: number): boolean {
    seen.add(key);
    const entry = this.#unwanted.get(key) ?? { since: now, toldAt: 0 };
    this.#unwanted.set(key, entry);
    if (now - entry.since < UNWANTED_MS || now - entry.toldAt < CANCEL_AGAIN_MS) return false;
    entry.toldAt = now;
    return true;
  }

  #cancel(workerId: string, attempts: HeldAttempt[]): void {
    this.around.metrics.cancels.inc({}, attempts.length);
    this.around.line.cancel(workerId, attempts);
  }
}

function loseFinding({ runId, taskId, attempt, workerId, reason, cause }: LostAttempt): Finding {
  const key = `lose ${attemptKey({ runId, taskId, attempt })}`;
  return { key, label: cause, command: { type: 'LoseAttempt', runId, taskId, attempt, workerId, reason } };
}
