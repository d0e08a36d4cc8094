/** All goals of the seeds and of people, without a language model. */
import { expectHonest, TRIED_GOALS } from './testing/goal-trial.js';
import { expectJudged, FRESH_GOALS } from './testing/fresh-trial.js';
import { TeamRuns } from './testing/team-run.js';

let runs: TeamRuns;
beforeAll(async () => {
  runs = await TeamRuns.open(true);
});
afterAll(() => runs.close());

test.each(TRIED_GOALS)('%s', (_, tried) => expectHonest(runs, tried), 120_000);

test.each(FRESH_GOALS.map((fresh) => [fresh.id, fresh] as const))('%s', (_, fresh) => expectJudged(runs, fresh), 120_000);
