/** What a query must not be able to do: touch files, load code, change the tables, or run without end. */
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { withTables } from './data-process/database.js';
import { query } from './data-process/query.js';
import { DataBench } from './testing/data-bench.js';

const TABLE = 'name,value\nann,1\nbob,2\n';
let bench: DataBench;
let impatient: DataBench;
beforeAll(async () => {
  [bench, impatient] = (await Promise.all(
    [60_000, 3000].map((timeMs) => DataBench.create({ 'table.csv': TABLE }, { timeMs, memoryMb: 1200 })),
  )) as [DataBench, DataBench];
  await bench.call('profile_data', { file: 'inputs/table.csv' });
});
afterAll(() => Promise.all([bench.close(), impatient.close()]));

/** What is said to a query that would take too long, on tables of its own. */
const refusal = (sql: string) => impatient.refusal('query_data', { sql });

/** The same, without a process of its own; the tables are there already. */
const locked = (sql: string): Promise<string> =>
  withTables(join(bench.workspace.scratch, 'data'), [], async ({ db }) => {
    const answer = await query(db, sql, 10).catch((error: Error) => error.message);
    expect((await query(db, 'SELECT count(*) AS n FROM t_table', 10)).rows).toEqual([[2]]);
    return typeof answer === 'string' ? answer : `no error, but ${JSON.stringify(answer)}`;
  });

test.each([
  "COPY t_table TO 'out.csv'",
  'DROP TABLE t_table',
  'CREATE TABLE x AS SELECT 1',
  'INSERT INTO t_table VALUES (1, 2)',
  "UPDATE t_table SET name = ''",
  'DELETE FROM t_table',
  "ATTACH 'other.db'",
  'INSTALL httpfs',
  'LOAD httpfs',
  'SET threads = 4',
  'RESET lock_configuration',
  'SET enable_external_access = true',
  "SET temp_directory = '/tmp'",
  "PRAGMA memory_limit = '10GB'",
  'CALL pragma_version()',
  "CALL enable_logging('QueryLog', storage = 'file', storage_config = {'path': 'logs'})",
  'BEGIN',
  'CHECKPOINT',
  "EXPORT DATABASE 'out'",
  "EXPLAIN ANALYZE COPY t_table TO 'out.csv'",
  'PREPARE p AS SELECT 1',
  'CREATE SECRET (TYPE s3)',
])('%s is refused', async (sql) => {
  expect(await locked(sql)).toMatch(/is refused|locked|disabled|read-only|Permission|Cannot|not exist/);
});

test.each([
  "SELECT * FROM read_csv('/etc/passwd')",
  "FROM '/etc/passwd'",
  "FROM read_text('/etc/passwd')",
  "FROM read_blob('/etc/hostname')",
  "FROM glob('/etc/*')",
  "FROM sniff_csv('/etc/passwd')",
  "FROM read_json('/etc/passwd')",
  "FROM parquet_metadata('/etc/passwd')",
  "SELECT * FROM query('COPY t_table TO ''out.csv''')",
  'FROM duckdb_secrets()',
  "SELECT getenv('HOME')",
])('%s reads nothing', async (sql) => expect(await locked(sql)).toMatch(/disabled|does not exist|Expected a single SELECT/));

test('no file was written', () => {
  expect(readdirSync(join(bench.workspace.scratch, 'data')).sort()).toEqual(['catalogue.json', 'tables.duckdb']);
  expect(readdirSync(bench.workspace.root)).toEqual(['inputs']);
  expect(existsSync('out.csv')).toBe(false);
});

test.each(['', '   ', '-- nothing', '/* nothing */ ;', ';;'])('%j has no statement', async (sql) => {
  expect(await locked(sql)).toMatch(/no statement/);
});

test('two statements, parameters and mistakes are refused in words', async () => {
  expect(await locked('SELECT 1; SELECT 2')).toMatch(/There are 2 statements/);
  expect(await locked('SELECT * FROM t_table WHERE value = $1')).toMatch(/Parameters are not filled in/);
  expect(await locked('SELEC 1')).toMatch(/syntax error/);
  expect(await locked('SELECT nothing FROM t_table')).toMatch(/nothing.*not found/s);
});

test('a query without end is stopped', async () => {
  expect(await refusal('SELECT count(*) FROM range(10000000000) a, range(100000) b')).toMatch(/took more than 3 s/);
  expect(await refusal('WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i FROM t) SELECT count(*) FROM t')).toMatch(
    /took more than 3 s|memory/i,
  );
});

test('a query that eats memory is stopped', async () => {
  expect(await refusal("SELECT repeat('a', 4000000000) AS x")).toMatch(/took more than|needed more than|Out of Memory|Maximum|memory/i);
  expect(await refusal('SELECT list(range) FROM range(1000000000)')).toMatch(/took more than|needed more than|Out of Memory|memory/i);
});

test('endless and huge results are cut', async () => {
  const endless = await bench.call('query_data', { sql: 'SELECT * FROM range(1000000000000)', limit: 5 });
  expect(endless).toEqual({ columns: ['range'], rows: [[0], [1], [2], [3], [4]], truncated: true });
  const wide = await bench.call('query_data', { sql: "SELECT repeat('x', 100000) AS x FROM range(500)", limit: 500 });
  expect(wide.truncated).toBe(true);
  expect(JSON.stringify(wide).length).toBeLessThan(120_000);
});

test('an aborted call ends at once', async () => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 300);
  const started = performance.now();
  const call = bench.call('query_data', { sql: 'SELECT count(*) FROM range(10000000000) a, range(100000) b' }, abort.signal);
  await expect(call).rejects.toMatchObject({ code: 'aborted' });
  expect(performance.now() - started).toBeLessThan(15_000);
});

test('paths cannot lead out of the workspace', async () => {
  for (const file of ['/etc/passwd', '../files/inputs/table.csv', 'inputs/../../x.csv', '.hidden.csv']) {
    await expect(bench.workspace && bench.call('profile_data', { file })).rejects.toThrow();
  }
  mkdirSync(join(bench.workspace.root, 'own'), { recursive: true });
  symlinkSync('/etc/passwd', join(bench.workspace.root, 'own/link.csv'));
  expect(await bench.refusal('profile_data', { file: 'own/link.csv' })).toMatch(/leads out/);
  const chart = { kind: 'bar', title: 't', sql: 'SELECT name AS x, value AS y FROM t_table', xTitle: '', yTitle: '' };
  expect(await bench.refusal('draw_chart', { ...chart, path: 'inputs/x.svg' })).toMatch(/inputs of the run cannot be changed/);
  expect(await bench.refusal('draw_chart', { ...chart, path: '../x.svg' })).toMatch(/path/);
  expect(await bench.refusal('draw_chart', { ...chart, path: 'x.html' })).toMatch(/\.svg/);
});
