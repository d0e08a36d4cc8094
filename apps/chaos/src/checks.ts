/** What must be true after accidents: the invariants over the whole log, and what was acknowledged is there, once, with the same answer. */
import { checkInvariants } from '@cadre/engine';
import type { RunView } from '@cadre/contracts';
import type { LogWitness } from './log-witness.js';

export interface Acknowledged {
  submissions: readonly { runId: string }[];
  /** Commands sent straight to the owner and answered `accepted`. */
  commands: readonly { runId: string; commandId: string }[];
}

/** Violations in words; none when all is well. The system must be quiet. */
export async function logFaults(witness: LogWitness, acknowledged: Acknowledged, views: readonly RunView[]): Promise<string[]> {
  await witness.caughtUp();
  const { submissions, commands } = acknowledged;
  const evidence = { blocks: witness.blocks, submissions, acceptedCommands: commands, views, finished: true, now: Date.now() };
  return checkInvariants(evidence).map(({ invariant, clause, message }) => `${invariant} ${clause}: ${message}`);
}

/** Results beyond one for each task, and ends beyond one for each run. */
export function doubleResults(witness: LogWitness): number {
  const seen = new Set<string>();
  let doubles = 0;
  for (const { runId, events } of witness.commits()) {
    for (const event of events) {
      const key =
        event.type === 'TaskCompleted'
          ? `${runId}/${event.taskId}`
          : /^Run(Completed|Failed|Cancelled)$/.test(event.type)
            ? runId
            : undefined;
      if (key === undefined) continue;
      if (seen.has(key)) doubles += 1;
      seen.add(key);
    }
  }
  return doubles;
}

/** What is the same in every undisturbed execution of a request. */
export function essence(view: RunView): string {
  const { status, partial, answer } = view;
  const tasks = view.tasks.map((task) => ({ id: task.taskId, status: task.status, answer: task.answer }));
  return JSON.stringify({ status, partial, answer, tasks }).replaceAll(view.runId, '<run>');
}
