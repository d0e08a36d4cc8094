/** What is out of the ordinary with the result of a task. */
import type { TaskView } from '@cadre/contracts';

const MARKS = {
  unstructured: 'not in the form asked for',
  'without-tools': 'rests on no tool',
  'limit-reached': 'its agent came to its limit',
} as const;

/** `rests on no tool, confidence not given`; empty when there is nothing to say. */
export function caveats({ status, agent, mark, confidence }: Pick<TaskView, 'status' | 'agent' | 'mark' | 'confidence'>): string {
  if (status !== 'completed') return '';
  const unknown = agent !== undefined && confidence === undefined;
  return [...(mark === undefined ? [] : [MARKS[mark]]), ...(unknown ? ['confidence not given'] : [])].join(', ');
}
