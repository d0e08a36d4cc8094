/** Code that does several tasks of its agent in one go: those of one run that are at hand together. */
import { Gathering } from '@cadre/agents';
import type { GatherWish, Performance } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import type { Clock } from '@cadre/engine';
import type { CodePerformer, CodeWork } from './code-agent.js';

/**
 * Does all of these works; each is an attempt of its own, with its own calls, workspace and signal. Answers with one result for each, in
 * their order; an `Error` among them fails that attempt only, and one that it rejects with fails all of them. Which works come together is
 * chance, so what comes of one must not depend on the others.
 */
export type BatchPerformer = (works: CodeWork[]) => Promise<(Performance | Error)[]>;

/** @param slots how many attempts the worker can have at work */
export function batchAgent(perform: BatchPerformer, clock: Pick<Clock, 'after'>, slots: number): CodePerformer {
  const gathering = new Gathering<CodeWork, Performance>({
    clock,
    most: slots,
    perform: async (works) => outcomesOf(await perform(works), works),
  });
  return (work) => {
    return gathering.join(wishOf(work), work, work.signal);
  };
}

/** What is tried again is done alone, beside those who wait, so that a task that spoils the others spoils them once. */
function wishOf({ agent: { name, batch }, assignment }: CodeWork): GatherWish {
  const { tenant, runId, taskId, attempt } = assignment;
  const group = [tenant, runId, name];
  if (!batch || attempt > 1) return { group: JSON.stringify([...group, taskId]), max: 1, waitMs: 0 };
  return { group: JSON.stringify(group), max: batch.maxTasks, waitMs: batch.waitMs };
}

function outcomesOf(results: (Performance | Error)[], works: CodeWork[]): PromiseSettledResult<Performance>[] {
  if (results.length !== works.length) {
    const message = `The batch performer of ${works[0]?.agent.name} gave ${results.length} results for ${works.length} tasks.`;
    throw new CadreError('batch-invalid', message, {
      remedy: 'It has to answer with one result, or one error, for each work it is given, in their order.',
    });
  }
  return results.map((result) =>
    result instanceof Error ? { status: 'rejected', reason: result } : { status: 'fulfilled', value: result },
  );
}
