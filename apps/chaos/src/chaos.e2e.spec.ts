/** The short form of `npm run chaos`: an accident of each kind on one real system. Every check of the long form is made. */
import { jest } from '@jest/globals';
import type { CrashPoint } from '@cadre/contracts';
import { judged } from './accident.js';
import { chaosCast } from './cast.js';
import { pointRounds } from './crash-matrix.js';
import { crashPlans } from './crash-plan.js';
import { unlike } from './crash-rounds.js';
import { playOn, type Play } from './play.js';
import { PATIENCE, restartAll } from './rolling-restart.js';
import { runsDuring } from './runs-during.js';
import { SECOND, staleAccepted, zombieRound } from './zombie-workers.js';

/** A whole system on a machine that may be slow. */
jest.setTimeout(300_000);

const cast = chaosCast();
const CLEAN = { acknowledgedLost: 0, doubleResults: 0, callsRepeated: 0, effectsRepeated: 0, faults: [] };

let play: Play;
let over: PromiseWithResolvers<void>;
let playing: Promise<void>;
beforeAll(async () => {
  over = Promise.withResolvers<void>();
  const stage = cast.stage();
  const services = [...stage.services, SECOND];
  await new Promise<void>((resolve, reject) => {
    playing = playOn(cast, { services, env: { ...stage.env, ...PATIENCE } }, 7, (given) => {
      play = given;
      resolve();
      return over.promise;
    });
    playing.catch(reject);
  });
});
afterAll(async () => {
  over.resolve();
  await playing;
});

const POINTS: CrashPoint[] = [
  'gateway-run-answered',
  'orchestrator-append-sent',
  'scheduler-offers-sent',
  'monitor-feed-published',
  'worker-body-stored',
];
test.each(POINTS)('a process that dies at %s', async (point) => {
  const plan = crashPlans().find((one) => one.point === point)!;
  const { crashes, recoveryMs, ...rest } = await pointRounds(play, plan, cast, { rounds: 1 });
  expect(rest).toMatchObject(CLEAN);
  expect(crashes).toBe(1);
  expect(recoveryMs.max).toBeLessThanOrEqual(15_000);
});

test('workers that wake long after their attempts were given to others', async () => {
  const counts = { trials: 0, staleRefused: 0 };
  const { runs, faults } = await zombieRound(play, 0, counts);
  expect(faults).toEqual([]);
  expect(await judged(play, runs)).toMatchObject(CLEAN);
  expect(staleAccepted(play)).toBe(0);
  expect(counts.trials).toBeGreaterThan(0);
});

test('a broker that is killed has everything that it acknowledged', async () => {
  const { runs } = await runsDuring(play, async () => {
    const at = play.stage.signal('nats-server', 'SIGKILL');
    await play.stage.ready('nats-server', at);
  });
  const ended = await Promise.all(runs.map((runId) => play.submitter.ended(runId)));
  expect(ended.flatMap((run) => unlike(run, play.expected))).toEqual([]);
  expect(await judged(play, runs)).toMatchObject(CLEAN);
});

test('SIGTERM to each service in turn loses nothing, fails no request and counts as no failure', async () => {
  const names = ['scheduler', 'orchestrator', cast.worker, 'monitor', 'gateway', SECOND.name];
  const { runs, faults, answered } = await restartAll(play, names);
  expect(faults).toEqual([]);
  expect(answered).toBeGreaterThan(20);
  expect(await judged(play, runs)).toMatchObject(CLEAN);
});
