/**
 * Keeps work away from an agent that fails at everything. A fold of the logs of all shards, with their times: after some failures in a
 * row within a window an agent's breaker opens; when the cool-down is over it is half open, and one attempt at a time may probe; a success
 * closes it, a failure opens it anew.
 *
 * Nothing of this is in a snapshot. After a failover, or when a log was trimmed, an agent starts closed unless the events since the
 * snapshot say otherwise; at worst some attempts find out again what the scheduler before knew.
 */
import { shardOf, type AgentName, type Block, type Commit, type Failure, type RunEvent, type RunId } from '@cadre/contracts';
import type { ShardState } from '@cadre/engine';
import { attemptKey } from './attempts.js';

export interface BreakerRules {
  /** Failures in a row that open it; 0: it never opens. */
  failures: number;
  /** They must lie within this time. */
  windowMs: number;
  /** How long it is open before it probes. Shorter than the time that ready work may wait for a free slot. */
  coolDownMs: number;
}

export const BREAKER_RULES: BreakerRules = { failures: 5, windowMs: 60_000, coolDownMs: 5000 };

export type AgentBreakerState = 'closed' | 'open' | 'half-open';

/** A breaker that is not closed, for people. Times are milliseconds since 1970. */
export interface AgentBreakerView {
  agent: AgentName;
  state: 'open' | 'half-open';
  openedAt: number;
  /** From when on a probe may be offered. */
  probeAt: number;
  /** The failure that opened it. */
  error: { code: string; message: string };
}

/** Failures that say nothing against the agent: its worker, its run, its budget or the task itself was the cause. */
const NOT_ITS_FAULT: ReadonlySet<string> = new Set([
  'worker-lost',
  'attempt-released',
  'released',
  'aborted',
  'cancelled',
  'run-cancelled',
  'run-ended',
  'budget-exceeded',
  'model-unpriced',
  'waiting-for-answer',
  'effect-unknown',
  'low-confidence',
  'model-refused',
]);

/** Whether a failure says something against the agent. */
export function isItsFault(code: string): boolean {
  return !NOT_ITS_FAULT.has(code);
}

interface Breaker {
  /** Times of the failures since the last success, the latest ones. */
  failures: number[];
  opened?: { at: number; error: Failure };
}

interface Work {
  runId: RunId;
  agent: AgentName;
  startedAt: number;
}

export class AgentBreakers {
  readonly #rules: BreakerRules;
  readonly #breakers = new Map<AgentName, Breaker>();
  /** Running attempts, by `attemptKey`. */
  readonly #running = new Map<string, Work>();
  readonly #keysOfRun = new Map<RunId, Set<string>>();
  /** The time of the last commit, by shard, and what it was when the shard was last read anew: a commit that is read again counts once. */
  readonly #latest = new Map<number, number>();
  readonly #countedTo = new Map<number, number>();

  constructor(rules: Partial<BreakerRules> = {}) {
    this.#rules = { ...BREAKER_RULES, ...rules };
  }

  /** Forgets what runs in a shard and takes it from a snapshot. */
  reset(shard: number, state: ShardState): void {
    this.#countedTo.set(shard, this.#latest.get(shard) ?? -1);
    for (const runId of [...this.#keysOfRun.keys()]) if (shardOf(runId) === shard) this.#dropRun(runId);
    for (const { runId, tasks } of Object.values(state.open)) {
      for (const [taskId, { status, attempt, agent, startedAt }] of Object.entries(tasks)) {
        if (status === 'running' && agent !== undefined) this.#begin(attemptKey({ runId, taskId, attempt }), runId, agent, startedAt ?? 0);
      }
    }
  }

  apply({ shard, commits }: Block): void {
    const countedTo = this.#countedTo.get(shard) ?? -1;
    for (const commit of commits) {
      for (const event of commit.events) this.#applyEvent(commit, event, commit.at > countedTo);
      this.#latest.set(shard, Math.max(this.#latest.get(shard) ?? -1, commit.at));
    }
  }

  /** False while every agent may get all the work there is, which is nearly always. */
  get anyOpen(): boolean {
    for (const { opened } of this.#breakers.values()) if (opened) return true;
    return false;
  }

  stateOf(agent: AgentName, now: number): AgentBreakerState {
    const opened = this.#breakers.get(agent)?.opened;
    if (opened === undefined) return 'closed';
    return now < opened.at + this.#rules.coolDownMs ? 'open' : 'half-open';
  }

  /** How many more attempts the agent may be offered. @param offered offers to it that are on their way */
  room(agent: AgentName, offered: number, now: number): number {
    const state = this.stateOf(agent, now);
    if (state === 'closed') return Infinity;
    return state === 'open' ? 0 : Math.max(0, 1 - offered - this.#probes(agent));
  }

  /** All breakers that are not closed, by name. */
  list(now: number): AgentBreakerView[] {
    const views: AgentBreakerView[] = [];
    for (const [agent, { opened }] of this.#breakers) {
      if (opened === undefined) continue;
      const state = this.stateOf(agent, now) === 'open' ? 'open' : 'half-open';
      const { code, message } = opened.error;
      views.push({ agent, state, openedAt: opened.at, probeAt: opened.at + this.#rules.coolDownMs, error: { code, message } });
    }
    return views.sort((a, b) => (a.agent < b.agent ? -1 : 1));
  }

  /**
   * Attempts started since it opened. An older one may hang for long, and its end tells as much; it does not keep a probe from starting.
   */
  #probes(agent: AgentName): number {
    const openedAt = this.#breakers.get(agent)?.opened?.at ?? 0;
    let probes = 0;
    for (const work of this.#running.values()) if (work.agent === agent && work.startedAt >= openedAt) probes += 1;
    return probes;
  }

  /** @param counts false for a commit that was folded before: then only what is running is taken from it */
  #applyEvent({ runId, at }: Commit, event: RunEvent, counts: boolean): void {
    switch (event.type) {
      case 'AttemptStarted':
        return this.#begin(attemptKey({ runId, taskId: event.taskId, attempt: event.attempt }), runId, event.agent, at);
      case 'AttemptFailed': {
        const agent = this.#end(runId, attemptKey({ runId, taskId: event.taskId, attempt: event.attempt }));
        if (counts && agent !== undefined && event.counted && isItsFault(event.error.code)) this.#failed(agent, event.error, at);
        return;
      }
      case 'TaskCompleted': {
        const agent = this.#end(runId, attemptKey({ runId, taskId: event.taskId, attempt: event.attempt }));
        if (counts && agent !== undefined) this.#breakers.delete(agent);
        return;
      }
      case 'RunCompleted':
      case 'RunFailed':
      case 'RunCancelled':
        return this.#dropRun(runId);
    }
  }

  #failed(agent: AgentName, error: Failure, at: number): void {
    const { failures, windowMs, coolDownMs } = this.#rules;
    if (failures === 0) return;
    const breaker = this.#breakers.get(agent) ?? { failures: [] };
    this.#breakers.set(agent, breaker);
    breaker.failures = [...breaker.failures, at].slice(-failures);
    const { opened } = breaker;
    // Stragglers that fail while it is open prolong nothing; else a queue of them would keep the probe away.
    if (opened) {
      if (at >= opened.at + coolDownMs) breaker.opened = { at, error };
    } else if (breaker.failures.length === failures && at - breaker.failures[0]! <= windowMs) breaker.opened = { at, error };
  }

  #begin(key: string, runId: RunId, agent: AgentName, startedAt: number): void {
    this.#running.set(key, { runId, agent, startedAt });
    const keys = this.#keysOfRun.get(runId);
    if (keys) keys.add(key);
    else this.#keysOfRun.set(runId, new Set([key]));
  }

  /** @returns whose it was */
  #end(runId: RunId, key: string): AgentName | undefined {
    const agent = this.#running.get(key)?.agent;
    this.#running.delete(key);
    const keys = this.#keysOfRun.get(runId);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOfRun.delete(runId);
    return agent;
  }

  #dropRun(runId: RunId): void {
    for (const key of this.#keysOfRun.get(runId) ?? []) this.#running.delete(key);
    this.#keysOfRun.delete(runId);
  }
}
