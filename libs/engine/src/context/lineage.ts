/** From a version back to what it was made from, and from a run's answer back to what it rests on. */
import { ANSWER_TASK, CONTEXT_LIMITS, placeOf } from '@cadre/contracts';
import type { ContextRef, ContextStep, RunLineage, RunView, TaskId, TaskStep, TaskView } from '@cadre/contracts';
import type { ContextCaller, SharedContext } from './shared-context.js';

/**
 * The versions, then what they were made from, and so on, each once. A version that is not kept any more, or may not be read, is `gone`.
 * @returns `more`: there are further ones
 */
export async function traceArtifacts(
  context: SharedContext,
  caller: ContextCaller,
  starts: ContextRef[],
): Promise<{ steps: ContextStep[]; more: boolean }> {
  const steps: ContextStep[] = [];
  const seen = new Set<string>();
  let next = starts;
  while (next.length > 0) {
    const round = next.filter((ref) => !seen.has(nameOf(ref)) && seen.add(nameOf(ref)));
    const room = CONTEXT_LIMITS.traced - steps.length;
    const found = await Promise.all(round.slice(0, room).map((ref) => stepOf(context, caller, ref)));
    steps.push(...found);
    if (round.length > room) return { steps, more: true };
    next = found.flatMap((step) => ('from' in step ? step.from.filter((source) => 'artifact' in source) : []));
  }
  return { steps, more: false };
}

const nameOf = ({ artifact, version, sha256 }: ContextRef): string => `${artifact}@${version} ${sha256}`;

async function stepOf(context: SharedContext, caller: ContextCaller, ref: ContextRef): Promise<ContextStep> {
  const found = await context.get(caller, ref.artifact, ref.version);
  if (!found.ok || found.version.body.sha256 !== ref.sha256) return { ...ref, gone: true };
  const { key: _key, ...version } = found.version;
  return { ...version, artifact: ref.artifact };
}

/** Walks from the tasks on whose results no other task builds (the answer's, if there is one) back to those that depend on nothing. */
export function runLineage(run: RunView): Omit<RunLineage, 'context' | 'more'> {
  const byId = new Map(run.tasks.map((task) => [task.taskId, task]));
  const sources = new Map(run.tasks.map((task) => [task.taskId, new Set(task.dependsOn)]));
  // A scope's result is made of those of the tasks within it.
  for (const { taskId } of run.tasks) {
    const scope = placeOf(taskId)?.scope;
    if (scope !== undefined) sources.get(scope)?.add(taskId);
  }
  const used = new Set([...sources.values()].flatMap((each) => [...each]));
  const steps = new Map<TaskId, TaskStep>();
  const ends = run.tasks.filter(({ taskId }) => !used.has(taskId));
  let next = [...ends.filter(({ taskId }) => taskId === ANSWER_TASK), ...ends.filter(({ taskId }) => taskId !== ANSWER_TASK)];
  while (next.length > 0) {
    for (const task of next)
      steps.set(
        task.taskId,
        taskStep(
          task,
          [...sources.get(task.taskId)!].filter((id) => byId.has(id)),
        ),
      );
    const from = new Set(next.flatMap(({ taskId }) => steps.get(taskId)!.from));
    next = [...from].filter((id) => !steps.has(id)).map((id) => byId.get(id)!);
  }
  return { runId: run.runId, status: run.status, tasks: [...steps.values()], inputs: run.inputs };
}

function taskStep({ taskId, title, status, agent, artifacts, context }: TaskView, from: TaskId[]): TaskStep {
  const { read = [], written = [] } = context ?? {};
  return { taskId, title, status, ...(agent !== undefined && { agent }), from, artifacts, read, written };
}
