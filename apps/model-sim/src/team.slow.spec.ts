/** The whole team on more real files: Parquet, several files, wide tables, and without any. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { DATA, expectSound, GOAL, TeamRuns } from './testing/team-run.js';

let runs: TeamRuns;
beforeAll(async () => {
  runs = await TeamRuns.open();
});
afterAll(() => runs.close());

async function parquet(name: string, sql: string): Promise<string> {
  const path = join(runs.folder, name);
  const instance = await DuckDBInstance.create();
  const db = await instance.connect();
  await db.run(`COPY (${sql}) TO '${path}' (FORMAT parquet)`);
  db.closeSync();
  instance.closeSync();
  return path;
}

test('report code and its tests for Parquet type-check and pass', async () => {
  const some = `SELECT * FROM read_csv('${join(DATA, 'seattle-weather.csv')}') LIMIT 120`;
  await expectSound(await runs.work(GOAL, [await parquet('small.parquet', some)]));
});

describe('the analysis', () => {
  test('states figures that are right', async () => {
    const run = await runs.work('Analyze the weather data, generate report code, write tests, and document the API', [
      join(DATA, 'seattle-weather.csv'),
    ]);
    await expectSound(run);
    const { team, answers } = run;
    const rows = (await readFile(join(DATA, 'seattle-weather.csv'), 'utf8'))
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
    const maxima = rows.map((row) => Number(row[2]));
    const mean = maxima.reduce((sum, value) => sum + value, 0) / maxima.length;
    const rainy = rows.filter((row) => row[5]?.trim() === 'rain').length;
    const { answer } = answers['answer'] ?? { answer: '' };
    expect(answer).toContain(
      `\`inputs/seattle-weather.csv\` has ${rows.length} rows and 6 columns, \`date\` from 2012-01-01 to 2015-12-31.`,
    );
    expect(answer).toContain(`\`temp_max\` ranges from ${Math.min(...maxima)} to ${Math.max(...maxima)}, with mean ${mean.toFixed(2)}`);
    expect(answer).toContain(`The most frequent \`weather\` is rain with ${rainy} rows`);
    const inYear = (year: string): number => {
      const values = rows.filter((row) => row[0]?.startsWith(year)).map((row) => Number(row[2]));
      return Number((values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2));
    };
    expect(answer).toContain(`the mean of \`temp_max\` rises every year from ${inYear('2012')} in 2012 to ${inYear('2015')} in 2015`);
    const report = await team.read('report.md');
    const charts = [...report.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map((match) => match[1] ?? '');
    expect(charts.length).toBeGreaterThanOrEqual(3);
    for (const chart of charts) expect(await team.read(chart)).toMatch(/^<svg [\s\S]*<\/svg>/);
  });

  test('of several files has a part for each, and code for the one with most to tell', async () => {
    const { team, answers } = await runs.work('Analyze both files and write report code', [
      join(DATA, 'monarchs.json'),
      join(DATA, 'stocks.csv'),
    ]);
    expect(await team.read('report.md')).toMatch(/## File `inputs\/monarchs.json`[\s\S]*## File `inputs\/stocks.csv`/);
    expect(answers['code']?.answer).toMatch(/Report code for `inputs\/stocks.csv`[\s\S]*Left out: `inputs\/monarchs.json`/);
  });

  test('of a wide table keeps within what one reply can hold', async () => {
    const names = Array.from({ length: 150 }, (_, i) => `some rather long column name ${i}`);
    const rows = Array.from({ length: 40 }, (_, r) => names.map((_name, i) => (r * 37 + i * 11) % 97));
    const { answers } = await runs.work(GOAL, [await runs.made('broad.csv', [names, ...rows].map((row) => row.join(',')).join('\n'))]);
    expect(answers['code']?.answer).toContain('Type check (strict): no errors.');
    expect(answers['test']?.answer).toMatch(/ passed, 0 failed, 0 skipped/);
  });
});

test('a REST module is written, tested, documented and reviewed', async () => {
  const { team, ids, answers } = await runs.work('Build a REST API for categories, write tests and document it', []);
  expect(ids).toEqual(['requirements', 'design', 'implement', 'test', 'docs', 'review']);
  expect(answers['implement']?.answer).toContain('Type check (strict): no errors.');
  expect(answers['test']?.answer).toMatch(/^\*\*[1-9]\d* passed, 0 failed, 0 skipped\*\*/);
  expect(await team.read('src/store.ts')).toContain('export interface Category {');
  expect(await team.read('docs/API.md')).toContain('/categories/{id}');
});
