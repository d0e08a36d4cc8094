/** What a task went on with when there was no money or no room for what was wanted. */
import type { TaskView } from '@cadre/contracts';
import { count } from './figures.js';

/** `degraded to gpt-5-nano, effort low, no review`; empty when it was not. */
export function degradation({ degradedTo, reducedTo = {} }: Pick<TaskView, 'degradedTo' | 'reducedTo'>): string {
  const { effort, reflect, alternatives } = reducedTo;
  const parts = [
    ...(degradedTo === undefined ? [] : [degradedTo]),
    ...(effort === undefined ? [] : [`effort ${effort}`]),
    ...(reflect === undefined ? [] : [reflect === 0 ? 'no review' : count(reflect, 'review')]),
    ...(alternatives === undefined ? [] : [alternatives === 0 ? 'no alternatives' : count(alternatives, 'alternative')]),
  ];
  return parts.length === 0 ? '' : `degraded to ${parts.join(', ')}`;
}
