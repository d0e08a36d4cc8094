/** The crash matrix: every service, every point, so many rounds. One system for each service, used again and again. */
import type { CrashService } from '@cadre/contracts';
import { brokenAccident, judged, summary } from './accident.js';
import { crashPlans, type CrashPlan } from './crash-plan.js';
import { crashRound, type RoundOutcome } from './crash-rounds.js';
import type { Cast } from './cast.js';
import { playOn, type Play } from './play.js';

const RECOVERY_LIMIT_MS = 15_000;

export interface MatrixOptions {
  rounds: number;
  seed: number;
  /** Only these points; all when empty. */
  only: (plan: CrashPlan) => boolean;
  log: (line: string) => void;
}

export interface PointResult {
  service: CrashService;
  point: string;
  rounds: number;
  crashes: number;
  runs: number;
  acknowledgedLost: number;
  doubleResults: number;
  callsRepeated: number;
  unrecordedRepeated: number;
  effectsRepeated: number;
  recoveryMs: { median: number; max: number };
  faults: string[];
}

export async function crashMatrix(cast: Cast, options: MatrixOptions): Promise<PointResult[]> {
  const plans = crashPlans().filter(options.only);
  const results: PointResult[] = [];
  for (const service of new Set(plans.map((plan) => plan.service))) {
    const ofService = plans.filter((plan) => plan.service === service);
    results.push(
      ...(await serviceRounds(cast, service, ofService, options).catch((error: unknown) => ofService.map((plan) => broken(plan, error)))),
    );
  }
  return results;
}

/** What stands in the table for a point whose service's stage broke down. */
function broken({ service, point }: CrashPlan, error: unknown): PointResult {
  const { faults, ...rest } = brokenAccident(point, error);
  return { ...rest, service, point, crashes: 0, faults };
}

async function serviceRounds(cast: Cast, service: CrashService, plans: CrashPlan[], options: MatrixOptions): Promise<PointResult[]> {
  return playOn(cast, cast.stage(service), options.seed, async (play) => {
    const results: PointResult[] = [];
    for (const plan of plans) {
      const result = await pointRounds(play, plan, cast, options);
      results.push(result);
      const { point, crashes, rounds, recoveryMs, faults } = result;
      options.log(
        `${point}: ${crashes} of ${rounds} crashes, recovered within ${recoveryMs.max} ms${faults.map((fault) => `\n  ${fault}`).join('')}`,
      );
    }
    return results;
  });
}

export async function pointRounds(play: Play, plan: CrashPlan, cast: Cast, options: Pick<MatrixOptions, 'rounds'>): Promise<PointResult> {
  const victim = plan.service === 'worker' ? cast.worker : plan.service;
  const outcomes: RoundOutcome[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    outcomes.push(
      await crashRound(play, plan, victim).catch((error: unknown) => ({ runs: [], crashed: false, faults: [(error as Error).message] })),
    );
  }
  const runs = outcomes.flatMap((outcome) => outcome.runs);
  const { recoveryMs } = summary(outcomes);
  const faults = outcomes.flatMap((outcome) => outcome.faults);
  if (recoveryMs.max > RECOVERY_LIMIT_MS) faults.push(`the recovery took ${recoveryMs.max} ms, more than ${RECOVERY_LIMIT_MS}`);
  const verdict = await judged(play, runs);
  return {
    ...{ service: plan.service, point: plan.point, rounds: options.rounds, runs: runs.length, recoveryMs },
    crashes: outcomes.filter(({ crashed }) => crashed).length,
    ...verdict,
    faults: [...faults, ...verdict.faults],
  };
}
