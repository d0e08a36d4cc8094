/** For specs of scopes and waits: what is done to a run, and what is seen of it. */
import type { TaskSpecInput } from '@cadre/contracts';
import type { Decision } from '../decision.js';
import { EngineRig, RUN_ID, result, task } from './engine-rig.js';

export type ScopeInput = NonNullable<TaskSpecInput['scope']>;

/** A task that the engine does itself. */
export function scope(id: string, given: ScopeInput, rest: Partial<TaskSpecInput> = {}): TaskSpecInput {
  return task(id, { scope: given, ...rest });
}

/** A rig with a plan under way, without an answer task. */
export function started(tasks: TaskSpecInput[], options: Parameters<EngineRig['start']>[1] = {}): EngineRig {
  const rig = new EngineRig();
  rig.comparing = true;
  rig.start(tasks, { summarize: false, ...options });
  return rig;
}

export function wake(rig: EngineRig, taskId: string, event?: { id: string; type: string; source: string; data: never }): Decision {
  return rig.send({ type: 'WakeTask', taskId, ...(event && { event }) });
}

export function statuses(rig: EngineRig): Record<string, string> {
  return Object.fromEntries(Object.values(rig.run().tasks).map(({ spec, status }) => [spec.id, status]));
}

/** Does whatever is ready, in order, until nothing is. @param answer what a task answers; undefined: it fails for good */
export function work(rig: EngineRig, answer: (id: string) => string | undefined = (id) => `${id} done`): string[] {
  const done: string[] = [];
  for (;;) {
    const next = Object.values(rig.shard.open[RUN_ID]?.tasks ?? {}).find(({ status }) => status === 'ready');
    if (!next) return done;
    const { id } = next.spec;
    const text = answer(id);
    done.push(id);
    if (text === undefined) rig.fail(id);
    else rig.complete(id, result(text));
  }
}

export function answerOf(rig: EngineRig, id: string): unknown {
  const content = rig.run().tasks[id]?.result?.answer;
  return content && 'text' in content ? JSON.parse(content.text) : content;
}
