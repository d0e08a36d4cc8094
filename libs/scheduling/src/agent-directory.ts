/** Who is there: the workers and their agents, as their heartbeats tell. Silence counts only while we were listening. */
import {
  HEARTBEAT,
  type AgentName,
  type AgentSummary,
  type Heartbeat,
  type TenantId,
  type WorkerId,
  type WorkerView,
} from '@cadre/contracts';
import { DefinedAgents, type StoredAgent } from '@cadre/engine';
import { attemptKey, freeOfRemoved, type AttemptName, type ReadyGroup } from './attempts.js';
import { HostedAgents, type HostedAgent } from './hosted-agents.js';

/** One life of one worker. Times are milliseconds since 1970 on the local clock. */
export interface KnownWorker {
  beat: Heartbeat;
  /** Keys of the attempts held, see `attemptKey`. */
  held: ReadonlySet<string>;
  /** First beat of this life. */
  firstSeenAt: number;
  /** An earlier life of it was heard too. */
  restarted: boolean;
  lastSeenAt: number;
}

export interface DirectoryTiming {
  /** Silence after which a worker is lost. */
  lostAfterMs: number;
  /** Silence after which it is offered nothing new. */
  doubtAfterMs: number;
  /** Silence for which its agents still count as at hand for planning: a worker that is lost comes back or is replaced. */
  plannableMs: number;
  /** How long lost workers and those that took their leave are still shown. */
  forgetAfterMs: number;
}

export const DIRECTORY_TIMING: DirectoryTiming = {
  lostAfterMs: HEARTBEAT.lostAfterMs,
  doubtAfterMs: 1000,
  plannableMs: 30_000,
  forgetAfterMs: 600_000,
};

export class AgentDirectory {
  readonly #workers = new Map<WorkerId, KnownWorker>();
  readonly #timing: DirectoryTiming;
  readonly #defined = new DefinedAgents();
  readonly #hosted = new HostedAgents(this.#defined);
  #listeningSince: number;

  /** @param now when listening begins */
  constructor(now: number, timing: Partial<DirectoryTiming> = {}) {
    this.#listeningSince = now;
    this.#timing = { ...DIRECTORY_TIMING, ...timing };
  }

  /**
   * Takes a beat. A late one of the same life, or of an earlier life, is passed over; but once a life has fallen silent another one is
   * believed, for it may have begun on a machine whose clock is behind. @returns whether anything but the time changed
   */
  hear(beat: Heartbeat, now: number): boolean {
    const known = this.#workers.get(beat.workerId);
    const sameLife = known?.beat.epoch === beat.epoch;
    if (known && sameLife && beat.seq <= known.beat.seq) return false;
    if (known && !sameLife && beat.startedAt < known.beat.startedAt && !this.isLost(beat.workerId, now)) return false;
    const held = new Set(beat.held.map(attemptKey));
    const life = known && sameLife ? known : { firstSeenAt: now, restarted: known !== undefined };
    this.#workers.set(beat.workerId, { beat, held, firstSeenAt: life.firstSeenAt, restarted: life.restarted, lastSeenAt: now });
    if (!known || !sameLife) return true;
    const hasReadMore = known.beat.definitions !== beat.definitions;
    return (
      hasReadMore ||
      known.beat.state !== beat.state ||
      known.beat.slots !== beat.slots ||
      !sameKeys(known.held, held) ||
      !this.#isFresh(known, now)
    );
  }

  /** Takes an agent that was defined at run time, changed or removed. @returns whether it is news */
  learn(stored: StoredAgent): boolean {
    return this.#defined.take(stored);
  }

  /** What may be taken by whom, now that some agents are removed. */
  withoutRemoved(groups: ReadyGroup[]): ReadyGroup[] {
    if (this.#defined.changes === 0) return groups;
    return groups.map((group) => freeOfRemoved(group, (tenant, agent) => this.#defined.isRemoved(tenant, agent)));
  }

  /** What a worker has: its own agents, and those that it has made of definitions. */
  agentsOf({ beat }: KnownWorker): readonly HostedAgent[] {
    return this.#hosted.of(beat);
  }

  /** Beats may have been missed until now (the connection was down, the process stood still): silence counts from here. */
  listenAnew(now: number): void {
    this.#listeningSince = now;
  }

  /** How long silence could have been heard, in milliseconds. */
  listeningFor(now: number): number {
    return now - this.#listeningSince;
  }

  get(workerId: WorkerId): KnownWorker | undefined {
    return this.#workers.get(workerId);
  }

  /**
   * How many attempts of an agent may be at work at once, as its workers say; when they differ, the least. Agents without a limit are left
   * out.
   */
  agentLimits(now: number): Map<AgentName, number> {
    const limits = new Map<AgentName, number>();
    for (const worker of this.live(now)) {
      for (const { name, maxParallel } of this.agentsOf(worker)) {
        if (maxParallel !== undefined) limits.set(name, Math.min(maxParallel, limits.get(name) ?? Infinity));
      }
    }
    return limits;
  }

  /** Heard of lately, and not gone. */
  isLive(worker: KnownWorker, now: number): boolean {
    return worker.beat.state !== 'terminated' && this.silentFor(worker.beat.workerId, now) <= this.#timing.lostAfterMs;
  }

  /** Milliseconds of silence; for a worker never heard of, since listening began. */
  silentFor(workerId: WorkerId, now: number): number {
    return now - Math.max(this.#workers.get(workerId)?.lastSeenAt ?? 0, this.#listeningSince);
  }

  isLost(workerId: WorkerId, now: number): boolean {
    return this.silentFor(workerId, now) > this.#timing.lostAfterMs;
  }

  live(now: number): KnownWorker[] {
    return [...this.#workers.values()].filter((worker) => this.isLive(worker, now));
  }

  /** Those that may be offered work: live, beating, idle or running. */
  offerable(now: number): KnownWorker[] {
    return [...this.#workers.values()].filter(
      (worker) => (worker.beat.state === 'idle' || worker.beat.state === 'running') && this.#isFresh(worker, now),
    );
  }

  /**
   * The agents at hand for a tenant's plans, by name. A plan lives longer than a pause of a worker, so short silence does not take its
   * agents away; a worker that took its leave does.
   */
  catalogue(now: number, tenant: TenantId): AgentSummary[] {
    const byName = new Map<string, AgentSummary>();
    const plannable = [...this.#workers.values()].filter(
      ({ beat }) => beat.state !== 'terminated' && this.silentFor(beat.workerId, now) <= this.#timing.plannableMs,
    );
    for (const worker of plannable) {
      for (const { tenant: only, standsFor: _standsFor, ...agent } of this.agentsOf(worker)) {
        if (only === undefined || only === tenant) byName.set(agent.name, agent);
      }
    }
    return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Whether a live worker lists the attempt. */
  isHeld(name: AttemptName, now: number): boolean {
    const key = attemptKey(name);
    return this.live(now).some((worker) => worker.held.has(key));
  }

  /** All workers as lists show them, by id; those gone for long are forgotten. */
  views(now: number): WorkerView[] {
    for (const [workerId, { lastSeenAt }] of this.#workers) {
      if (now - lastSeenAt > this.#timing.forgetAfterMs) this.#workers.delete(workerId);
    }
    const workers = [...this.#workers.values()].sort((a, b) => (a.beat.workerId < b.beat.workerId ? -1 : 1));
    return workers.map(({ beat: { seq: _seq, ...beat }, held, lastSeenAt }) => ({
      ...beat,
      held: held.size,
      lastSeenAt,
      lost: beat.state !== 'terminated' && this.isLost(beat.workerId, now),
    }));
  }

  #isFresh(worker: KnownWorker, now: number): boolean {
    return now - worker.lastSeenAt <= this.#timing.doubtAfterMs;
  }
}

function sameKeys(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((key) => b.has(key));
}
