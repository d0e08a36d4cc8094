/** Keeps answers within one message. */
import type { RunView } from '@cadre/contracts';

/** Bytes of the value's JSON. */
export function byteLength(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/**
 * Leaves out the longest answers of tasks (their artifacts and state stay) until the view fits.
 * @returns undefined when it is too large even without them
 */
export function fitRunView(view: RunView, bytes: number): RunView | undefined {
  let excess = byteLength(view) - bytes;
  if (excess <= 0) return view;
  const longest = view.tasks
    .map((task, index) => ({ index, size: task.answer === undefined ? 0 : byteLength(task.answer) }))
    .filter(({ size }) => size > 0)
    .sort((a, b) => b.size - a.size);
  const dropped = new Set<number>();
  for (const { index, size } of longest) {
    if (excess <= 0) break;
    dropped.add(index);
    excess -= size;
  }
  const tasks = view.tasks.map((task, index) => {
    if (!dropped.has(index)) return task;
    const { answer: _answer, ...rest } = task;
    return rest;
  });
  const fitted = { ...view, tasks };
  return byteLength(fitted) <= bytes ? fitted : undefined;
}
