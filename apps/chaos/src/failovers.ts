/** A process dies for good and another takes over: an orchestrator, a scheduler, a worker. How long until it is noticed and made good. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunEvent } from '@cadre/contracts';
import type { LocalService } from '@cadre/local-system';
import { playRounds, type AccidentRound, type AccidentResult } from './accident.js';
import type { Cast } from './cast.js';
import { unlike } from './crash-rounds.js';
import { attemptsHeld, figure } from './operations.js';
import { playOn, type Play } from './play.js';
import { runsDuring } from './runs-during.js';
import type { Stage } from './stage.js';

const LIMIT_MS = 5000;
const MAX_KILLS = 5;
const ENDS = new Set<RunEvent['type']>(['AttemptFailed', 'TaskCompleted', 'TaskFailed', 'TaskCancelled']);
/** Longer than a lease lives and a silent worker is waited for. */
const FREEZE_MS = 4500;

type Kind = 'orchestrator' | 'scheduler';

/** 1 for the one that works, 0 for the one that stands by. */
const LEADER_GAUGE: Record<Kind, string> = { orchestrator: 'cadre_owner_shards', scheduler: 'cadre_scheduler_leader' };

/** The working one is killed and does not come back before the standby has taken over. */
export function failover(kind: Kind, cast: Cast, rounds: number, seed: number): Promise<AccidentResult> {
  const measured = kind === 'orchestrator' ? 'another owner has stored a decision' : 'an attempt of a later run has begun';
  return onTwo(kind, cast, seed, (play) =>
    playRounds({ name: `${kind} killed, standby takes over`, measured, limitMs: LIMIT_MS }, rounds, play, async () => {
      const { stage } = play;
      const leader = await leaderOf(stage, kind);
      stage.hold(leader);
      const { runs, value: recoveryMs } = await runsDuring(play, async () => {
        const at = stage.signal(leader, 'SIGKILL');
        const seenAt = kind === 'orchestrator' ? await newOwnerDecides(stage) : await laterAttempt(play, at);
        return seenAt - at;
      });
      stage.letGo(leader);
      const faults = await allAsExpected(play, runs);
      await stage.ready(leader, Date.now() - recoveryMs);
      return { runs, recoveryMs, faults };
    }),
  );
}

/** The working one sleeps past its lease, another takes over, and then it wakes and goes on as if nothing had been. */
export function zombieLeader(kind: Kind, cast: Cast, rounds: number, seed: number): Promise<AccidentResult> {
  const kindOfAccident = { name: `${kind} frozen past its lease and woken`, measured: 'all runs have ended', limitMs: 15_000 };
  return onTwo(kind, cast, seed, (play) =>
    playRounds(kindOfAccident, rounds, play, async () => {
      const leader = await leaderOf(play.stage, kind);
      const { runs, value: at } = await runsDuring(play, async () => {
        const frozenAt = play.stage.signal(leader, 'SIGSTOP');
        await sleep(FREEZE_MS);
        play.stage.signal(leader, 'SIGCONT');
        return frozenAt + FREEZE_MS;
      });
      const faults = await allAsExpected(play, runs);
      return { runs, recoveryMs: Date.now() - at, faults };
    }),
  );
}

/** A worker dies with tasks and stays away; another one of its kind is there. */
export function workerLost(cast: Cast, rounds: number, seed: number): Promise<AccidentResult> {
  const kind = { name: 'worker killed and gone', measured: 'its attempt is closed as lost', limitMs: LIMIT_MS };
  const stage = cast.stage();
  const second: LocalService = { ...stage.services.find(({ name }) => name === cast.worker)!, name: `${cast.worker}-2` };
  return playOn(cast, { ...stage, services: [...stage.services, { app: cast.worker, ...second }] }, seed, (play) =>
    playRounds(kind, rounds, play, (number) => loseWorker(play, number % 2 === 0 ? cast.worker : second.name)),
  );
}

/** A worker that has an offer whose start is not in the log yet, or a result that is, loses nothing when it dies: then once more. */
async function loseWorker(play: Play, victim: string): Promise<AccidentRound> {
  const all: AccidentRound = { runs: [], recoveryMs: Infinity, faults: [] };
  for (let kills = 0; all.recoveryMs === Infinity && kills < MAX_KILLS; kills += 1) {
    const { runs, recoveryMs, faults } = await killWorker(play, victim);
    Object.assign(all, { runs: [...all.runs, ...runs], recoveryMs, faults: [...all.faults, ...faults] });
  }
  return all;
}

/** The recovery is infinite when nothing was lost. */
async function killWorker(play: Play, victim: string): Promise<AccidentRound> {
  const { stage } = play;
  stage.hold(victim);
  try {
    const { runs, value: recoveryMs } = await runsDuring(play, async () => {
      await holding(stage, victim);
      const from = stage.witness.blocks.length;
      const at = stage.signal(victim, 'SIGKILL');
      const lostAt = await stage.live.until('its attempt is lost', async () => {
        const isLost = (event: RunEvent) => event.type === 'AttemptFailed' && /lost|gone|silent/i.test(event.error.code);
        return (
          stage.witness.firstEvent(isLost, from)?.seenAt ?? (Date.now() > at + LIMIT_MS && !isOpenSince(stage, at) ? Infinity : undefined)
        );
      });
      return lostAt - at;
    });
    const letGoAt = Date.now();
    stage.letGo(victim);
    const faults = await allAsExpected(play, runs);
    await stage.ready(victim, letGoAt);
    return { runs, recoveryMs, faults };
  } finally {
    stage.letGo(victim);
  }
}

/** Whether an attempt that was begun before this time has not ended yet. */
function isOpenSince(stage: Stage, at: number): boolean {
  const open = new Set<string>();
  for (const { runId, seenAt, events } of stage.witness.commits()) {
    for (const event of events) {
      if (!('taskId' in event)) continue;
      const task = `${runId}/${event.taskId}`;
      if (event.type === 'AttemptStarted' && seenAt <= at) open.add(task);
      else if (ENDS.has(event.type)) open.delete(task);
    }
  }
  return open.size > 0;
}

async function allAsExpected(play: Play, runs: readonly string[]): Promise<string[]> {
  const ended = await Promise.all(runs.map((runId) => play.submitter.ended(runId)));
  return ended.flatMap((run) => unlike(run, play.expected));
}

function onTwo(kind: Kind, cast: Cast, seed: number, rounds: (play: Play) => Promise<AccidentResult>): Promise<AccidentResult> {
  const stage = cast.stage();
  const first = stage.services.find(({ name }) => name === kind)!;
  return playOn(cast, { ...stage, services: [...stage.services, { ...first, name: `${kind}-2`, app: kind }] }, seed, rounds);
}

async function leaderOf(stage: Stage, kind: Kind): Promise<string> {
  return stage.live.until(`some ${kind} leads`, async () => {
    for (const name of [kind, `${kind}-2`]) {
      if ((await figure(stage, name, LEADER_GAUGE[kind]).catch(() => 0)) === 1) return name;
    }
    return undefined;
  });
}

/** Waits until the worker holds an attempt. */
async function holding(stage: Stage, worker: string): Promise<void> {
  await stage.live.until(`${worker} holds an attempt`, async () => ((await attemptsHeld(stage, worker)) > 0 ? true : undefined));
}

async function newOwnerDecides(stage: Stage): Promise<number> {
  const { blocks } = stage.witness;
  const old = blocks.at(-1)!.block.owner;
  const found = await stage.live.until('a new owner decides', async () => {
    const claim = blocks.findLastIndex(({ block }) => block.kind === 'claim');
    return blocks[claim]!.block.owner === old ? undefined : blocks.slice(claim).find(({ block }) => block.commits.length > 0);
  });
  return found.seenAt;
}

async function laterAttempt({ stage, submitter, request }: Play, at: number): Promise<number> {
  const from = stage.witness.blocks.length;
  const runId = await submitter.start(request);
  const found = await stage.live.until('an attempt begins', async () =>
    stage.witness.firstEvent((event, commit) => event.type === 'AttemptStarted' && commit.runId === runId && commit.at >= at, from),
  );
  return found.seenAt;
}
