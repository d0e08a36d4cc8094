/**
 * Goals of the seeds and of people, without a language model: done whole, or what is not done is named. None is falsely complete. All:
 * `goals.slow.spec.ts`.
 */
import { expectHonest, isLong, TRIED_GOALS } from './testing/goal-trial.js';
import { expectJudged, FRESH_GOALS } from './testing/fresh-trial.js';
import { TeamRuns } from './testing/team-run.js';

let runs: TeamRuns;
beforeAll(async () => {
  runs = await TeamRuns.open(true);
});
afterAll(() => runs.close());

/** Of those that take long. */
const SAMPLE = [/^Analyze sales data, generate report code.*csv/];

test.each(TRIED_GOALS.filter(([name, tried]) => !isLong(tried) || SAMPLE.some((pattern) => pattern.test(name))))('%s', (_, tried) =>
  expectHonest(runs, tried),
);

/** Of each kind one, and of each language. */
const FRESH = [
  'en-numbered-python-no-tests',
  'en-email',
  'en-letter-summary',
  'de-durchschnitt-svg',
  'es-lista-whatsapp',
  'zh-analyse-tests',
];

test.each(FRESH_GOALS.filter(({ id, input }) => input === undefined || FRESH.includes(id)).map((fresh) => [fresh.id, fresh] as const))(
  '%s',
  (_, fresh) => expectJudged(runs, fresh),
);
