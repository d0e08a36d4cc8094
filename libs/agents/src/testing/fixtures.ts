/** Ready-made parts of an attempt for specs. */
import { AgentDefinition, TaskOutcome } from '@cadre/contracts';
import type { Assignment, Json } from '@cadre/contracts';
import { z } from 'zod';
import type { Tool } from '../ports.js';

/** @param overrides fields of the definition, defaults may be left out */
export function sampleAgent(overrides: Partial<z.input<typeof AgentDefinition>> = {}): AgentDefinition {
  return AgentDefinition.parse({
    name: 'generalist',
    description: 'Does what nobody else does.',
    skills: ['general'],
    instructions: 'You help.',
    tools: ['echo'],
    ...overrides,
  });
}

export function sampleAssignment(overrides: Partial<Assignment> = {}): Assignment {
  return {
    runId: 'r00-01890000-0000-7000-8000-000000000001',
    tenant: 'default',
    taskId: 'analyse',
    attempt: 1,
    kind: 'work',
    goal: 'Understand the weather.',
    title: 'Analyse',
    instructions: 'Find the trend.',
    inputs: [],
    results: [],
    round: 1,
    tools: ['echo'],
    deadlineAt: Number.MAX_SAFE_INTEGER,
    ...overrides,
  };
}

export function sampleOutcome(overrides: Partial<TaskOutcome> = {}): TaskOutcome {
  return TaskOutcome.parse({ taskId: 'collect', title: 'Collect', status: 'completed', artifacts: [], ...overrides });
}

/** A tool that answers with its argument `say` and remembers its calls. */
export function echoTool(
  name = 'echo',
  reply: (say: string) => Json | Promise<Json> = (say) => ({ said: say }),
): Tool & { calls: string[] } {
  const calls: string[] = [];
  return {
    name,
    description: 'Says it again.',
    parameters: z.strictObject({ say: z.string() }),
    effect: 'none',
    calls,
    run: async (args) => {
      const { say } = args as { say: string };
      calls.push(say);
      return reply(say);
    },
  };
}
