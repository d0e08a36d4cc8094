/** A template like an agent that is there. */
import type { AgentDefinition, AgentTemplate } from '@cadre/contracts';
import type { z } from 'zod';

type Agent = z.input<typeof AgentDefinition>;

/**
 * Agents made from it may have the agent's tools, and have its instructions, models and limits unless they are defined otherwise. Its name
 * is the agent's. What becomes of tasks that wait for a slot is said by each definition itself: the scheduler knows no templates.
 */
export function templateOf(agent: Agent): z.input<typeof AgentTemplate> {
  const { name, description, tools, skills: _skills, maxParallel: _maxParallel, labels: _labels, requires: _requires, ...rest } = agent;
  const { underLoad, ...defaults } = rest;
  return { name, description, tools, defaults: { ...defaults, ...ofCalls(underLoad) } };
}

function ofCalls(underLoad: Agent['underLoad']): Pick<z.input<typeof AgentTemplate>['defaults'], 'underLoad'> {
  if (underLoad?.waitMs === undefined) return {};
  const { waitMs, queueMs: _queueMs, agent: _agent, ...less } = underLoad;
  return { underLoad: { waitMs, ...less } };
}
