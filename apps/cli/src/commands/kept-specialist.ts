/** An agent that a planner has made for a run, as a definition that outlives it. */
import type { DefinedAgent, PlanView, TaskSpec, TemplateSummary } from '@cadre/contracts';
import { UsageError } from '../failure.js';

interface Found {
  base: string;
  specialist: NonNullable<TaskSpec['specialist']>;
}

function specialistsIn(tasks: readonly TaskSpec[]): Found[] {
  return tasks.flatMap(({ specialist, agent, scope }) => [
    ...(specialist && agent !== undefined ? [{ base: agent, specialist }] : []),
    ...specialistsIn(scope?.body ?? []),
  ]);
}

/**
 * The template of the agent that it was made of, else the one for agents of people. Its tools are refused if that template has not all of
 * them.
 */
function templateFor(base: string, templates: readonly Pick<TemplateSummary, 'name'>[]): string {
  const names = templates.map(({ name }) => name);
  return names.includes(base) ? base : 'assistant';
}

/** @param template wished; left out: the one that fits. Error: `usage` */
export function keptSpecialist(
  { runId, tasks }: Pick<PlanView, 'runId' | 'tasks'>,
  name: string,
  templates: readonly Pick<TemplateSummary, 'name'>[],
  template?: string,
): DefinedAgent {
  const all = specialistsIn(tasks);
  const found = all.find(({ specialist }) => specialist.name === name);
  if (!found) {
    const names = [...new Set(all.map(({ specialist }) => specialist.name))];
    const there = names.length === 0 ? 'its plan has made none' : `its plan has made ${names.join(', ')}`;
    throw new UsageError(`The run ${runId} has no agent ${name} of its own: ${there}.`);
  }
  const { name: _name, ...definition } = found.specialist;
  return { template: template ?? templateFor(found.base, templates), ...definition };
}
