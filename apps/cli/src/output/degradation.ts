/** What a task went on with when there was no money, no room or no slot for what was wanted. */
import type { TaskView } from '@cadre/contracts';
import { count, duration } from './figures.js';

type Degraded = Pick<TaskView, 'degradedTo' | 'reducedTo' | 'insteadOf' | 'queuedMs'>;

/** `instead of analyst, degraded to gpt-5-nano, effort low, no review: no free slot for 31s`; empty when it was done as it was to be. */
export function degradation({ degradedTo, reducedTo = {}, insteadOf, queuedMs }: Degraded): string {
  const { effort, reflect, alternatives } = reducedTo;
  const less = [
    ...(degradedTo === undefined ? [] : [degradedTo]),
    ...(effort === undefined ? [] : [`effort ${effort}`]),
    ...(reflect === undefined ? [] : [reflect === 0 ? 'no review' : count(reflect, 'review')]),
    ...(alternatives === undefined ? [] : [alternatives === 0 ? 'no alternatives' : count(alternatives, 'alternative')]),
  ];
  const parts = [
    ...(insteadOf === undefined ? [] : [`instead of ${insteadOf}${queuedMs === undefined ? ', which was removed' : ''}`]),
    ...(less.length === 0 ? [] : [`degraded to ${less.join(', ')}`]),
  ];
  return parts.length === 0 || queuedMs === undefined ? parts.join(', ') : `${parts.join(', ')}: no free slot for ${duration(queuedMs)}`;
}
