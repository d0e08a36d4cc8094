/** The short form; `npm run chaos -- --only budget-race` plays a hundred runs of two hundred tasks. */
import { budgetRace } from './budget-race.js';
import { raceTable } from './race-table.js';

test('tasks at the limit of what run, task, agent and tenant may spend: never over it, and no retry of what was refused', async () => {
  const lines: string[] = [];
  const result = await budgetRace({ runs: 4, tasks: 120, seed: 7, latestMs: 2000, log: (line) => lines.push(line) });
  const sum = (of: (row: (typeof result.rows)[number]) => number): number => result.rows.reduce((total, row) => total + of(row), 0);
  expect(result.faults).toEqual([]);
  expect(result.rows.map(({ kind, runs, tasks }) => [kind, runs, tasks])).toEqual([
    ['run', 1, 120],
    ['task and agent', 1, 120],
    ['tenant', 2, 240],
  ]);
  expect(sum(({ retriesAfterRefusal, overCap, overruns }) => retriesAfterRefusal + overCap + overruns)).toBe(0);
  for (const met of [sum(({ rateLimited }) => rateLimited), sum(({ timeouts }) => timeouts), sum(({ unknown }) => unknown)]) {
    expect(met).toBeGreaterThan(0);
  }
  expect(result.copies['RecordCalls']).toBeGreaterThan(20);
  expect(Math.max(...result.rows.flatMap(({ fullest }) => Object.values(fullest)))).toBeGreaterThan(0.9);
  expect(raceTable(result)).toContain('Faults: 0.');
  expect(lines).toHaveLength(3);
}, 90_000);
