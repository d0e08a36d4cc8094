/** What the rounds of one kind of accident came to, and how such rounds are counted. */
import { auditCalls } from './call-audit.js';
import { modelReport } from './model-report.js';
import { doubleResults, logFaults } from './checks.js';
import type { Play } from './play.js';

export interface AccidentRound {
  runs: string[];
  /** From the accident until what it broke works again. */
  recoveryMs?: number;
  faults: string[];
}

export interface AccidentResult {
  name: string;
  rounds: number;
  runs: number;
  acknowledgedLost: number;
  doubleResults: number;
  callsRepeated: number;
  unrecordedRepeated: number;
  effectsRepeated: number;
  /** What the recovery is measured to. */
  measured: string;
  recoveryMs: { median: number; max: number };
  limitMs: number;
  /** Of what there were many in a round, and what they tried in vain. */
  trials?: number;
  staleRefused?: number;
  faults: string[];
}

export interface AccidentKind {
  name: string;
  measured: string;
  limitMs: number;
}

/** Plays the rounds one after the other and checks the whole log after the last. Never rejects for what happens in a round. */
export async function playRounds(
  kind: AccidentKind,
  rounds: number,
  play: Play,
  round: (number: number) => Promise<AccidentRound>,
): Promise<AccidentResult> {
  const outcomes: AccidentRound[] = [];
  for (let number = 0; number < rounds; number += 1) {
    outcomes.push(await round(number).catch((error: unknown) => ({ runs: [], faults: [`round ${number}: ${(error as Error).stack}`] })));
  }
  const { recoveryMs } = summary(outcomes);
  const faults = outcomes.flatMap((outcome) => outcome.faults);
  if (recoveryMs.max > kind.limitMs) faults.push(`it took ${recoveryMs.max} ms until ${kind.measured}, more than ${kind.limitMs}`);
  const runs = outcomes.flatMap((outcome) => outcome.runs);
  const verdict = await judged(play, runs);
  return { ...kind, rounds, runs: runs.length, recoveryMs, ...verdict, faults: [...faults, ...verdict.faults] };
}

/** Checks that are the same after every accident. Counts are of what has come since the last verdict. */
export async function judged(play: Play, runs: readonly string[]) {
  const { stage, submitter, direct, world, before } = play;
  const views = await Promise.all(runs.map((runId) => stage.live.client.getRun(runId)));
  const faults = await logFaults(stage.witness, { submissions: submitter.acknowledged, commands: direct.acknowledged }, views);
  const commits = stage.witness.commits();
  const { faults: callFaults, ...calls } = auditCalls(commits, (await modelReport(stage)).byKey, world.calls.values());
  const known = new Set(commits.map((commit) => commit.runId));
  const totals = {
    acknowledgedLost: [...submitter.acknowledged, ...direct.acknowledged].filter(({ runId }) => !known.has(runId)).length,
    doubleResults: doubleResults(stage.witness),
    ...calls,
  };
  const sinceLast = Object.fromEntries(Object.entries(totals).map(([name, total]) => [name, total - (before[name] ?? 0)]));
  Object.assign(before, totals);
  return { ...(sinceLast as typeof totals), faults: [...faults, ...callFaults] };
}

/** What stands in the table for rounds that could not be played. */
export function brokenAccident(name: string, error: unknown): AccidentResult {
  const counts = { acknowledgedLost: 0, doubleResults: 0, callsRepeated: 0, unrecordedRepeated: 0, effectsRepeated: 0 };
  const faults = [`the rounds could not be played: ${(error as Error).stack}`];
  return { name, measured: '', limitMs: 0, rounds: 0, runs: 0, recoveryMs: { median: 0, max: 0 }, ...counts, faults };
}

export function summary(outcomes: readonly { recoveryMs?: number }[]): { recoveryMs: { median: number; max: number } } {
  const all = outcomes.flatMap(({ recoveryMs }) => (recoveryMs === undefined ? [] : [recoveryMs])).sort((a, b) => a - b);
  return { recoveryMs: { median: all[Math.floor((all.length - 1) / 2)] ?? 0, max: all.at(-1) ?? 0 } };
}
