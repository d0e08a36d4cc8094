import type { TaskId, TaskSpec } from '@cadre/contracts';

/** A fault of a plan. `message` is a sentence for people that says what is wrong and where. */
export type PlanProblem = { message: string; taskId: TaskId } & (
  | { code: 'duplicate-id' }
  | { code: 'reserved-id' }
  | { code: 'unknown-dependency'; dependency: TaskId }
  | { code: 'self-dependency' }
  | { code: 'duplicate-dependency'; dependency: TaskId }
  | { code: 'unknown-alternative'; alternativeTo: TaskId }
  | { code: 'self-alternative' }
  | { code: 'alternative-depends-on-original'; alternativeTo: TaskId }
  | { code: 'cycle'; cycle: TaskId[] }
  | { code: 'require-too-many'; require: number }
  | { code: 'bad-condition'; position?: number }
  | { code: 'unknown-result'; name: string }
);

/** All faults of a plan; an empty list means that it can be run. */
export function validatePlan(_tasks: readonly TaskSpec[]): PlanProblem[] {
  throw new Error('to come');
}
