/** When, and by whom, a task is tried again. */
import type { AgentName, Failure, RetryPolicy, TaskSpec } from '@cadre/contracts';

/**
 * @param counted attempts that failed so far, from 1
 * @param random from 0 up to, not with, 1
 * @returns milliseconds to wait before the next attempt; not less than what the failure says
 */
export function retryDelayMs(policy: RetryPolicy, counted: number, random: number, failure: Failure): number {
  const full = Math.min(policy.maxBackoffMs, policy.backoffMs * policy.factor ** (counted - 1));
  return Math.max(Math.ceil(full * (1 - policy.jitter * random)), failure.retryAfterMs ?? 0);
}

/** How waits for a model server grow. A time that the server names goes before it. */
const SERVER_WAIT = { firstMs: 1000, factor: 2, mostMs: 60_000, jitter: 0.5, namedJitter: 0.05 } as const;

/**
 * @param attempts that have found the server in trouble, one after the other, from 1
 * @param random from 0 up to, not with, 1
 * @returns milliseconds until it is asked again; never before the time that it has named
 */
export function serverWaitMs(attempts: number, random: number, { retryAfterMs }: Failure): number {
  const { firstMs, factor, mostMs, jitter, namedJitter } = SERVER_WAIT;
  const grown = Math.ceil(Math.min(mostMs, firstMs * factor ** (attempts - 1)) * (1 - jitter * random));
  return retryAfterMs === undefined ? grown : Math.max(grown, Math.ceil(retryAfterMs * (1 + namedJitter * random)));
}

/** The first round goes to the task's own agent, later ones to the fallback agents in order; the last of them keeps it. */
export function agentFor(spec: TaskSpec, round: number): AgentName | undefined {
  if (round === 1) return spec.agent;
  return spec.fallbackAgents[Math.min(round - 1, spec.fallbackAgents.length) - 1] ?? spec.agent;
}

/** Whether a next round would bring in an agent that has not had its turn. @param counted failed attempts, with the one in hand */
export function hasFallbackLeft(spec: TaskSpec, round: number, counted: number): boolean {
  return round <= spec.fallbackAgents.length && counted < spec.retry.maxAttempts;
}
