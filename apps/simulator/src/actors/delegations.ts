/** What simulated agents give to each other. */
import { DELEGATING_TOOLS, type Assignment, type ToolArgs } from '@cadre/contracts';
import type { Dice } from '../chance.js';
import { AGENTS } from './plans.js';

/** Deep enough for those who are asked to ask others. */
const MOST_DEEP = 2;

type Drawn = { [N in (typeof DELEGATING_TOOLS)[number]]: { name: N; args: ToolArgs<N> } }[(typeof DELEGATING_TOOLS)[number]];

function peer(dice: Dice): { agent?: string; skills: string[] } {
  return dice.chance(0.5) ? { agent: dice.pick(AGENTS), skills: [] } : { skills: dice.chance(0.3) ? ['testing'] : [] };
}

/** Some of it cannot be done, as when tasks depend on what is not there. */
function tasksOf(dice: Dice): ToolArgs<'delegate'>['tasks'] {
  return Array.from({ length: dice.int(1, 3) }, (_, index) => {
    const dependsOn = dice.some(
      Array.from({ length: index }, (_each, earlier) => `d${earlier}`),
      0.5,
    );
    return { id: `d${index}`, instructions: 'do it', ...peer(dice), dependsOn: dice.chance(0.03) ? ['nothing'] : dependsOn };
  });
}

/** @returns undefined: it gives nothing away, as most of the time */
export function drawDelegation(dice: Dice, { taskId, tools }: Pick<Assignment, 'taskId' | 'tools'>): Drawn | undefined {
  const granted = DELEGATING_TOOLS.filter((name) => tools.includes(name));
  if (granted.length === 0 || taskId.split('~').length > 2 * MOST_DEEP || !dice.chance(0.35)) return undefined;
  switch (dice.pick(granted)) {
    case 'ask_agent':
      return { name: 'ask_agent', args: { question: 'how?', ...peer(dice) } };
    case 'delegate':
      return { name: 'delegate', args: { tasks: tasksOf(dice) } };
    case 'hand_off':
      return { name: 'hand_off', args: { instructions: 'do it', ...peer(dice) } };
  }
}
