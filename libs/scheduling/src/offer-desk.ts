/**
 * The scheduler's judgement, without clock and network: which offers to make, which attempts are lost, whose time is up, what work is no longer
 * wanted. It joins what the logs say (`OpenWork`) with what the workers say (`AgentDirectory`) and remembers the offers that nobody has
 * confirmed yet.
 */
import type { HeldAttempt, Offer, RunId, WorkerId } from '@cadre/contracts';
import type { AgentDirectory, KnownWorker } from './agent-directory.js';
import { attemptKey, type ReadyAttempt, type ReadyGroup, type RunningAttempt, type WorkerOffers } from './attempts.js';
import { capableAgent, matchOffers, type OpenWorker } from './match-offers.js';
import type { OpenWork } from './open-work.js';
import { priorityOf } from './urgency.js';

export interface DeskTiming {
  /** Waiting this long raises an attempt by one level of priority. */
  ageingMs: number;
  /** An offer that no heartbeat confirms within this time is made again. */
  confirmMs: number;
  /** A started attempt must be listed by beats that come this long after its start was seen. */
  listedAfterMs: number;
  /** A taken offer whose start does not reach the log within this time is made again, elsewhere too: only one start counts. */
  startMs: number;
  /** Ready work that no live agent can do is reported after this time. */
  unmatchedMs: number;
}

export const DESK_TIMING: DeskTiming = { ageingMs: 15_000, confirmMs: 1000, listedAfterMs: 1000, startMs: 10_000, unmatchedMs: 30_000 };

export interface LostAttempt extends RunningAttempt {
  cause: 'silent' | 'restarted' | 'not-listed' | 'left';
  /** For people. */
  reason: string;
}

/** Ready work that no live agent can do. */
export interface Unmatched {
  skills: readonly string[];
  agent?: string;
  /** Since when, in milliseconds since 1970. */
  since: number;
  count: number;
  /** The oldest ones, at most ten. */
  attempts: HeldAttempt[];
}

interface PendingOffer {
  workerId: WorkerId;
  epoch: string;
  offeredAt: number;
  takenAt?: number;
}

export class OfferDesk {
  readonly #timing: DeskTiming;
  readonly #pending = new Map<string, PendingOffer>();
  /** Who let an offer of the attempt pass. */
  readonly #shunned = new Map<string, WorkerId>();
  readonly #lastTurn = new Map<WorkerId, number>();
  readonly #unmatchedSince = new Map<string, number>();

  constructor(
    private readonly work: OpenWork,
    private readonly directory: AgentDirectory,
    timing: Partial<DeskTiming> = {},
  ) {
    this.#timing = { ...DESK_TIMING, ...timing };
  }

  /** Offers not confirmed yet, or confirmed but not started. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** The offers to make now; they count as pending from here on. @returns one entry for each worker that gets some */
  offers(now: number): WorkerOffers[] {
    this.#settlePending(now);
    if (this.work.ready(now).length === 0) return [];
    const workers = this.#openWorkers(now);
    if (workers.length === 0) return [];
    const matches = matchOffers(this.work.ready(now), workers, {
      ...{ now, ageingMs: this.#timing.ageingMs },
      skip: (attempt) => this.#pending.has(attemptKey(attempt)),
      holds: (workerId, attempt) => this.directory.get(workerId)?.held.has(attemptKey(attempt)) ?? false,
      shunned: (attempt) => this.#shunned.get(attemptKey(attempt)),
    });
    const byWorker = new Map<WorkerId, WorkerOffers>();
    for (const { attempt, workerId, epoch, agent } of matches) {
      this.#pending.set(attemptKey(attempt), { workerId, epoch, offeredAt: now });
      const entry = byWorker.get(workerId) ?? { workerId, epoch, offers: [] };
      byWorker.set(workerId, entry);
      entry.offers.push(this.#offer(attempt, agent, now));
    }
    for (const worker of workers) this.#lastTurn.set(worker.workerId, worker.lastTurn);
    return [...byWorker.values()];
  }

  /** Running attempts whose worker is gone. */
  lost(now: number): LostAttempt[] {
    const lost: LostAttempt[] = [];
    for (const attempt of this.work.running()) {
      const found = this.#whyLost(attempt, now);
      if (found) lost.push({ ...attempt, ...found });
    }
    return lost;
  }

  expiredAttempts(now: number): RunningAttempt[] {
    return this.work.expiredAttempts(now);
  }

  expiredRuns(now: number): RunId[] {
    return this.work.expiredRuns(now);
  }

  /** Attempts that live workers list although the log has closed them, or has given them to another worker. */
  unwanted(now: number): { workerId: WorkerId; attempts: HeldAttempt[] }[] {
    const started = new Map<string, WorkerId>();
    for (const running of this.work.running()) started.set(attemptKey(running), running.workerId);
    const result: { workerId: WorkerId; attempts: HeldAttempt[] }[] = [];
    for (const { beat } of this.directory.live(now)) {
      const attempts = beat.held.filter((held) => {
        const owner = started.get(attemptKey(held));
        return !this.work.isOpen(held) || (owner !== undefined && owner !== beat.workerId);
      });
      if (attempts.length > 0) result.push({ workerId: beat.workerId, attempts });
    }
    return result;
  }

  /** Ready work that no live agent can do, for longer than the time set. */
  unmatched(now: number): Unmatched[] {
    const live = this.directory.live(now);
    const unmatched = new Map<string, Unmatched>();
    for (const group of this.work.ready(now)) {
      if (live.some((worker) => capableAgent(worker.beat.agents, group))) continue;
      const key = `${group.agent ?? ''} ${[...group.skills].sort().join(',')}`;
      const since = this.#unmatchedSince.get(key) ?? now;
      this.#unmatchedSince.set(key, since);
      const known = unmatched.get(key) ?? { ...needs(group), since, count: 0, attempts: [] };
      unmatched.set(key, known);
      for (const { runId, taskId, attempt } of group.attempts) {
        known.count += 1;
        if (known.attempts.length < 10) known.attempts.push({ runId, taskId, attempt });
      }
    }
    for (const key of this.#unmatchedSince.keys()) if (!unmatched.has(key)) this.#unmatchedSince.delete(key);
    return [...unmatched.values()].filter(({ since }) => now - since >= this.#timing.unmatchedMs);
  }

  /** Slots free for offers, over all workers. */
  freeSlots(now: number): number {
    return this.#openWorkers(now).reduce((sum, worker) => sum + Math.max(0, worker.slots - worker.used), 0);
  }

  /** Drops offers that have served their purpose or were let pass. */
  #settlePending(now: number): void {
    for (const [key, offer] of this.#pending) {
      if (!this.#isReadyKey(key)) {
        this.#pending.delete(key);
        this.#shunned.delete(key);
        continue;
      }
      const worker = this.directory.get(offer.workerId);
      const alive = worker !== undefined && worker.beat.epoch === offer.epoch && this.directory.isLive(worker, now);
      if (alive && worker.held.has(key)) offer.takenAt ??= now;
      const since = offer.takenAt ?? offer.offeredAt;
      const patience = offer.takenAt === undefined ? this.#timing.confirmMs : this.#timing.startMs;
      const dropped = offer.takenAt !== undefined && alive && !worker.held.has(key);
      if (alive && !dropped && now - since <= patience) continue;
      this.#pending.delete(key);
      this.#shunned.set(key, offer.workerId);
    }
    for (const key of this.#shunned.keys()) if (!this.#isReadyKey(key)) this.#shunned.delete(key);
  }

  #isReadyKey(key: string): boolean {
    const [runId = '', taskId = '', attempt = '0'] = key.split('/');
    return this.work.isReady({ runId, taskId, attempt: Number(attempt) });
  }

  #openWorkers(now: number): OpenWorker[] {
    const taken = new Map<WorkerId, Set<string>>();
    const take = (workerId: WorkerId, key: string) => {
      const keys = taken.get(workerId);
      if (keys) keys.add(key);
      else taken.set(workerId, new Set([key]));
    };
    for (const [key, offer] of this.#pending) take(offer.workerId, key);
    for (const running of this.work.running()) take(running.workerId, attemptKey(running));
    return this.directory.offerable(now).map((worker) => ({
      workerId: worker.beat.workerId,
      epoch: worker.beat.epoch,
      agents: worker.beat.agents,
      slots: worker.beat.slots,
      used: usedSlots(worker, taken.get(worker.beat.workerId)),
      lastTurn: this.#lastTurn.get(worker.beat.workerId) ?? 0,
    }));
  }

  #offer({ runId, taskId, attempt, rank, planning }: ReadyAttempt, agent: string, now: number): Offer {
    return { runId, taskId, attempt, agent, priority: priorityOf(rank), ...(planning && { catalogue: this.directory.catalogue(now) }) };
  }

  #whyLost(attempt: RunningAttempt, now: number): Pick<LostAttempt, 'cause' | 'reason'> | undefined {
    const { workerId, seenAt } = attempt;
    const worker = this.directory.get(workerId);
    if (this.directory.isLost(workerId, now)) {
      return { cause: 'silent', reason: `no heartbeat of worker ${workerId} for ${this.directory.silentFor(workerId, now)} ms` };
    }
    if (worker === undefined || worker.held.has(attemptKey(attempt))) return undefined;
    // A beat heard before the start was seen here says nothing about it.
    if (worker.beat.state === 'terminated' && worker.lastSeenAt > seenAt) return { cause: 'left', reason: `worker ${workerId} has left` };
    if (worker.restarted && worker.firstSeenAt > seenAt) return { cause: 'restarted', reason: `worker ${workerId} was started anew` };
    if (worker.lastSeenAt - seenAt < this.#timing.listedAfterMs) return undefined;
    return { cause: 'not-listed', reason: `worker ${workerId} does not list the attempt` };
  }
}

function usedSlots(worker: KnownWorker, taken: ReadonlySet<string> | undefined): number {
  if (taken === undefined) return worker.held.size;
  let used = worker.held.size;
  for (const key of taken) if (!worker.held.has(key)) used += 1;
  return used;
}

function needs({ skills, agent }: ReadyGroup): Pick<Unmatched, 'skills' | 'agent'> {
  return { skills, ...(agent !== undefined && { agent }) };
}
