/** Random small plans and options of runs. */
import { Plan, RunOptions, type TaskSpecInput } from '@cadre/contracts';
import type { Dice } from '../chance.js';

export const AGENTS = ['alpha', 'beta'] as const;

function taskOf(dice: Dice, index: number): TaskSpecInput {
  const earlier = Array.from({ length: index }, (_, i) => `t${i}`);
  const dependsOn = dice.some(earlier, 0.5);
  const alternativeTo = index > 0 && dice.chance(0.12) ? dice.pick(earlier) : undefined;
  const condition = dice.chance(0.08) && dependsOn.length > 0 ? `results.${dependsOn[0]}.confidence > 0.5` : undefined;
  return {
    id: `t${index}`,
    title: `Task ${index}`,
    instructions: 'do it',
    skills: dice.chance(0.2) ? ['testing'] : [],
    ...(dice.chance(0.2) && { agent: dice.pick(AGENTS) }),
    fallbackAgents: dice.chance(0.15) ? [dice.pick(AGENTS)] : [],
    dependsOn,
    require: dependsOn.length === 0 || dice.chance(0.6) ? 'all' : dice.pick(['any', 'settled', 1] as const),
    ...(alternativeTo !== undefined && !dependsOn.includes(alternativeTo) && { alternativeTo }),
    ...(condition !== undefined && { condition }),
    ...(dice.chance(0.1) && { minConfidence: 0.5 }),
    ...(dice.chance(0.15) && { budgetMicros: dice.int(100, 1500) }),
    ...(dice.chance(0.1) && { tools: dice.some(['look', 'put', 'pay'], 0.6) }),
    timeoutMs: dice.pick([400, 1500, 5000, 60_000]),
    retry: { maxAttempts: dice.int(1, 4), backoffMs: dice.pick([0, 50, 400, 400, 3000]), jitter: dice.pick([0, 0.5, 1]) },
  };
}

export function drawPlan(dice: Dice): Plan {
  const length = dice.chance(0.1) ? dice.int(5, 9) : dice.int(1, 4);
  return Plan.parse({ tasks: Array.from({ length }, (_, index) => taskOf(dice, index)) });
}

export function drawOptions(dice: Dice): RunOptions {
  return RunOptions.parse({
    priority: dice.pick(['high', 'medium', 'low']),
    continueOnFailure: dice.chance(0.5),
    deadlineMs: dice.chance(0.15) ? dice.int(1000, 3000) : dice.chance(0.15) ? 40_000 : dice.int(4000, 12_000),
    summarize: dice.chance(0.15),
    ...(dice.chance(0.06) && { model: 'wild' }),
    cancelGraceMs: dice.pick([0, 300, 2000]),
    ...(dice.chance(0.5) && { questionTimeoutMs: dice.int(1000, 8000) }),
    ...(dice.chance(0.5) && { budget: drawBudget(dice) }),
  });
}

function drawBudget(dice: Dice): Record<string, unknown> {
  const cap = (most: number): number => dice.int(0, most);
  return {
    ...(dice.chance(0.7) && { runMicros: cap(5000) }),
    ...(dice.chance(0.4) && { taskMicros: cap(2500) }),
    ...(dice.chance(0.3) && { agentMicros: { [dice.pick(AGENTS)]: cap(4000) } }),
    ...dice.pick([{ onLimit: 'stop' }, { onLimit: 'ask' }, { onLimit: 'degrade', degradeTo: 'cheap' }]),
  };
}
