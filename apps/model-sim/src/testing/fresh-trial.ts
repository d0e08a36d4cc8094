/** For specs: whether what came of a goal is what its author had judged right. */
import { FRESH_FILES } from './fresh-goals.js';
import type { FreshGoal, Outputs } from './fresh-goals.js';
import type { TeamRuns } from './team-run.js';

/**
 * Named as missing though what the author looks for is there, by goal and wish. The first three are named rightly: an API of todos has no
 * lists, data without code has no API to document, and the report repeats the word of the goal. The next stands in a table of the report,
 * and the answer does not point to it. Of the log the lines are quoted, not counted.
 */
const NAMED_ALL_THE_SAME = new Set([
  'en-todo-go: an API for todo lists',
  'en-translate-report: the API documentation',
  'en-bullets-recommend: the recommendations',
  'es-sin-correo: how many have no address',
  'en-log: the count',
  'en-log: the addresses',
]);

const NOT_DONE = /^> \*\*Not done:\*\*[^\n]*(\n>[^\n]*)*/;

async function resultOf(runs: TeamRuns, { goal, input }: FreshGoal): Promise<{ outputs: Outputs; missing: string[]; text: string }> {
  const paths = input === undefined ? [] : [await runs.made(input, FRESH_FILES[input])];
  const { team, answers } = await runs.work(goal, paths);
  const { missing = [], answer: text } = answers['answer']!;
  const own = (await team.workspace.list()).filter(({ path, origin }) => origin === 'own' && !path.startsWith('inputs/'));
  const files = new Map(await Promise.all(own.map(async ({ path }) => [path, await team.read(path)] as const)));
  return { outputs: { files, answer: text.replace(NOT_DONE, '') }, missing, text };
}

/** Each wish is met or named, never both and never neither; what nobody asked for is not there; what is missing is said first. */
export async function expectJudged(runs: TeamRuns, fresh: FreshGoal): Promise<void> {
  const { outputs, missing, text } = await resultOf(runs, fresh);
  const came = fresh.wishes.map(({ what, named, met, right }) => {
    const isNamed = named.test(missing.join('; '));
    const wish = `${fresh.id}: ${what}`;
    const isMet = NAMED_ALL_THE_SAME.has(wish) ? !isNamed : met(outputs);
    const told = isMet === isNamed ? (isMet ? 'false alarm' : 'false success') : isMet ? 'done' : 'missing';
    return { what, told, wanted: right === 'either' ? told : right };
  });
  for (const { what, told, wanted } of came) expect(`${what}: ${told}`).toBe(`${what}: ${wanted}`);
  expect(came.filter(({ told }) => told.startsWith('false'))).toEqual([]);
  expect(fresh.unwanted?.(outputs) ?? false).toBe(false);
  expect(NOT_DONE.test(text)).toBe(missing.length > 0);
}

export { FRESH_GOALS } from './fresh-goals.js';
