import { utf8Bytes } from '@cadre/contracts';
import type { TaskSpec } from '@cadre/contracts';

/** A part, as a command and as the commit that it causes, fits into one message with room to spare. */
const PART_BYTES = 400 * 1024;

/**
 * Cuts a plan into parts for `StartRun` (the first, with `morePlan` when there are more) and `AddTasks`. A plan that fits into one message
 * stays whole.
 */
export function planParts(tasks: readonly TaskSpec[]): TaskSpec[][] {
  const parts: TaskSpec[][] = [];
  let part: TaskSpec[] = [];
  let bytes = 0;
  for (const task of tasks) {
    const size = utf8Bytes(JSON.stringify(task)) + 1;
    if (part.length > 0 && bytes + size > PART_BYTES) {
      parts.push(part);
      [part, bytes] = [[], 0];
    }
    part.push(task);
    bytes += size;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
