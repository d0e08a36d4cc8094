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

/** The first round goes to the task's own agent, later ones to the fallback agents in order; the last of them keeps it. */
export function agentFor(spec: TaskSpec, round: number): AgentName | undefined {
  if (round === 1) return spec.agent;
  return spec.fallbackAgents[Math.min(round - 1, spec.fallbackAgents.length) - 1] ?? spec.agent;
}

/** Whether a next round would bring in an agent that has not had its turn. @param counted failed attempts, with the one in hand */
export function hasFallbackLeft(spec: TaskSpec, round: number, counted: number): boolean {
  return round <= spec.fallbackAgents.length && counted < spec.retry.maxAttempts;
}
