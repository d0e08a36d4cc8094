/** What a race came to, by kind of round, and how people read it. */
import { table } from '../result-table.js';
import type { RaceLedger, ServerCount } from './race-ledger.js';
import type { RaceKind } from './race-rounds.js';
import type { RaceSetting } from './race-system.js';

export interface RaceRow {
  kind: RaceKind | 'all';
  runs: number;
  tasks: number;
  completed: number;
  /** By the cap that a call did not fit under. */
  refusals: Record<string, number>;
  retriesAfterRefusal: number;
  /** Requests that reached the model server, by what became of them. */
  requests: number;
  rateLimited: number;
  timeouts: number;
  brokenOff: number;
  /** Reservations, and how many of them nobody knows the outcome of. */
  reservations: number;
  unknown: number;
  billMicros: number;
  paidMicros: number;
  /** The largest part of a cap that was ever settled and reserved. */
  fullest: Record<string, number>;
  overCap: number;
  overruns: number;
}

export interface RaceResult {
  seed: number;
  tasks: number;
  setting: RaceSetting;
  rows: RaceRow[];
  /** Repeated commands by type, and how they were answered. */
  copies: Record<string, number>;
  answers: Record<string, number>;
  /** How often lines to the broker broke, and held something up. */
  breaks: number;
  heldUp: number;
  tookMs: number;
  faults: string[];
}

const NUMBERS = [
  ...['runs', 'tasks', 'completed', 'retriesAfterRefusal', 'requests', 'rateLimited', 'timeouts', 'brokenOff', 'reservations'],
  ...['unknown', 'billMicros', 'paidMicros', 'overCap', 'overruns'],
] as (keyof { [K in keyof RaceRow as RaceRow[K] extends number ? K : never]: 1 })[];

/** Faults that the comparison with the server finds are added to the ledgers. */
export function raceRow(kind: RaceKind, ledgers: readonly RaceLedger[], server: ReadonlyMap<string, ServerCount>): RaceRow {
  return joined(
    kind,
    ledgers.map((ledger) => rowOf(ledger, server)),
  );
}

function rowOf(ledger: RaceLedger, server: ReadonlyMap<string, ServerCount>): RaceRow {
  const counts = [...ledger.calls.keys()].flatMap((key) => server.get(key) ?? []);
  const met = (...outcomes: string[]): number =>
    counts.reduce((sum, count) => sum + outcomes.reduce((each, outcome) => each + (count.outcomes[outcome] ?? 0), 0), 0);
  const tries = [...ledger.calls.values()].flatMap((call) => call.tries);
  return {
    ...{ kind: ledger.round.kind, runs: ledger.round.runs.length, tasks: ledger.tasks.size },
    completed: [...ledger.tasks.values()].filter(({ end }) => end === 'completed').length,
    ...{ refusals: ledger.refusals, retriesAfterRefusal: ledger.retriesAfterRefusal },
    requests: counts.reduce((sum, { received }) => sum + received, 0),
    ...{ rateLimited: met('429'), timeouts: met('hang', 'gone'), brokenOff: met('reset', 'truncated', 'refuse') },
    ...{ reservations: tries.length, unknown: tries.filter(({ outcome }) => outcome === 'unknown').length },
    ...ledger.compare(server),
    ...{ fullest: ledger.fullest, overCap: ledger.overCap, overruns: ledger.overruns },
  };
}

function joined(kind: RaceRow['kind'], rows: readonly RaceRow[]): RaceRow {
  const sums = Object.fromEntries(NUMBERS.map((name) => [name, rows.reduce((sum, row) => sum + row[name], 0)]));
  const fullest: Record<string, number> = {};
  for (const row of rows) for (const [cap, part] of Object.entries(row.fullest)) fullest[cap] = Math.max(fullest[cap] ?? 0, part);
  const refusals: Record<string, number> = {};
  for (const row of rows) for (const [cap, count] of Object.entries(row.refusals)) refusals[cap] = (refusals[cap] ?? 0) + count;
  return { ...(sums as unknown as RaceRow), kind, fullest, refusals };
}

const total = (counts: Record<string, number>): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
const listed = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

export function raceTable({ rows, seed, copies, answers, breaks, heldUp, tookMs, faults }: RaceResult): string {
  const head = ['cap', 'runs', 'tasks', 'completed', 'refusals', 'retries after refusal', 'calls', '429', 'timeouts', 'broken off'];
  const money = ['reservations', 'unknown', 'bill of the server, µ$', 'settled, µ$', 'most of the cap', 'over the cap', 'overruns'];
  const raced = rows.filter(({ runs }) => runs > 0);
  const lines = [...raced, joined('all', raced)].map((row) => [
    ...[
      row.kind,
      row.runs,
      row.tasks,
      row.completed,
      `${total(row.refusals)} (${listed(row.refusals)})`,
      row.retriesAfterRefusal,
      row.requests,
      row.rateLimited,
    ],
    ...[row.timeouts, row.brokenOff, row.reservations, row.unknown, row.billMicros, row.paidMicros],
    ...[parts(row.fullest), row.overCap, row.overruns],
  ]);
  return [
    table([...head, ...money], lines),
    '',
    `Seed ${seed}, ${Math.round(tookMs / 1000)} s. Repeated commands: ${total(copies)} (${listed(copies)}),`,
    `answered ${listed(answers)}.`,
    `Lines to the broker broke ${breaks} times and held something up ${heldUp} times. Faults: ${faults.length}.`,
    ...faults.slice(0, 40).map((fault) => `  ${fault}`),
  ].join('\n');
}

const parts = (fullest: Record<string, number>): string =>
  Object.entries(fullest)
    .map(([cap, part]) => `${cap} ${(part * 100).toFixed(1)} %`)
    .join(', ');
