/**
 * SIGTERM to every service, one after the other, while runs are started and looked at: nothing is lost, no request fails, no attempt is
 * counted as a failure.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { playRounds, type AccidentResult, type AccidentRound } from './accident.js';
import type { Cast } from './cast.js';
import { unlike } from './crash-rounds.js';
import { playOn, type Play } from './play.js';
import { RequestLoad } from './request-load.js';

const BETWEEN_MS = 500;
/** There is one monitor, so what is read waits for it to be back; on a busy machine that takes longer than the default allows. */
export const PATIENCE = { ANSWER_TIMEOUT_MS: '30000' };

export function rollingRestart(cast: Cast, rounds: number, seed: number): Promise<AccidentResult> {
  const stage = cast.stage();
  const kind = { name: 'rolling restart of every service', measured: 'all runs have ended', limitMs: 15_000 };
  return playOn(cast, { ...stage, env: { ...stage.env, ...PATIENCE } }, seed, (play) =>
    playRounds(kind, rounds, play, () =>
      restartAll(
        play,
        stage.services.map(({ name }) => name),
      ),
    ),
  );
}

/** @param names in the order in which they are asked to stop */
export async function restartAll(play: Play, names: readonly string[]): Promise<AccidentRound & { answered: number }> {
  const { stage } = play;
  const from = stage.witness.blocks.length;
  const load = new RequestLoad(stage.live.system.url, play.request);
  load.start();
  for (const name of names.filter((each) => each !== 'model-sim')) {
    const at = stage.signal(name, 'SIGTERM');
    await stage.ready(name, at + 1);
    await stage.serving(name);
    await sleep(BETWEEN_MS);
  }
  const runs = await load.stop();
  const over = Date.now();
  play.submitter.acknowledged.push(...runs.map((runId) => ({ runId })));
  const ended = await Promise.all(runs.map((runId) => play.submitter.ended(runId)));
  const faults = [...load.faults, ...ended.flatMap((run) => unlike(run, play.expected)), ...countedFailures(play, from)];
  return { runs, recoveryMs: Date.now() - over, faults, answered: load.answered };
}

/** A worker that is asked to stop hands its work back: that is no failure of the attempt, nor is it lost. */
function countedFailures({ stage }: Play, from: number): string[] {
  return stage.witness
    .commits(from)
    .flatMap(({ runId, events }) =>
      events.flatMap((event) =>
        event.type === 'AttemptFailed' && event.counted ? [`an attempt of ${runId} counts as failed: ${JSON.stringify(event.error)}`] : [],
      ),
    );
}
