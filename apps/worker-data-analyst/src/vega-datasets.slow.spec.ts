/** Every table in the `vega-datasets` package is profiled without a crash; what is no table is refused in words. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataProfile } from '@cadre/contracts';
import { loadedFile, withTables } from './data-process/database.js';
import { profile } from './data-process/profile.js';

const FOLDER = fileURLToPath(new URL('../../../node_modules/vega-datasets/data/', import.meta.url));
const FILES = readdirSync(FOLDER).filter((file) => /\.(csv|tsv|json|parquet)$/.test(file));
/** Graphs, maps, grids and other nested documents, without one table. */
const NO_TABLES = [
  'annual-precip.json',
  'londonBoroughs.json',
  'londonTubeLines.json',
  'miserables.json',
  'us-10m.json',
  'world-110m.json',
];

const profiles = new Map<string, DataProfile | string>();
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cadre-datasets-'));
  const sources = FILES.map((file) => ({ path: `inputs/${file}`, absolute: join(FOLDER, file), stamp: '1' }));
  await withTables(folder, sources, async ({ db, catalogue }) => {
    for (const file of FILES) {
      const found = await Promise.resolve()
        .then(() => profile(db, loadedFile(catalogue, `inputs/${file}`)))
        .catch((error: Error) => error.message);
      profiles.set(file, found);
    }
  });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function profileOf(file: string): DataProfile {
  return DataProfile.parse(profiles.get(file));
}

describe('vega-datasets', () => {
  test('has files to try', () => expect(FILES.length).toBeGreaterThan(60));

  test.each(FILES.filter((file) => !NO_TABLES.includes(file)))('%s', (file) => {
    const found = profileOf(file);
    expect(found.rows).toBeGreaterThan(0);
    expect(found.columns.length).toBeGreaterThan(0);
  });

  test.each(NO_TABLES)('%s is no table', (file) => expect(profiles.get(file)).toMatch(/holds no table/));

  test.each([
    ['seattle-weather.csv', 'date', 'precipitation', 'weather'],
    ['stocks.csv', 'date', 'price', 'symbol'],
    ['cars.json', 'Year', 'Miles_per_Gallon', 'Origin'],
    ['gapminder.json', 'year', 'pop', 'cluster'],
    ['movies.json', 'Release Date', 'US Gross', 'Major Genre'],
    ['flights-3m.parquet', 'date', 'delay', undefined],
    ['airports.csv', undefined, 'latitude', 'country'],
    ['earthquakes.json', 'properties_time', 'properties_mag', 'properties_status'],
  ])('%s: time %s, best measure %s, best dimension %s', (file, time, measure, dimension) => {
    const { suggested } = profileOf(file);
    expect([suggested.time, suggested.measures[0], suggested.dimensions[0]]).toEqual([time, measure, dimension]);
  });

  test('ids and codes are no measures', () => {
    expect(profileOf('unemployment.tsv').suggested.measures).toEqual(['rate']);
    expect(profileOf('income.json').suggested.measures).not.toContain('id');
    expect(profileOf('zipcodes.csv').columns[0]).toMatchObject({ name: 'zip_code', type: 'text' });
  });
});
