/** The tools' figures against figures computed here from the same files, without DuckDB. */
import { readFileSync } from 'node:fs';
import { DataBench } from './testing/data-bench.js';

const FOLDER = new URL('../../../node_modules/vega-datasets/data/', import.meta.url);
const body = (file: string) => readFileSync(new URL(file, FOLDER));

/** For files without quoted cells. */
function csvRows(file: string): Record<string, string>[] {
  const [head, ...lines] = body(file).toString('utf8').trim().split(/\r?\n/);
  const names = head!.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, index) => [names[index]!, cell])));
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Linear interpolation between the closest ranks. */
function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = Math.floor(at);
  return sorted[below]! + (at - below) * ((sorted[below + 1] ?? sorted[below]!) - sorted[below]!);
}

function slope(values: number[]): number {
  const middle = (values.length - 1) / 2;
  const top = values.reduce((sum, value, index) => sum + (index - middle) * value, 0);
  return top / values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0);
}

function groups<T>(rows: T[], key: (row: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const row of rows) found.set(key(row), [...(found.get(key(row)) ?? []), row]);
  return found;
}

let bench: DataBench;
beforeAll(async () => {
  const names = ['seattle-weather.csv', 'cars.json', 'gapminder.json', 'stocks.csv'];
  bench = await DataBench.create(Object.fromEntries(names.map((name) => [name, body(name)])));
});
afterAll(() => bench.close());

test('seattle-weather.csv: profile', async () => {
  const rows = csvRows('seattle-weather.csv');
  const profile = await bench.call('profile_data', { file: 'inputs/seattle-weather.csv' });
  expect(profile).toMatchObject({ table: 'seattle_weather', format: 'csv', rows: rows.length });
  const warmest = profile.columns.find((column) => column.name === 'temp_max')!;
  const values = rows.map((row) => Number(row['temp_max']));
  expect(warmest).toMatchObject({
    type: 'number',
    nulls: 0,
    distinct: new Set(values).size,
    min: Math.min(...values),
    max: Math.max(...values),
  });
  expect(warmest.mean).toBeCloseTo(mean(values), 9);
  expect(warmest.stddev).toBeCloseTo(Math.sqrt(values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0) / (values.length - 1)), 9);
  for (const [key, share] of [
    ['p25', 0.25],
    ['median', 0.5],
    ['p75', 0.75],
  ] as const)
    expect(warmest[key]).toBeCloseTo(quantile(values, share), 9);
  const counted = [...groups(rows, (row) => row['weather']!)]
    .map(([value, of]) => ({ value, count: of.length }))
    .sort((a, b) => b.count - a.count);
  expect(profile.columns.find((column) => column.name === 'weather')!.top).toEqual(counted);
  expect(profile.columns[0]).toMatchObject({ name: 'date', type: 'date', min: '2012-01-01', max: '2015-12-31' });
});

test('seattle-weather.csv: monthly trend and anomalies', async () => {
  const rows = csvRows('seattle-weather.csv').map((row) => ({ date: row['date']!.replaceAll('/', '-'), value: Number(row['temp_max']) }));
  const trend = await bench.call('find_trends', { file: 'inputs/seattle-weather.csv', time: 'date', measure: 'temp_max' });
  const months = [...groups(rows, (row) => row.date.slice(0, 7))].map(([bucket, of]) => ({ bucket, values: of.map((row) => row.value) }));
  expect(trend.grain).toBe('month');
  expect(trend.points.map(({ bucket, rows: count }) => [bucket, count])).toEqual(
    months.map(({ bucket, values }) => [bucket, values.length]),
  );
  for (const [index, { values }] of months.entries()) expect(trend.points[index]!.mean).toBeCloseTo(mean(values), 9);
  expect(trend.slopePerBucket).toBeCloseTo(slope(months.map(({ values }) => mean(values))), 9);
  expect(trend).toMatchObject({ direction: 'flat', first: trend.points[0]!.mean, last: trend.points.at(-1)!.mean });

  const found = await bench.call('find_anomalies', { file: 'inputs/seattle-weather.csv', measure: 'precipitation' });
  const rain = csvRows('seattle-weather.csv').map((row) => Number(row['precipitation']));
  const [q1, q3] = [quantile(rain, 0.25), quantile(rain, 0.75)];
  expect(found.lower).toBeCloseTo(q1 - 1.5 * (q3 - q1), 9);
  expect(found.upper).toBeCloseTo(q3 + 1.5 * (q3 - q1), 9);
  const outside = rain.filter((value) => value > found.upper || value < found.lower);
  expect(found.count).toBe(outside.length);
  expect(found.rows.map((row) => row['precipitation'])).toEqual(outside.sort((a, b) => b - a).slice(0, 10));
});

test('cars.json: nulls are left out of the mean', async () => {
  const rows = JSON.parse(body('cars.json').toString('utf8')) as { Miles_per_Gallon: number | null }[];
  const values = rows.flatMap((row) => row.Miles_per_Gallon ?? []);
  const { columns } = await bench.call('profile_data', { file: 'inputs/cars.json' });
  const miles = columns.find((column) => column.name === 'Miles_per_Gallon')!;
  expect(miles.nulls).toBe(rows.length - values.length);
  expect(miles.mean).toBeCloseTo(mean(values), 9);
});

test('gapminder.json: integer years are buckets', async () => {
  const rows = JSON.parse(body('gapminder.json').toString('utf8')) as { year: number; life_expect: number }[];
  const trend = await bench.call('find_trends', { file: 'inputs/gapminder.json', time: 'year', measure: 'life_expect' });
  const years = [...groups(rows, (row) => String(row.year))].sort(([a], [b]) => (a < b ? -1 : 1));
  expect(trend).toMatchObject({ grain: 'year', direction: 'rising' });
  expect(trend.points.map((point) => point.bucket)).toEqual(years.map(([year]) => year));
  expect(trend.slopePerBucket).toBeCloseTo(slope(years.map(([, of]) => mean(of.map((row) => row.life_expect)))), 9);
});

test('stocks.csv: dates as in "Jan 1 2000", and queries over all files', async () => {
  const trend = await bench.call('find_trends', { file: 'inputs/stocks.csv', time: 'date', measure: 'price' });
  expect(trend.points[0]!.bucket).toBe('2000-01');
  const rows = csvRows('stocks.csv');
  const answer = await bench.call('query_data', { sql: 'SELECT symbol, max(price) AS best FROM stocks GROUP BY symbol ORDER BY symbol' });
  const best = [...groups(rows, (row) => row['symbol']!)].map(([symbol, of]) => [
    symbol,
    Math.max(...of.map((row) => Number(row['price']))),
  ]);
  expect(answer).toEqual({ columns: ['symbol', 'best'], rows: best.sort(([a], [b]) => (a! < b! ? -1 : 1)), truncated: false });
  const both = await bench.call('query_data', { sql: 'SELECT (SELECT count(*) FROM cars) AS a, (SELECT count(*) FROM gapminder) AS b' });
  expect(both.rows).toEqual([[406, 682]]);
});
