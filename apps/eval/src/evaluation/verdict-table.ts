/** The result of an evaluation for people: a line for each agent, a column for each model, and what was wrong. */
import type { Verdict } from './run-tasks.js';

export type ByModel = Readonly<Record<string, readonly Verdict[]>>;

export function verdictTable(byModel: ByModel): string {
  const models = Object.keys(byModel);
  const agents = [...new Set(Object.values(byModel).flatMap((verdicts) => verdicts.map(({ agent }) => agent)))];
  const score = (verdicts: readonly Verdict[]): string => `${verdicts.filter(({ ok }) => ok).length}/${verdicts.length}`;
  const rows = [
    ['agent', ...models],
    ...agents.map((agent) => [agent, ...models.map((model) => score(byModel[model]!.filter((verdict) => verdict.agent === agent)))]),
    ['all', ...models.map((model) => score(byModel[model]!))],
    ['cost', ...models.map((model) => dollars(byModel[model]!))],
    ['seconds a task', ...models.map((model) => seconds(byModel[model]!))],
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return [...table, ...models.flatMap((model) => faultLines(model, byModel[model]!))].join('\n');
}

function faultLines(model: string, verdicts: readonly Verdict[]): string[] {
  const wrong = verdicts.filter(({ ok }) => !ok);
  if (wrong.length === 0) return [];
  const lines = wrong.flatMap(({ id, faults }) => Object.entries(faults).map(([check, fault]) => `  ${id}: ${check}: ${fault}`));
  return ['', `Wrong with ${model}:`, ...lines];
}

const dollars = (verdicts: readonly Verdict[]): string =>
  `$${(verdicts.reduce((sum, { costMicros }) => sum + costMicros, 0) / 1e6).toFixed(4)}`;
const seconds = (verdicts: readonly Verdict[]): string =>
  verdicts.length === 0 ? '-' : (verdicts.reduce((sum, { ms }) => sum + ms, 0) / verdicts.length / 1000).toFixed(1);
