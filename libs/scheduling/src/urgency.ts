/** How urgent a ready attempt is: its own priority, shifted by its run's, growing with the time it has waited. */
import { PRIORITIES, type Priority } from '@cadre/contracts';

const MEDIUM = PRIORITIES.indexOf('medium');

/** 0 (critical) to 4 (background): the task's priority, raised or lowered as far as the run's is from medium. */
export function rankOf(task: Priority, run: Priority): number {
  const rank = PRIORITIES.indexOf(task) + PRIORITIES.indexOf(run) - MEDIUM;
  return Math.min(PRIORITIES.length - 1, Math.max(0, rank));
}

export function priorityOf(rank: number): Priority {
  return PRIORITIES[rank] ?? 'medium';
}

/**
 * Smaller is more urgent. Waiting takes off one level for each `ageingMs`, without end: whatever keeps arriving, an old attempt's turn
 * comes.
 * @param readyAt milliseconds since 1970
 */
export function urgencyOf(rank: number, readyAt: number, now: number, ageingMs: number): number {
  return rank - Math.floor(Math.max(0, now - readyAt) / ageingMs);
}
