/** What is raced for: which caps, in how many runs, of how many tasks. Everything follows from the seed. */
import { randomUUID } from 'node:crypto';
import { makeRunId, Plan, RunOptions, type RunId, type StartRun } from '@cadre/contracts';

export const RACE_KINDS = ['run', 'task and agent', 'tenant'] as const;
export type RaceKind = (typeof RACE_KINDS)[number];

export interface RaceCaps {
  runMicros?: number;
  taskMicros?: number;
  agentMicros?: Record<string, number>;
  /** Of all runs of the round. */
  tenantMicros?: number;
}

/** Runs that race for the same money. */
export interface RaceRound {
  kind: RaceKind;
  tenant: string;
  caps: RaceCaps;
  runs: RunId[];
}

/** What a task costs on average, as it was measured: refused ones cost nothing, calls of unknown outcome are paid in full. */
const TASK_MICROS = 150;

/**
 * @param runs at least so many, in rounds of each kind in turn
 * @param tasks of each run
 */
export function raceRounds(runs: number, tasks: number, shards: number, seed: number, random: () => number): RaceRound[] {
  const rounds: RaceRound[] = [];
  for (let number = 0, planned = 0; planned < runs; number += 1) {
    const kind = RACE_KINDS[number % RACE_KINDS.length]!;
    // Around half of what all would cost.
    const half = Math.floor(tasks * TASK_MICROS * (0.4 + random() * 0.2));
    const inShards = kind === 'tenant' ? [...Array(shards).keys()] : [number % shards];
    rounds.push({
      ...{ kind, tenant: `race-${seed}-${number}` },
      caps: capsOf(kind, half, inShards.length),
      runs: inShards.map((shard) => makeRunId(shard, uuid(random))),
    });
    planned += inShards.length;
  }
  return rounds;
}

function capsOf(kind: RaceKind, half: number, runs: number): RaceCaps {
  if (kind === 'run') return { runMicros: half };
  if (kind === 'tenant') return { tenantMicros: half * runs };
  return { runMicros: half, taskMicros: 750, agentMicros: { sprinter: Math.floor(half * 0.5), runner: Math.floor(half * 0.7) } };
}

export function startOf({ tenant, caps }: RaceRound, runId: RunId, tasks: number): StartRun {
  const { tenantMicros: _, ...budget } = caps;
  const retry = { maxAttempts: 20, backoffMs: 50, maxBackoffMs: 500 };
  const plan = Plan.parse({
    tasks: Array.from({ length: tasks }, (_, index) => {
      const id = `t${index + 1}`;
      return { id, title: id, instructions: `Say something of ${id}.`, agent: index % 2 === 0 ? 'sprinter' : 'runner', retry };
    }),
  });
  const options = RunOptions.parse({ continueOnFailure: true, summarize: false, deadlineMs: 300_000, budget });
  return {
    ...{ type: 'StartRun', id: randomUUID(), runId, tenant, goal: 'Spend what there is, and no more', inputs: [] },
    ...{ options, plan, fingerprint: runId },
  };
}

/** Chance by the seed makes the same keys of calls, and so the same faults of the model server. */
export function uuid(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
