/**
 * Rounds of the crash matrix for one point: with a run under way the process is started anew with the point set, more runs come, it kills
 * itself, it is started as before, and everything must end as if nothing had happened.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SUBJECTS } from '@cadre/contracts';
import { connect } from '@nats-io/transport-node';
import { essence } from './checks.js';
import type { CrashPlan } from './crash-plan.js';
import { FILE, type Play } from './play.js';
import type { Stage } from './stage.js';
import type { EndedRun } from './submitter.js';

export interface RoundOutcome {
  runs: string[];
  /** The point was passed and the process died. */
  crashed: boolean;
  /** From the death to the end of all runs of the round, as a client sees it. */
  recoveryMs?: number;
  faults: string[];
}

/** How long a point may take to be passed once all is set. */
const REACH_MS = 15_000;
/** Longer than a lease lives. */
const FREEZE_MS = 3000;
const ANOTHER_RUN_MS = 400;

export async function crashRound(play: Play, plan: CrashPlan, victim: string): Promise<RoundOutcome> {
  const { stage, submitter, random } = play;
  const passing = 1 + Math.floor(random() * plan.passings);
  const early = submitter.start(play.request);
  await sleep(random() * 60);
  const armedAt = stage.arm(victim, plan.point, passing);
  const began = await Promise.race([stage.ready(victim, armedAt + 1).then(() => 'ready'), diedEarly(stage, victim, armedAt)]);
  const late = began === 'ready' ? occasion(play, plan, victim, armedAt) : Promise.resolve([]);
  late.catch(() => undefined);
  let killedAt = await stage.killed(victim, armedAt, REACH_MS);
  const crashed = killedAt !== undefined;
  if (!crashed) killedAt = stage.signal(victim, 'SIGKILL');
  const runs = [await early, ...(await late)];
  const ended = await Promise.all(runs.map((runId) => submitter.ended(runId)));
  const faults = ended.flatMap((run) => unlike(run, run.view.inputs.length > 0 ? play.expectedWithFile : play.expected));
  if (!crashed) faults.push(`the point ${plan.point}:${passing} was not reached within ${REACH_MS} ms`);
  await stage.ready(victim, killedAt!);
  return { runs, crashed, faults, ...(crashed ? { recoveryMs: Math.max(...ended.map(({ seenAt }) => seenAt)) - killedAt! } : {}) };
}

async function diedEarly(stage: Stage, victim: string, since: number): Promise<'died'> {
  if ((await stage.killed(victim, since, 30_000)) === undefined) return new Promise(() => undefined);
  return 'died';
}

/** What makes the armed process pass its point. @returns the runs that this brought */
async function occasion(play: Play, plan: CrashPlan, victim: string, armedAt: number): Promise<string[]> {
  const { stage, submitter, request, worker } = play;
  switch (plan.occasion) {
    case 'runs':
      return runsUntil(play, stage.killed(victim, armedAt, REACH_MS));
    case 'upload':
      return [await submitter.start(request, [FILE])];
    case 'event':
      return [await startByEvent(play)];
    case 'lost': {
      const from = stage.witness.blocks.length;
      const runs = [await submitter.start(request)];
      await stage.live.until('an attempt begins', async () => stage.witness.firstEvent(({ type }) => type === 'AttemptStarted', from));
      stage.signal(worker, 'SIGKILL');
      return runs;
    }
    case 'frozen': {
      const runs = [await submitter.start(request)];
      stage.signal(victim, 'SIGSTOP');
      await sleep(FREEZE_MS);
      stage.signal(victim, 'SIGCONT');
      return runs;
    }
  }
}

/** Two runs at once, and then one after the other until the accident has happened. */
async function runsUntil({ submitter, direct, request }: Play, accident: Promise<unknown>): Promise<string[]> {
  let happened = false;
  void accident.then(() => (happened = true));
  const runs = [submitter.start(request), direct.start(request)];
  for (await sleep(ANOTHER_RUN_MS); !happened; await sleep(ANOTHER_RUN_MS)) {
    runs.push(runs.length % 2 === 0 ? submitter.start(request) : direct.start(request));
  }
  return Promise.all(runs);
}

/** A plain NATS client's event. The same event is sent twice: it must be one run. @returns its run */
async function startByEvent({ stage, submitter, request }: Play): Promise<string> {
  const nats = await connect({ servers: stage.live.natsUrl });
  const from = stage.witness.blocks.length;
  try {
    const label = randomUUID();
    const data = { ...request, options: { ...request.options, labels: { chaos: label } } };
    const body = JSON.stringify({ specversion: '1.0', id: label, source: '/chaos', type: 'run.start', data });
    // Answered by the stream: from here on the event may not be lost.
    for (let copies = 0; copies < 2; copies += 1) await nats.request(SUBJECTS.ingress('default', 'run.start'), body, { timeout: 5000 });
    const found = await stage.live.until('the event starts a run', async () =>
      stage.witness.firstEvent((event) => event.type === 'RunStarted' && event.options.labels['chaos'] === label, from),
    );
    submitter.acknowledged.push({ runId: found.runId });
    return found.runId;
  } finally {
    await nats.close();
  }
}

export function unlike({ view }: EndedRun, expected: string): string[] {
  const found = essence(view);
  return found === expected ? [] : [`run ${view.runId} came to ${found.slice(0, 600)} instead of ${expected.slice(0, 600)}`];
}
