/**
 * Workers that are frozen with attempts in their hands until these are lost and done by others, and then go on where they were: with calls
 * that they were granted long ago, with answers of calls, with results, and with acknowledgements that come late. Each attempt held at the
 * freeze is a trial.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalService } from '@cadre/local-system';
import { playRounds, type AccidentResult, type AccidentRound } from './accident.js';
import { CHAOS_WORKER, type Cast } from './cast.js';
import { unlike } from './crash-rounds.js';
import { attemptsHeld, ownerCount } from './operations.js';
import { playOn, type Play } from './play.js';

const SLOTS = 24;
/** Three tasks each, of which two can begin at once. */
const RUNS = 12;
/** Longer than a silent worker is waited for. */
const FREEZE_MS = 3400;
export const SECOND: LocalService = { ...CHAOS_WORKER, name: 'worker-chaos-2' };

/** @param trials at least so many attempts are held at a freeze */
export function zombieWorkers(cast: Cast, trials: number, seed: number): Promise<AccidentResult> {
  const stage = cast.stage();
  const options = { services: [...stage.services, SECOND], env: { ...stage.env, CADRE_SLOTS: String(SLOTS) } };
  return playOn(cast, options, seed, async (play) => {
    const counts = { trials: 0, staleRefused: 0 };
    const results: AccidentResult[] = [];
    const kind = { name: 'workers frozen until lost, then woken', measured: 'all runs have ended', limitMs: 15_000 };
    while (counts.trials < trials && results.length < trials) {
      results.push(await playRounds(kind, 1, play, (number) => zombieRound(play, results.length + number, counts)));
    }
    const all = joined(results);
    const stale = staleAccepted(play);
    if (stale > 0) all.faults.push(`${stale} stale results were accepted`);
    // Refused commands are the proof that those who woke did try.
    if (counts.staleRefused === 0) all.faults.push('no woken worker tried to go on');
    return { ...all, ...counts };
  });
}

export async function zombieRound(play: Play, number: number, counts: { trials: number; staleRefused: number }): Promise<AccidentRound> {
  const { stage, submitter, request, random } = play;
  const victim = number % 2 === 0 ? CHAOS_WORKER.name : SECOND.name;
  const refusedBefore = await ownerCount(stage, 'rejected');
  const starts = Array.from({ length: RUNS }, () => submitter.start(request));
  await stage.live.until(`${victim} has work`, async () => ((await attemptsHeld(stage, victim)) > 0 ? true : undefined));
  await sleep(random() * 200);
  counts.trials += await attemptsHeld(stage, victim);
  stage.signal(victim, 'SIGSTOP');
  await sleep(FREEZE_MS);
  const wokenAt = stage.signal(victim, 'SIGCONT');
  const ended = await Promise.all((await Promise.all(starts)).map((runId) => submitter.ended(runId)));
  const recoveryMs = Date.now() - wokenAt;
  await sleep(300);
  counts.staleRefused += (await ownerCount(stage, 'rejected')) - refusedBefore;
  return { runs: ended.map(({ view }) => view.runId), recoveryMs, faults: ended.flatMap((run) => unlike(run, play.expected)) };
}

/** Results and settlements in the log that name another attempt than the open one. The invariants look for the same in another way. */
export function staleAccepted({ stage }: Play): number {
  const open = new Map<string, number>();
  let stale = 0;
  for (const { runId, events } of stage.witness.commits()) {
    for (const event of events) {
      if (!('attempt' in event)) continue;
      const task = `${runId}/${event.taskId}`;
      if (event.type === 'AttemptScheduled') open.set(task, event.attempt);
      else if (event.type !== 'AttemptStarted' && open.get(task) !== event.attempt) stale += 1;
    }
  }
  return stale;
}

function joined(results: readonly AccidentResult[]): AccidentResult {
  const sum = (of: (one: AccidentResult) => number): number => results.reduce((total, one) => total + of(one), 0);
  const recoveries = results.map(({ recoveryMs }) => recoveryMs.max).sort((a, b) => a - b);
  return {
    ...results[0]!,
    rounds: results.length,
    runs: sum(({ runs }) => runs),
    acknowledgedLost: sum((one) => one.acknowledgedLost),
    doubleResults: sum((one) => one.doubleResults),
    callsRepeated: sum((one) => one.callsRepeated),
    unrecordedRepeated: sum((one) => one.unrecordedRepeated),
    effectsRepeated: sum((one) => one.effectsRepeated),
    recoveryMs: { median: recoveries[Math.floor((recoveries.length - 1) / 2)] ?? 0, max: recoveries.at(-1) ?? 0 },
    faults: results.flatMap(({ faults }) => faults),
  };
}
