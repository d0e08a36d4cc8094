/** A task in one line. */
import { degradation } from '../output/degradation.js';
import { consumption, duration, oneLine } from '../output/figures.js';
import type { TaskProgress } from './task-progress.js';

/** `Analyse the data · data-analyst · 1.2 s · 1,540 tokens, $0.0015` */
export function taskLine(task: TaskProgress, width: number): string {
  const parts = [
    task.agent ?? '',
    itemsOf(task),
    task.attempt > 1 ? `attempt ${task.attempt}` : '',
    degradation(task),
    task.cached ? 'from the cache' : '',
    timeOf(task),
    usageOf(task),
  ].filter((part) => part !== '');
  const rest = parts.map((part) => ` · ${part}`).join('');
  return `${oneLine(task.title, Math.max(20, width - rest.length))}${rest}`;
}

function itemsOf({ items }: TaskProgress): string {
  return items === undefined ? '' : `${items.ended} of ${items.count}`;
}

function timeOf({ startedAt, endedAt }: TaskProgress): string {
  return startedAt !== undefined && endedAt !== undefined ? duration(endedAt - startedAt) : '';
}

function usageOf({ usage }: TaskProgress): string {
  return usage.modelCalls === 0 && usage.toolCalls === 0 ? '' : consumption(usage);
}
