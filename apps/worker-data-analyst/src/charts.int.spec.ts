/** Charts: each kind is drawn from real data; what would not be readable is refused in words. */
import { readFileSync } from 'node:fs';
import { DataBench } from './testing/data-bench.js';

const FOLDER = new URL('../../../node_modules/vega-datasets/data/', import.meta.url);
let bench: DataBench;
beforeAll(async () => {
  const names = ['seattle-weather.csv', 'cars.json', 'gapminder.json'];
  bench = await DataBench.create(Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, FOLDER))])));
});
afterAll(() => bench.close());

const draw = { title: 'A <title> & "more"', xTitle: 'Across', yTitle: 'Upwards', path: 'charts/one.svg' };

test.each([
  ['line', "SELECT date_trunc('month', date) AS x, avg(temp_max) AS y FROM seattle_weather GROUP BY x ORDER BY x", 48],
  ['line', 'SELECT year AS x, avg(life_expect) AS y, cluster AS series FROM gapminder GROUP BY ALL ORDER BY x', 66],
  ['bar', 'SELECT weather AS x, count(*) AS y FROM seattle_weather GROUP BY x ORDER BY y DESC', 5],
  ['bar', 'SELECT year(date) AS x, sum(precipitation) AS y, weather AS series FROM seattle_weather GROUP BY ALL ORDER BY x', 18],
  ['point', 'SELECT "Horsepower" AS x, "Miles_per_Gallon" AS y, "Origin" AS series FROM cars', 392],
  ['histogram', 'SELECT temp_max AS x FROM seattle_weather', 1461],
  ['line', 'SELECT date, temp_max FROM seattle_weather ORDER BY date', 1461],
] as const)('%s of %s', async (kind, sql, points) => {
  const result = await bench.call('draw_chart', { ...draw, kind, sql });
  expect(result.points).toBe(points);
  const svg = (await bench.workspace.readText('charts/one.svg', { maxBytes: 200_000 })).text;
  expect(svg).toMatch(/^<svg [^>]*width="640"/);
  expect(svg).toContain('A &lt;title&gt; &amp; "more"');
  for (const text of ['Across', 'Upwards']) expect(svg).toContain(`>${text}<`);
  expect(svg).not.toMatch(/NaN|undefined|<script/);
});

test.each([
  ['line', 'SELECT a.temp_max AS x, b.temp_max AS y FROM seattle_weather a, seattle_weather b', /more than 5000 rows/],
  ['bar', 'SELECT date AS x, temp_max AS y FROM seattle_weather', /1461 bars are too many/],
  ['line', 'SELECT "Horsepower" AS x, "Acceleration" AS y, "Name" AS series FROM cars', /series are too many/],
  ['line', 'SELECT weather AS y, date AS x FROM seattle_weather', /column y holds text values/],
  ['histogram', 'SELECT weather AS x FROM seattle_weather', /column x holds text values/],
  ['line', 'SELECT temp_max AS y FROM seattle_weather', /gives the columns y/],
  ['point', 'SELECT temp_max AS x, wind AS y FROM seattle_weather WHERE wind > 1000', /no rows with values/],
  ['bar', "COPY seattle_weather TO 'x'", /disabled/],
])('%s of %s is refused', async (kind, sql, message) => {
  expect(await bench.refusal('draw_chart', { ...draw, kind, sql })).toMatch(message);
});
