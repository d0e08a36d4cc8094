/** For specs: what becomes of a goal without a language model, the whole team at work on it. */
import { join } from 'node:path';
import { GOAL_FILES } from './goal-files.js';
import { SEED_GOALS } from './seed-goals.js';
import { DATA, type TeamRuns } from './team-run.js';
import type { TriedGoal } from './tried-goal.js';
import { USER_GOALS } from './user-goals.js';

/** By what a table of tests calls it. */
export const TRIED_GOALS = [...SEED_GOALS, ...USER_GOALS].map(
  (tried) => [`${tried.goal} ${JSON.stringify(tried.files ?? [])}`, tried] as const,
);

/** Whether data is studied or code made for it, which takes seconds. */
export function isLong({ goal, files = [] }: TriedGoal): boolean {
  return files.some((name) => name.endsWith('.csv')) || /\b(API|CRUD)\b/.test(goal);
}

/** Done whole, or what is not done is named, and first. */
export async function expectHonest(runs: TeamRuns, { goal, files = [], missing: expected, done = [] }: TriedGoal): Promise<void> {
  const paths = files.map(async (name) => {
    const text = GOAL_FILES[name];
    return text === undefined ? join(DATA, name) : await runs.made(name, text);
  });
  const { answers } = await runs.work(goal, await Promise.all(paths));
  const { missing = [], answer } = answers['answer']!;
  const named = missing.join('; ');
  for (const pattern of expected) expect(named).toMatch(pattern);
  for (const pattern of done) expect(named).not.toMatch(pattern);
  if (expected.length === 0) expect(missing).toEqual([]);
  else expect(answer).toMatch(/^> \*\*Not done:\*\* /);
}
