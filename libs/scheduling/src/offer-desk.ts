/**
 * The scheduler's judgement, without clock and network: which offers to make, which attempts are lost, whose time is up, what work is no
 * longer wanted. It joins what the logs say (`OpenWork`) with what the workers say (`AgentDirectory`) and remembers the offers that nobody
 * has confirmed yet.
 */
import { labelText, whyNoLabels } from '@cadre/contracts';
import type { AgentName, HeldAttempt, Labels, Offer, QuestionId, RunId, UnwantedAttempt, WorkerId } from '@cadre/contracts';
import type { AgentBreakerView, BreakerRules } from './agent-breakers.js';
import type { AgentDirectory, KnownWorker } from './agent-directory.js';
import { attemptKey, type ReadyGroup, type RunningAttempt, type WorkerOffers } from './attempts.js';
import { capableAgent, isCapable, matchOffers, type Match, type MatchRules, type OfferedAhead, type OpenWorker } from './match-offers.js';
import type { OpenWork } from './open-work.js';
import { PendingOffers, type OfferPatience } from './pending-offers.js';
import { relieved, Shortages } from './queue-relief.js';
import { taskTensor, type TaskTensor } from './task-tensor.js';
import { urgencyOf } from './urgency.js';
import { Usage, type TenantSlots, type Underway } from './usage.js';

export interface DeskTiming extends OfferPatience {
  /**
   * Work is offered so long before a slot becomes free, as far as can be foreseen: as much as the worker is expected to complete in that
   * time. It waits there, and is begun together with the telling of a result instead of a journey to and fro later.
   */
  aheadMs: number;
  /** Waiting this long raises an attempt by one level of priority. */
  ageingMs: number;
  /** A started attempt must be listed by beats that come this long after its start was seen. */
  listedAfterMs: number;
  /** Ready work that no live agent can do is reported after this time. */
  unmatchedMs: number;
  /** When an agent that fails is left alone; over `BREAKER_RULES`. */
  breaker: Partial<BreakerRules>;
  tenantSlots: TenantSlots;
}

export const DESK_TIMING: DeskTiming = {
  aheadMs: 100,
  ageingMs: 15_000,
  confirmMs: 1000,
  listedAfterMs: 1000,
  startMs: 10_000,
  unmatchedMs: 30_000,
  breaker: {},
  tenantSlots: { of: {}, kept: { percent: 10, forMs: 600_000 } },
};

export interface LostAttempt extends RunningAttempt {
  cause: 'silent' | 'restarted' | 'not-listed' | 'left';
  /** For people. */
  reason: string;
}

/**
 * Ready work that no live agent can do. `no-agent`: none is able. `no-label`: those that are have not its labels. `breaker-open`: those
 * that are able have failed too often of late.
 */
export interface Unmatched {
  reason: 'no-agent' | 'no-label' | 'breaker-open';
  /** Of `no-label`, in words. */
  why?: string;
  skills: readonly string[];
  labels?: Labels;
  agent?: string;
  /** Since when, in milliseconds since 1970. */
  since: number;
  count: number;
  /** The oldest ones, at most ten. */
  attempts: HeldAttempt[];
}

export class OfferDesk {
  readonly #timing: DeskTiming;
  readonly #pending: PendingOffers;
  readonly #lastTurn = new Map<WorkerId, number>();
  readonly #unmatchedSince = new Map<string, number>();
  readonly #shortages = new Shortages();

  constructor(
    private readonly work: OpenWork,
    private readonly directory: AgentDirectory,
    timing: Partial<DeskTiming> = {},
  ) {
    this.#timing = { ...DESK_TIMING, ...timing };
    this.#pending = new PendingOffers(work, directory, this.#timing);
  }

  /** Offers not confirmed yet, or confirmed but not started. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** The offers to make now; they count as pending from here on. @returns one entry for each worker that gets some */
  offers(now: number): WorkerOffers[] {
    this.#pending.settle(now);
    const ready = this.#ready(now);
    if (ready.length === 0) {
      this.#shortages.turn();
      return [];
    }
    const workers = this.#openWorkers(now).map((worker) => this.#withAhead(worker, now));
    if (workers.length === 0) return [];
    const agents = this.directory.live(now).flatMap((worker) => this.directory.agentsOf(worker));
    const matches = matchOffers(relieved(ready, agents, this.#shortages, now), workers, {
      ...{ now, ageingMs: this.#timing.ageingMs, ...this.#shares(now) },
      skip: (attempt) => this.#pending.has(attemptKey(attempt)),
      holds: (workerId, attempt) => this.directory.get(workerId)?.held.has(attemptKey(attempt)) ?? false,
      shunned: (attempt) => this.#pending.shunnedBy(attemptKey(attempt)),
      short: (group) => this.#shortages.note(group, now),
    });
    this.#shortages.turn();
    const byWorker = new Map<WorkerId, WorkerOffers>();
    for (const match of matches) {
      const { attempt, workerId, epoch, agent } = match;
      this.#pending.add(attemptKey(attempt), { workerId, agent, epoch, offeredAt: now });
      const entry = byWorker.get(workerId) ?? { workerId, epoch, offers: [] };
      byWorker.set(workerId, entry);
      entry.offers.push(this.#offer(match, now));
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

  /** Questions that nobody has answered in time. */
  expiredQuestions(now: number): { runId: RunId; questionId: QuestionId }[] {
    return this.work.questions.expired(now);
  }

  /**
   * Attempts that live workers list although the log has closed them or has given them to another worker, and those of runs being
   * cancelled.
   */
  unwanted(now: number): { workerId: WorkerId; attempts: UnwantedAttempt[] }[] {
    const started = new Map<string, WorkerId>();
    for (const running of this.work.running()) started.set(attemptKey(running), running.workerId);
    const result: { workerId: WorkerId; attempts: UnwantedAttempt[] }[] = [];
    for (const { beat } of this.directory.live(now)) {
      const attempts = beat.held.flatMap((held): UnwantedAttempt[] => {
        const owner = started.get(attemptKey(held));
        if (this.work.isLeftBehind(attemptKey(held), beat.workerId)) return [];
        if (!this.work.isOpen(held) || (owner !== undefined && owner !== beat.workerId)) return [held];
        return this.work.isCancelling(held.runId) ? [{ ...held, runCancelled: true }] : [];
      });
      if (attempts.length > 0) result.push({ workerId: beat.workerId, attempts });
    }
    return result;
  }

  /** Agents whose slots are all taken while ready work waits for them. To be asked after `offers`. */
  backlog(now: number): AgentName[] {
    if (this.work.readyCount <= this.#pending.size) return [];
    const live = this.directory.live(now);
    const agents = new Set<AgentName>();
    for (const group of this.#ready(now)) {
      if (!hasOther(group.attempts, (attempt) => this.#pending.has(attemptKey(attempt)))) continue;
      for (const worker of live) {
        const agent = capableAgent(this.directory.agentsOf(worker), group);
        if (agent) agents.add(agent.name);
      }
    }
    return [...agents];
  }

  /** Ready work that no live agent can do, for longer than the time set. */
  unmatched(now: number): Unmatched[] {
    const live = this.directory.live(now);
    const unmatched = new Map<string, Unmatched>();
    for (const group of this.#ready(now)) {
      const reason = this.#whyUnmatched(group, live, now);
      if (reason === undefined) continue;
      const key = `${group.agent ?? ''} ${[...group.skills].sort().join(',')} ${labelText(group.labels ?? {})}`;
      const since = this.#unmatchedSince.get(key) ?? now;
      this.#unmatchedSince.set(key, since);
      const known = unmatched.get(key) ?? { ...reason, ...needs(group), since, count: 0, attempts: [] };
      unmatched.set(key, known);
      for (const { runId, taskId, attempt } of group.attempts) {
        known.count += 1;
        if (known.attempts.length < 10) known.attempts.push({ runId, taskId, attempt });
      }
    }
    for (const key of this.#unmatchedSince.keys()) if (!unmatched.has(key)) this.#unmatchedSince.delete(key);
    return [...unmatched.values()].filter(({ since }) => now - since >= this.#timing.unmatchedMs);
  }

  /** What is assigned to whom, of at most so many tasks. */
  tensor(now: number, most = 1000): TaskTensor {
    return taskTensor(this.work, this.#ready(now), this.#openWorkers(now), { now, ageingMs: this.#timing.ageingMs, most });
  }

  /** Agents that get no work, or only one attempt as a probe, because they failed too often. */
  breakers(now: number): AgentBreakerView[] {
    return this.work.breakers.list(now);
  }

  /** Slots free for offers, over all workers. */
  freeSlots(now: number): number {
    return this.#openWorkers(now).reduce((sum, worker) => sum + Math.max(0, worker.slots - worker.used), 0);
  }

  #ready(now: number): ReadyGroup[] {
    return this.directory.withoutRemoved(this.work.ready(now));
  }

  /** Who has how much, and may get how much more. */
  #shares(now: number): Partial<MatchRules> {
    const usage = new Usage(this.work, this.#underway(now));
    const { breakers } = this.work;
    const limits = this.directory.agentLimits(now);
    const room = (agent: AgentName) =>
      Math.min(breakers.room(agent, usage.offeredTo(agent), now), (limits.get(agent) ?? Infinity) - usage.ofAgent(agent));
    return { ...usage.rules(this.#timing.tenantSlots, now), ...((breakers.anyOpen || limits.size > 0) && { room }) };
  }

  /** Offers of our own, and what workers have taken of a leader before us. */
  *#underway(now: number): Iterable<Underway> {
    for (const [key, { agent, workerId }] of this.#pending.entries()) yield { key, agent, workerId };
    for (const { held, beat } of this.directory.live(now)) {
      for (const key of held) if (!this.#pending.has(key)) yield { key, workerId: beat.workerId };
    }
  }

  #whyUnmatched(group: ReadyGroup, live: readonly KnownWorker[], now: number): Pick<Unmatched, 'reason' | 'why'> | undefined {
    const { breakers } = this.work;
    const able = live.filter((worker) => capableAgent(this.directory.agentsOf(worker), group));
    if (able.length === 0) return this.#whyNobody(group, live);
    if (!breakers.anyOpen) return undefined;
    const isSound = (worker: KnownWorker) =>
      capableAgent(
        this.directory.agentsOf(worker).filter((agent) => breakers.stateOf(agent.name, now) === 'closed'),
        group,
      );
    return able.some(isSound) ? undefined : { reason: 'breaker-open' };
  }

  /** Labels are to blame when there is an agent that could do it but for them. */
  #whyNobody({ labels, ...asked }: ReadyGroup, live: readonly KnownWorker[]): Pick<Unmatched, 'reason' | 'why'> {
    const others = live.flatMap((worker) => this.directory.agentsOf(worker)).filter((agent) => isCapable(agent, asked));
    const why =
      others.length === 0
        ? undefined
        : whyNoLabels(
            labels,
            others.map((agent) => agent.labels),
          );
    return why === undefined ? { reason: 'no-agent' } : { reason: 'no-label', why };
  }

  /** How many slots of a worker are expected to become free within `aheadMs`; of attempts that take long that is none. */
  #ahead({ workerId, slots }: OpenWorker): number {
    const paceMs = this.work.paceOf(workerId);
    if (paceMs === undefined) return 0;
    const expected = (this.work.runningAt(workerId) * this.#timing.aheadMs) / Math.max(1, paceMs);
    return Math.min(Math.floor(slots / 2), Math.floor(expected));
  }

  /** Offers wait there when more is used than there are slots; as many again may be sent to overtake them. */
  #withAhead(worker: OpenWorker, now: number): OpenWorker {
    const { workerId, slots, used } = worker;
    const ahead = this.#ahead(worker);
    if (used <= slots || ahead === 0) return { ...worker, slots: slots + ahead };
    const offers: OfferedAhead['offers'] = [];
    for (const key of this.#pending.at(workerId)) {
      const ready = this.work.readyOf(key);
      if (ready) offers.push({ tenant: ready.tenant, urgency: urgencyOf(ready.rank, ready.readyAt, now, this.#timing.ageingMs) });
    }
    return { ...worker, slots: slots + ahead, ahead: { most: slots + 2 * ahead, offers } };
  }

  #openWorkers(now: number): OpenWorker[] {
    return this.directory.offerable(now).map((worker) => ({
      workerId: worker.beat.workerId,
      epoch: worker.beat.epoch,
      agents: this.directory.agentsOf(worker),
      slots: worker.beat.slots,
      size: worker.beat.slots,
      used: this.#usedSlots(worker) + this.#pending.at(worker.beat.workerId).size,
      lastTurn: this.#lastTurn.get(worker.beat.workerId) ?? 0,
    }));
  }

  /**
   * Attempts running there, and others that it lists: taken but not started, or closed by others. One that it has just completed counts no
   * longer, although it is listed until the next beat: else each slot would rest for the time between beats. An offer that overtakes the
   * answer which frees the slot waits at the worker.
   */
  #usedSlots({ beat: { workerId }, held }: KnownWorker): number {
    let used = this.work.runningAt(workerId);
    for (const key of held) if (!this.#pending.has(key) && (this.work.isReadyKey(key) || this.work.wasBrokenOff(key))) used += 1;
    return used;
  }

  #offer({ attempt: { runId, taskId, attempt, planning, bidding, tenant }, ...match }: Match, now: number): Offer {
    const { agent, insteadOf, queuedMs, turn } = match;
    return {
      ...{ runId, taskId, attempt, agent, turn },
      ...(insteadOf !== undefined && { insteadOf }),
      ...(queuedMs !== undefined && { queuedMs }),
      ...(planning && { catalogue: this.directory.catalogue(now, tenant) }),
      ...(bidding && { figures: { load: this.#loadOf(agent, now), ...this.work.records.of(agent) } }),
    };
  }

  /** Share of the slots of all who have the agent that are taken, from 0 to 1. */
  #loadOf(agent: AgentName, now: number): number {
    let [used, slots] = [0, 0];
    for (const worker of this.#openWorkers(now)) {
      if (!worker.agents.some(({ name }) => name === agent)) continue;
      used += Math.min(worker.used, worker.slots);
      slots += worker.slots;
    }
    return slots === 0 ? 1 : used / slots;
  }

  #whyLost(attempt: RunningAttempt, now: number): Pick<LostAttempt, 'cause' | 'reason'> | undefined {
    const { workerId, seenAt } = attempt;
    const worker = this.directory.get(workerId);
    if (this.directory.isLost(workerId, now)) {
      return { cause: 'silent', reason: `no heartbeat of worker ${workerId} for ${this.directory.silentFor(workerId, now)} ms` };
    }
    if (worker === undefined || worker.held.has(attemptKey(attempt))) return undefined;
    if (attempt.after !== undefined && worker.held.has(attempt.after)) return undefined;
    // A beat heard before the start was seen here says nothing about it.
    if (worker.beat.state === 'terminated' && worker.lastSeenAt > seenAt) return { cause: 'left', reason: `worker ${workerId} has left` };
    if (worker.restarted && worker.firstSeenAt > seenAt) return { cause: 'restarted', reason: `worker ${workerId} was started anew` };
    if (worker.lastSeenAt - seenAt < this.#timing.listedAfterMs) return undefined;
    return { cause: 'not-listed', reason: `worker ${workerId} does not list the attempt` };
  }
}

function hasOther<T>(items: Iterable<T>, isKnown: (item: T) => boolean): boolean {
  for (const item of items) if (!isKnown(item)) return true;
  return false;
}

function needs({ skills, labels, agent }: ReadyGroup): Pick<Unmatched, 'skills' | 'labels' | 'agent'> {
  return { skills, ...(labels && { labels }), ...(agent !== undefined && { agent }) };
}
