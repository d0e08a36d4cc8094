/** Cuts a plan that is too large for one message into parts; the owner puts them together again. */
import { utf8Bytes, type TaskSpec } from '@cadre/contracts';

/** Of the JSON of one part's tasks: with the rest of a command it fits into a message, and its commit into a block. */
export const PART_BYTES = 256 * 1024;

/**
 * In order, each at most `PART_BYTES` or a single task. The same plan always gives the same parts: a repeated request sends them again.
 * @param tasks at least one
 */
export function planParts(tasks: readonly TaskSpec[], partBytes = PART_BYTES): TaskSpec[][] {
  const parts: TaskSpec[][] = [];
  let room = 0;
  for (const task of tasks) {
    const bytes = utf8Bytes(JSON.stringify(task)) + 1;
    if (bytes > room || parts.length === 0) {
      parts.push([]);
      room = partBytes;
    }
    parts.at(-1)?.push(task);
    room -= bytes;
  }
  return parts;
}
