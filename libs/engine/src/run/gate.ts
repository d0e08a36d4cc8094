/** The gate of a scope: an item whose result does not pass it counts as failed, and the join rule does the rest. */
import type { Scope } from '@cadre/contracts';
import { evaluateCondition } from '../plan/expressions.js';
import type { TaskState } from '../state.js';
import type { Draft } from './draft.js';
import { dataOf, inputOf, resultTask, seenConfidence, textOf } from './expression-input.js';
import { whyUnsure } from './sureness.js';

/**
 * Items whose results nobody is shown: those that the gate has kept out. Without a gate, a failed item may still have something to show.
 */
export function keptOut({ spec, scope }: TaskState): ReadonlySet<number> {
  return new Set(spec.scope?.gate === undefined ? [] : scope?.failed);
}

/** @returns why the result of an item does not count; undefined when it does, or when there is none */
export function whyRefused(draft: Draft, scope: TaskState, item: number): string | undefined {
  const { gate } = scope.spec.scope as Scope;
  const result = gate && resultTask(draft, scope, item)?.result;
  if (!result) return undefined;
  const { minConfidence, where } = gate;
  const unsure = whyUnsure(result.confidence, gate);
  if (unsure !== undefined) return `its result ${unsure}, and the gate asks for ${minConfidence}`;
  if (where === undefined) return undefined;
  const answer = textOf(result.answer);
  const seen = { value: dataOf(answer), answer, confidence: seenConfidence(result.confidence), index: item };
  const outcome = evaluateCondition(where, inputOf(draft.run, draft, scope, seen));
  if (!outcome.ok) return `whether its result passes the gate could not be evaluated: ${outcome.message}`;
  return outcome.value ? undefined : `its result does not pass the gate: ${where}`;
}
