import type { TaskId } from '@cadre/contracts';

/** A fault of a plan. `message` is a sentence for people that says what is wrong and where. */
export type PlanProblem = { message: string; taskId: TaskId } & (
  | { code: 'duplicate-id' }
  | { code: 'reserved-id' }
  | { code: 'too-large' }
  | { code: 'unknown-dependency'; dependency: TaskId }
  | { code: 'self-dependency' }
  | { code: 'unknown-alternative'; alternativeTo: TaskId }
  | { code: 'self-alternative' }
  | { code: 'alternative-needs-original'; alternativeTo: TaskId }
  | { code: 'too-many-alternatives' }
  | { code: 'cycle'; cycle: TaskId[] }
  | { code: 'require-too-many'; require: number }
  | { code: 'bad-condition'; position?: number }
  | { code: 'bad-expression'; position?: number }
  | { code: 'bad-scope' }
  | { code: 'bad-given' }
  | { code: 'forged-result' }
  | { code: 'bad-cache' }
  | { code: 'bad-wish' }
  | { code: 'bad-specialist' }
  | { code: 'costly-conditions' }
  | { code: 'unknown-result'; name: string }
);
