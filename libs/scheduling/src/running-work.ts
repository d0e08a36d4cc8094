/** Attempts that run: where, for whom, how long those before them took, and what their workers may still list although it is over. */
import type { AgentName, RunId, WorkerId } from '@cadre/contracts';
import type { RunningAttempt } from './attempts.js';
import { Lately } from './lately.js';
import { Tally } from './tally.js';

/** How long the completed attempts of a worker took of late. */
interface Pace {
  meanMs: number;
  attempts: number;
}

/** An attempt counts for a sixteenth of the mean; before there are so many, the mean means nothing. */
const PACE_ATTEMPTS = 16;
const MOST_PACES = 5000;

/** Longer than a worker goes on with what was taken from it. */
const BROKEN_OFF_MS = 10_000;

export class RunningWork {
  readonly #attempts = new Map<string, RunningAttempt>();
  readonly #atWorker = new Tally<WorkerId>();
  readonly #ofRun = new Tally<RunId>();
  readonly #ofTenant = new Tally();
  readonly #ofTenantAt = new Tally();
  readonly #ofAgent = new Tally<AgentName>();
  readonly #paces = new Map<WorkerId, Pace>();
  /** By the attempt from whose result a worker went on: who that was. */
  readonly #leftBehind = new Map<string, WorkerId>();
  readonly #brokenOff = new Lately(BROKEN_OFF_MS);

  all(): Iterable<RunningAttempt> {
    return this.#attempts.values();
  }

  get size(): number {
    return this.#attempts.size;
  }

  has(key: string): boolean {
    return this.#attempts.has(key);
  }

  at(workerId: WorkerId): number {
    return this.#atWorker.of(workerId);
  }

  /** How many attempts of a run, of a tenant or of an agent run, over all workers. */
  of(whose: { runId: RunId } | { tenant: string } | { agent: AgentName }): number {
    if ('runId' in whose) return this.#ofRun.of(whose.runId);
    return 'tenant' in whose ? this.#ofTenant.of(whose.tenant) : this.#ofAgent.of(whose.agent);
  }

  /** How many attempts of a tenant run at a worker. */
  ofTenantAt(tenant: string, workerId: WorkerId): number {
    return this.#ofTenantAt.of(`${workerId} ${tenant}`);
  }

  /** See `OpenWork.paceOf`. */
  paceOf(workerId: WorkerId): number | undefined {
    const pace = this.#paces.get(workerId);
    return pace !== undefined && pace.attempts >= PACE_ATTEMPTS ? pace.meanMs : undefined;
  }

  isLeftBehind(key: string, workerId: WorkerId): boolean {
    return this.#leftBehind.get(key) === workerId;
  }

  wasBrokenOff(key: string): boolean {
    return this.#brokenOff.has(key);
  }

  expired(now: number): RunningAttempt[] {
    return [...this.#attempts.values()].filter((attempt) => attempt.deadlineAt <= now);
  }

  add(key: string, attempt: RunningAttempt): void {
    this.remove(key);
    this.#attempts.set(key, attempt);
    this.#count(attempt, 1);
    if (attempt.after !== undefined) this.#leftBehind.set(attempt.after, attempt.workerId);
  }

  remove(key: string): void {
    const attempt = this.#attempts.get(key);
    if (attempt === undefined) return;
    this.#attempts.delete(key);
    if (attempt.after !== undefined) this.#leftBehind.delete(attempt.after);
    this.#count(attempt, -1);
  }

  /** It was closed without a result; its worker may still be at it. */
  breakOff(key: string, now: number): void {
    this.#brokenOff.add(key, now);
  }

  /** Before it is removed: an attempt that has completed tells how long its worker takes. */
  learnPace(key: string, now: number): void {
    const attempt = this.#attempts.get(key);
    if (attempt === undefined) return;
    const { workerId, seenAt } = attempt;
    const { meanMs, attempts } = this.#paces.get(workerId) ?? { meanMs: 0, attempts: 0 };
    const weight = 1 / Math.min(attempts + 1, PACE_ATTEMPTS);
    // Those heard of last are the last to be forgotten.
    this.#paces.delete(workerId);
    this.#paces.set(workerId, { meanMs: meanMs + (now - seenAt - meanMs) * weight, attempts: attempts + 1 });
    const [oldest] = this.#paces.keys();
    if (this.#paces.size > MOST_PACES && oldest !== undefined) this.#paces.delete(oldest);
  }

  #count({ workerId, runId, tenant, agent }: RunningAttempt, by: 1 | -1): void {
    this.#atWorker.add(workerId, by);
    this.#ofRun.add(runId, by);
    this.#ofTenant.add(tenant, by);
    this.#ofTenantAt.add(`${workerId} ${tenant}`, by);
    this.#ofAgent.add(agent, by);
  }
}
