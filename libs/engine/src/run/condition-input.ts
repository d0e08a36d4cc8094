/** What a condition sees of the run. */
import type { Content, TaskId, TaskSpec } from '@cadre/contracts';
import type { Draft } from './draft.js';
import { standIn, upstream } from './standing.js';
import type { ConditionInput } from '../plan/conditions.js';

function textOf(content: Content): string {
  return 'text' in content ? content.text : content.preview;
}

/**
 * Results of a task's dependencies, direct and indirect; each has all three fields, so that an expression need not ask whether they are
 * there. A long answer shows its preview. Where an alternative stands in, its result is shown under both names.
 * @param names only these are wanted; undefined: all
 */
export function conditionInput(draft: Draft, spec: TaskSpec, names: readonly TaskId[] | undefined): ConditionInput {
  const results: ConditionInput['results'] = {};
  // That a named task may be looked at was seen when the plan was checked; a walk over all that came before costs too much for each of thousands.
  for (const id of names ?? upstream(draft, spec)) {
    const task = draft.get(id);
    if (!task) continue;
    const shown = standIn(draft, task) ?? task;
    results[id] = {
      status: shown.status,
      confidence: shown.result?.confidence ?? 0,
      answer: shown.result ? textOf(shown.result.answer) : '',
    };
  }
  return { goal: draft.run.goal, results };
}
