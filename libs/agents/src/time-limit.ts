/** How long an attempt may take, and what is said when that was not enough: which limit it was, and how it is raised. */
import { CadreError, DEFAULT_LIMIT_REMEDY } from '@cadre/contracts';
import type { AgentDefinition, Assignment } from '@cadre/contracts';

export interface TimeLimit {
  ms: number;
  error: CadreError;
  /** The task sets none of its own, and the next attempt gets more. */
  isDefault: boolean;
}

/** The run's deadline may have cut off this much by the time that the worker has heard of the attempt. */
const ON_THE_WAY_MS = 5000;

/** @param leftMs until the attempt's deadline */
export function timeLimitOf(
  { defaultLimitMs }: Pick<Assignment, 'defaultLimitMs'>,
  { name, limits }: Pick<AgentDefinition, 'name' | 'limits'>,
  leftMs: number,
): TimeLimit {
  const { maxMs = Infinity } = limits;
  if (maxMs < leftMs) {
    const remedy = `Raise limits.maxMs of the agent ${name}.`;
    return { ms: maxMs, error: late(`The attempt took longer than ${maxMs} ms, the limit of its agent.`, remedy), isDefault: false };
  }
  const took = `The attempt took longer than ${Math.ceil(leftMs / 1000)} s`;
  if (defaultLimitMs === undefined) {
    const remedy = 'Raise timeoutMs of the task, or the deadline of the run.';
    return { ms: leftMs, error: late(`${took}, the limit of its task or what was left of its run.`, remedy), isDefault: false };
  }
  if (leftMs >= defaultLimitMs - ON_THE_WAY_MS) return { ms: leftMs, error: late(`${took}.`, DEFAULT_LIMIT_REMEDY), isDefault: true };
  return { ms: leftMs, error: late(`${took}, which was left of its run.`, 'Start the run with a longer deadline.'), isDefault: true };
}

function late(message: string, remedy: string): CadreError {
  return new CadreError('time-limit', message, { retriable: true, remedy });
}
