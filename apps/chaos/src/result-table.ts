/** Results as lines for people. */
import type { AccidentResult } from './accident.js';
import type { PointResult } from './crash-matrix.js';

type Cell = string | number;

export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const COUNTS = ['runs', 'acknowledged lost', 'double results', 'calls repeated', 'of unrecorded answers', 'effects repeated'];

const countsOf = (one: PointResult | AccidentResult): Cell[] => [
  ...[one.runs, one.acknowledgedLost, one.doubleResults, one.callsRepeated, one.unrecordedRepeated, one.effectsRepeated],
];

export function matrixTable(results: readonly PointResult[]): string {
  return table(
    ['point', 'crashes', ...COUNTS, 'recovery in ms: median, max', 'faults'],
    results.map((one) => [
      ...[one.point, `${one.crashes} of ${one.rounds}`, ...countsOf(one)],
      ...[`${one.recoveryMs.median}, ${one.recoveryMs.max}`, one.faults.length],
    ]),
  );
}

const roundsOf = ({ rounds, trials, staleRefused }: AccidentResult): Cell =>
  trials === undefined ? rounds : `${rounds} (${trials} attempts; ${staleRefused ?? 0} stale commands refused)`;

export function accidentTable(results: readonly AccidentResult[]): string {
  return table(
    ['accident', 'rounds', ...COUNTS, 'time until', 'ms: median, max (limit)', 'faults'],
    results.map((one) => [
      ...[one.name, roundsOf(one), ...countsOf(one), one.measured],
      ...[`${one.recoveryMs.median}, ${one.recoveryMs.max} (${one.limitMs})`, one.faults.length],
    ]),
  );
}
