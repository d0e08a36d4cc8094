/** When, and by whom, a task is tried again. */
import type { AgentName, RetryPolicy, TaskSpec } from '@cadre/contracts';

/**
 * @param counted attempts that failed so far, from 1
 * @param random from 0 up to, not with, 1
 * @returns milliseconds to wait before the next attempt
 */
export function retryDelayMs(policy: RetryPolicy, counted: number, random: number): number {
  const full = Math.min(policy.maxBackoffMs, policy.backoffMs * policy.factor ** (counted - 1));
  return Math.ceil(full * (1 - policy.jitter * random));
}

/** The first try goes to the task's own agent, later ones to the fallback agents in order; the last of them keeps it. */
export function agentFor(spec: TaskSpec, counted: number): AgentName | undefined {
  if (counted === 0) return spec.agent;
  return spec.fallbackAgents[Math.min(counted, spec.fallbackAgents.length) - 1] ?? spec.agent;
}

/** Whether another counted failure would bring in an agent that has not had its turn. */
export function hasFallbackLeft(spec: TaskSpec, counted: number): boolean {
  return counted < spec.fallbackAgents.length && counted + 1 < spec.retry.maxAttempts;
}
