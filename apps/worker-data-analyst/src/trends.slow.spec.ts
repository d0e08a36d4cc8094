/** How the buckets of a trend are chosen, over series of every length and kind. */
import { DataBench } from './testing/data-bench.js';

const table = (head: string, rows: (string | number)[][]): string => [head, ...rows.map((row) => row.join(','))].join('\n');
const series = (count: number, stepMs: number, from = Date.UTC(2020, 0, 1)): (string | number)[][] =>
  Array.from({ length: count }, (_, i) => [new Date(from + i * stepMs).toISOString().slice(0, 19).replace('T', ' '), i]);
const [SECOND, HOUR, DAY] = [1000, 3_600_000, 86_400_000];

const FILES = {
  'seconds.csv': table('at,v', series(100, SECOND)),
  'minutes.csv': table('at,v', series(3600, SECOND)),
  'hours.csv': table('at,v', series(100, HOUR)),
  'days.csv': table('at,v', series(120, DAY)),
  'weeks.csv': table('at,v', series(700, DAY)),
  'months.csv': table('at,v', series(3000, DAY)),
  'quarters.csv': table('at,v', series(9000, DAY)),
  'years.csv': table('at,v', series(300, 366 * DAY, Date.UTC(1700, 0, 1))),
  'centuries.csv': table(
    'year,v',
    Array.from({ length: 700 }, (_, i) => [1500 + i, i]),
  ),
  'yearly.csv': table(
    'date,v',
    Array.from({ length: 30 }, (_, i) => [`${1990 + i}-01-01`, 100 - i]),
  ),
  'steps.csv': table(
    'dose,v',
    Array.from({ length: 60 }, (_, i) => [(i % 6) * 0.5, i % 6]),
  ),
  'many.csv': table(
    'x,v',
    Array.from({ length: 1000 }, (_, i) => [i * 1.5, 5]),
  ),
  'same-names.csv': table(
    't,v,b,n,time',
    Array.from({ length: 12 }, (_, i) => [`2020-${String(i + 1).padStart(2, '0')}-01`, i, 1, 2, 3]),
  ),
  'one.csv': table('at,v', [['2020-01-01', 7]]),
  'holes.csv': table('at,v', [
    ['2020-01-01', 1],
    ['', 2],
    ['2020-01-02', ''],
    ['2020-01-03', 3],
  ]),
};

let bench: DataBench;
beforeAll(async () => {
  bench = await DataBench.create(FILES);
});
afterAll(() => bench.close());

const trendOf = (file: string, time: string, measure = 'v') => bench.call('find_trends', { file: `inputs/${file}`, time, measure });

test.each([
  ['seconds.csv', 'at', 'second', '2020-01-01T00:00:00', 100],
  ['minutes.csv', 'at', 'minute', '2020-01-01T00:00', 60],
  ['hours.csv', 'at', 'hour', '2020-01-01T00:00', 100],
  ['days.csv', 'at', 'day', '2020-01-01', 120],
  ['weeks.csv', 'at', 'week', '2019-12-30', 101],
  ['months.csv', 'at', 'month', '2020-01', 99],
  ['quarters.csv', 'at', 'quarter', '2020-Q1', 99],
  ['years.csv', 'at', 'year', '1700', 300],
  ['centuries.csv', 'year', 'value', '1500', 50],
  ['yearly.csv', 'date', 'year', '1990', 30],
  ['steps.csv', 'dose', 'value', '0.0', 6],
  ['many.csv', 'x', 'value', '0', 50],
  ['same-names.csv', 't', 'month', '2020-01', 12],
  ['one.csv', 'at', 'year', '2020', 1],
  ['holes.csv', 'at', 'day', '2020-01-01', 2],
] as const)('%s by %s: grain %s from %s, %i points', async (file, time, grain, first, points) => {
  const trend = await trendOf(file, time);
  expect([trend.grain, trend.points[0]!.bucket, trend.points.length]).toEqual([grain, first, points]);
  expect(new Set(trend.points.map((point) => point.bucket)).size).toBe(points);
});

test('directions', async () => {
  expect(await trendOf('days.csv', 'at')).toMatchObject({ direction: 'rising', slopePerBucket: 1, r2: 1 });
  expect(await trendOf('yearly.csv', 'date')).toMatchObject({ direction: 'falling', slopePerBucket: -1 });
  expect(await trendOf('many.csv', 'x')).toMatchObject({ direction: 'flat', slopePerBucket: 0, r2: 0 });
  expect(await trendOf('one.csv', 'at')).toMatchObject({ direction: 'flat', first: 7, last: 7 });
});
