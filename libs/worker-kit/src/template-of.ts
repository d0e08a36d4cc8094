/** A template like an agent that is there. */
import type { AgentDefinition, AgentTemplate } from '@cadre/contracts';
import type { z } from 'zod';

/** Agents made from it may have the agent's tools, and have its instructions, models and limits unless they are defined otherwise. Its name is the agent's. */
export function templateOf(agent: z.input<typeof AgentDefinition>): z.input<typeof AgentTemplate> {
  const { name, description, tools, skills: _skills, maxParallel: _maxParallel, labels: _labels, requires: _requires, ...defaults } = agent;
  return { name, description, tools, defaults };
}
