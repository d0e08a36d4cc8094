/** The tasks that the engine adds by itself. */
import { ANSWER_TASK, PLAN_TASK, RetryPolicy, SKILLS } from '@cadre/contracts';
import type { RunOptions, TaskSpec } from '@cadre/contracts';

/** For workers that do not tell how long their models may take; for others see `ATTEMPT_LIMIT`. */
const PLANNING_TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 120_000;

function engineTask(options: RunOptions): Pick<TaskSpec, 'fallbackAgents' | 'priority' | 'dependsOn' | 'require'> {
  return { fallbackAgents: [], priority: options.priority, dependsOn: [], require: 'all' };
}

/** Makes the plan of a run that came without one. */
export function planTask(options: RunOptions): TaskSpec {
  return {
    ...engineTask(options),
    id: PLAN_TASK,
    title: 'Plan the work',
    instructions:
      'Break the goal down into the tasks that it needs, each with the skills it takes, what it depends on, and instructions that an agent ' +
      'can follow without asking. Use only skills of the agents at hand. Prefer few tasks; let tasks that do not need each other run side by side.',
    skills: [SKILLS.planning],
    timeoutMs: PLANNING_TIMEOUT_MS,
    retry: RetryPolicy.parse({ maxAttempts: 2 }),
  };
}

/**
 * Above this many tasks the answer task does not name what it waits for: all the others. The list would fill the commit that opens the
 * plan.
 */
const MAX_NAMED = 1000;

/** Makes one answer of all results, when all other tasks have ended. */
export function answerTask(options: RunOptions, work: readonly TaskSpec[]): TaskSpec {
  return {
    ...engineTask(options),
    id: ANSWER_TASK,
    title: 'Write the answer',
    instructions:
      'Write one answer to the goal from the results of all tasks, in Markdown. Begin with what was found or made, give the figures that matter, ' +
      'name the artifacts, and say plainly what failed, was skipped or stays uncertain.',
    skills: [SKILLS.synthesis],
    dependsOn: work.length > MAX_NAMED ? [] : work.map((task) => task.id),
    require: 'settled',
    timeoutMs: ANSWER_TIMEOUT_MS,
    retry: RetryPolicy.parse({}),
  };
}
