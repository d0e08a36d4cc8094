/** Keeps answers within one message. */
import type { ArtifactRef, RunView, TaskView } from '@cadre/contracts';

/** Bytes of the value's JSON. */
export function byteLength(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/**
 * Leaves out the longest answers of tasks until the view fits (their artifacts and state stay); of a run with thousands of tasks also tasks
 * and artifacts, and says how many.
 * @returns undefined when it is too large even so
 */
export function fitRunView(view: RunView, bytes: number): RunView | undefined {
  const slim = withoutLongAnswers(view, bytes);
  if (byteLength(slim) <= bytes) return slim;
  const fitted = withoutTasks(slim, bytes);
  return byteLength(fitted) <= bytes ? fitted : undefined;
}

function withoutLongAnswers(view: RunView, bytes: number): RunView {
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
  return { ...view, tasks };
}

/** Of what the lists may take, artifacts get a quarter and the tasks the rest. */
function withoutTasks(view: RunView, bytes: number): RunView {
  const room = bytes - byteLength({ ...view, tasks: [], artifacts: [], leftOut: { tasks: 1e6, artifacts: 1e6 } });
  const artifacts = taken<ArtifactRef>(view.artifacts, room / 4);
  const wanted = [...view.tasks].sort((a, b) => rank(a) - rank(b));
  const kept = new Set(taken<TaskView>(wanted, room - byteLength(artifacts)));
  const tasks = view.tasks.filter((task) => kept.has(task));
  const leftOut = { tasks: view.tasks.length - tasks.length, artifacts: view.artifacts.length - artifacts.length };
  return { ...view, tasks, artifacts, leftOut };
}

/** What somebody would look for first. */
function rank({ status }: TaskView): number {
  if (status === 'asking' || status === 'failed') return 0;
  return status === 'completed' || status === 'waiting' ? 2 : 1;
}

/** The first of them, as many as fit. */
function taken<T>(list: readonly T[], bytes: number): T[] {
  let size = 2;
  const end = list.findIndex((each) => (size += byteLength(each) + 1) > bytes);
  return end < 0 ? [...list] : list.slice(0, end);
}
