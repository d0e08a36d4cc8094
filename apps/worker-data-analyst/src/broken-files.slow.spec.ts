/** Files as people have them: odd, damaged or not what they seem. Each is read sensibly or refused in words. */
import { DataBench } from './testing/data-bench.js';

let bench: DataBench;
const FILES: Record<string, string | Uint8Array> = {
  'empty.csv': '',
  'blank.csv': '\n\n  \n',
  'header-only.csv': 'a,b,c\n',
  'one-column.csv': 'v\n1\n2\n3\n',
  'no-header.csv': '1,2,3\n4,5,6\n',
  'bom.csv': '\ufeffname,v\nann,1\n',
  'latin-1.csv': Buffer.from('name,v\ncaf\xe9,1\n', 'latin1'),
  'utf-16.csv': Buffer.from('\ufeffname,v\ncafé,1\n', 'utf16le'),
  'duplicate-names.csv': 'a,a,A\n1,2,3\n',
  'quoted-newlines.csv': 'a,b\n"x\ny",1\n"z, ""q""",2\n',
  'short-rows.csv': 'a,b,c\n1,2,3\n4,5\n7,8,9\n',
  'long-rows.csv': 'a,b\n1,2\n3,4,5\n6,7\n',
  'ragged-and-quoted.csv': 'a,b\n"x\ny",1\n"z",2,3\n',
  'semicolons.csv': 'a;b\n1,5;2\n3,25;4\n',
  'missing-words.csv': 'a,b\nNA,x\n3,n/a\n4.5,y\n',
  'thousands.csv': 'a,b\n"1,200",1\n"15",2\n"2,000,000",3\n',
  'leading-zeros.csv': 'zip,v\n00501,1\n00544,2\n',
  'mixed.csv': `a,b\n${Array.from({ length: 30_000 }, (_, i) => `${i},${i}`).join('\n')}\nx,1\n`,
  'binary.csv': Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 3)) % 256)),
  'no-zeros-binary.csv': Buffer.from(Array.from({ length: 5000 }, (_, i) => ((i * 7919 + (i >> 3)) % 255) + 1)),
  'huge-field.csv': `a,b\n${'x'.repeat(3_000_000)},1\n`,
  'wide.csv': `${Array.from({ length: 3000 }, (_, i) => `c${i}`).join(',')}\n`,
  'words.csv': 'name,city\nann,oslo\nbob,rome\n',
  'tabs.tsv': 'a\tb\n1\tx, y\n',
  'numbers.csv': 'n,huge,odd\n1,123456789012345678901234567890,1e308\n2,9007199254740993,-1e308\n3,5,nan\n4,5,inf\n',
  'cut.parquet': Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(100), Buffer.from('PAR1')]),
  'text.parquet': 'hello',
  'broken.json': '[{"a": 1}, {"a": ',
  'scalar.json': '42',
  'nested.json': '{"rows": [{"id": 1, "at": {"x": 1.5}, "tags": ["p", "q"]}, {"id": "b", "at": {"x": null}}], "note": "hi"}',
  'lines.json': '{"a": 1}\n{"a": 2}\n',
  'case.json': '[{"Name": "x", "name": "y"}]',
  'empty-array.json': '[]',
  'empty-objects.json': '[{}, {}]',
  'bad-line.ndjson': '{"a": 1}\n{"a": \n{"a": 3}\n',
  'times.json': '[{"updated": 1700000000000, "v": 1}, {"updated": 1700086400000, "v": 2}]',
  'dates.csv': `when,v\n${Array.from({ length: 40 }, (_, i) => `${(i % 28) + 1}.${(i % 12) + 1}.2020,${i}`).join('\n')}\nunknown,1\n`,
  'notes.txt': 'hello',
};

beforeAll(async () => {
  bench = await DataBench.create(FILES);
});
afterAll(() => bench.close());

const profileOf = (file: string) => bench.call('profile_data', { file: `inputs/${file}` });

test.each([
  ['empty.csv', /is empty/],
  ['blank.csv', /holds no rows/],
  ['binary.csv', /is not a text file/],
  ['no-zeros-binary.csv', /is not a text file/],
  ['huge-field.csv', /cannot be read as CSV: line 1: Maximum line size/],
  ['wide.csv', /has 3000 columns; at most 500/],
  ['cut.parquet', /cannot be read as Parquet/],
  ['text.parquet', /cannot be read as Parquet/],
  ['broken.json', /is not valid JSON/],
  ['scalar.json', /holds no table/],
  ['empty-array.json', /holds no rows/],
  ['empty-objects.json', /have no fields/],
  ['bad-line.ndjson', /Line 2 .* is not valid JSON/],
  ['notes.txt', /is no data file/],
  ['missing.csv', /no data file inputs\/missing\.csv/],
])('%s is refused', async (file, message) => {
  const said = await bench.refusal('profile_data', { file: `inputs/${file}` });
  expect(said).toMatch(message);
  expect(said.length).toBeLessThan(400);
  expect(said).not.toContain(bench.workspace.root);
});

test.each([
  ['header-only.csv', 0, 'a:text b:text c:text'],
  ['one-column.csv', 3, 'v:integer'],
  ['no-header.csv', 2, 'column0:integer column1:integer column2:integer'],
  ['bom.csv', 1, 'name:text v:integer'],
  ['duplicate-names.csv', 1, 'a:integer a_1:integer A_2:integer'],
  ['short-rows.csv', 3, 'a:integer b:integer c:integer'],
  ['long-rows.csv', 3, 'a:integer b:integer column2:integer'],
  ['ragged-and-quoted.csv', 2, 'a:text b:integer column2:integer'],
  ['semicolons.csv', 2, 'a:number b:integer'],
  ['missing-words.csv', 3, 'a:number b:text'],
  ['thousands.csv', 3, 'a:integer b:integer'],
  ['leading-zeros.csv', 2, 'zip:text v:integer'],
  ['mixed.csv', 30_001, 'a:text b:integer'],
  ['words.csv', 2, 'name:text city:text'],
  ['tabs.tsv', 1, 'a:integer b:text'],
  ['nested.json', 2, 'id:text at_x:number tags:text'],
  ['lines.json', 2, 'a:integer'],
  ['case.json', 1, 'Name:text name_1:text'],
  ['times.json', 2, 'updated:timestamp v:integer'],
])('%s is read: %i rows, %s', async (file, rows, columns) => {
  const profile = await profileOf(file);
  expect(profile.rows).toBe(rows);
  expect(profile.columns.map(({ name, type }) => `${name}:${type}`).join(' ')).toBe(columns);
});

test('texts in other encodings are read as written', async () => {
  for (const file of ['latin-1.csv', 'utf-16.csv']) expect((await profileOf(file)).columns[0]!.top).toEqual([{ value: 'café', count: 1 }]);
  const { rows } = await bench.call('query_data', { sql: 'SELECT a FROM quoted_newlines ORDER BY b' });
  expect(rows).toEqual([['x\ny'], ['z, "q"']]);
});

test('numbers too large, not finite or not exact', async () => {
  const { columns } = await profileOf('numbers.csv');
  expect(columns.find((column) => column.name === 'odd')).toMatchObject({ nulls: 2, min: -1e308, max: 1e308 });
  const cells = await bench.call('query_data', {
    sql: `SELECT 9007199254740993::BIGINT, 12.50::DECIMAL(9,2), 'nan'::DOUBLE, '-inf'::FLOAT, DATE '2020-02-29', TIMESTAMP '2020-02-29 12:30:00',
      TIMESTAMPTZ '2020-02-29 12:30:00+02', INTERVAL 3 DAY, [1, 2], {'a': DATE '2020-01-01'}, true, NULL, 'infinity'::DATE, 1::HUGEINT`,
  });
  expect(cells.rows[0]!.slice(0, 7)).toEqual([
    '9007199254740993',
    12.5,
    null,
    null,
    '2020-02-29',
    '2020-02-29T12:30:00',
    '2020-02-29T10:30:00.000Z',
  ]);
  expect(cells.rows[0]!.slice(7)).toEqual(['3 days', '[1,2]', '{"a":"2020-01-01"}', true, null, null, 1]);
});

test('a text column that is nearly all dates can be a time', async () => {
  const profile = await profileOf('dates.csv');
  expect(profile).toMatchObject({ suggested: { time: 'when', measures: ['v'] } });
  expect(profile.columns[0]!.type).toBe('text');
  const trend = await bench.call('find_trends', { file: 'inputs/dates.csv', time: 'when', measure: 'v' });
  expect(trend.points.reduce((sum, point) => sum + point.rows, 0)).toBe(40);
});

test('what cannot be a measure or a time is refused in words', async () => {
  const file = 'inputs/words.csv';
  expect(await bench.refusal('find_trends', { file, time: 'name', measure: 'city' })).toMatch(/city .* holds text values, not numbers/);
  expect(await bench.refusal('find_anomalies', { file, measure: 'size' })).toMatch(/has no column "size"/);
  expect(await bench.refusal('find_trends', { file: 'inputs/thousands.csv', time: 'x', measure: 'a' })).toMatch(/has no column/);
  expect(await bench.refusal('find_anomalies', { file: 'inputs/header-only.csv', measure: 'a' })).toMatch(/not numbers/);
});

test('an own file is a table once a call has named it, also when that call is on record of an earlier attempt', async () => {
  for (const file of ['made.csv', 'found.csv']) await bench.workspace.write(file, 'a,b\n1,2\n');
  expect(await bench.refusal('query_data', { sql: 'SELECT a FROM made' })).toMatch(/made/);
  await bench.call('profile_data', { file: 'made.csv' });
  bench.recall('profile_data', { file: 'found.csv' });
  for (const table of ['made', 'found']) {
    expect((await bench.call('query_data', { sql: `SELECT a FROM ${table}` })).rows).toEqual([[1]]);
  }
});
