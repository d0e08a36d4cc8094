/**
 * Report code for many kinds of files: one compiler run checks all of it, one run of Node's test runner runs all of the generated tests,
 * which hold the figures that DuckDB found.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Anomalies, DataProfile, Trend } from '@cadre/contracts';
import ts from 'typescript';
import { anomalies } from '../../../worker-data-analyst/src/data-process/anomalies.js';
import { loadedFile, withTables } from '../../../worker-data-analyst/src/data-process/database.js';
import { profile } from '../../../worker-data-analyst/src/data-process/profile.js';
import { trend } from '../../../worker-data-analyst/src/data-process/trend.js';
import { comparable } from '../roles/dataset.js';
import { rowShape } from './columns.js';
import { reportCode } from './report-code.js';
import { reportTests } from './report-tests.js';
import { readSource } from './source-text.js';

const DATA = new URL('../../../../node_modules/vega-datasets/data/', import.meta.url).pathname;
const REAL = [
  'birdstrikes.csv',
  'cars.json',
  'disasters.csv',
  'gapminder.json',
  'github.csv',
  'movies.json',
  'penguins.json',
  'seattle-weather.csv',
].concat(['sp500.csv', 'stocks.csv', 'unemployment-across-industries.json', 'unemployment.tsv', 'weekly-weather.json']);

const MADE: Record<string, string | Buffer> = {
  'odd names.csv':
    'first name,class,order-no,per cent %,"a""b",default,`tick${x}`,when at\n"Smith, J.",x,1,"1,250.5","q""q",true,5,03/25/2021\n' +
    '"multi\nline",y,2,NA,z,false,6,04/01/2021\né,,3,7.25,\\,true,7,12/31/2021\n',
  'reserved.csv': '__proto__,constructor,toString,delete\n1,2,3,a\n4,5,6,b\n7,9,8,b\n',
  'decimal-commas.csv': 'a;b\n1,5;x\n2,25;y\nNA;z\n',
  'no-header.csv': '1,2,3\n4,5,6\n7,8,9\n',
  'double-names.csv': 'x,x,\n1,2,3\n4,5,6\n9,9,9\n',
  'texts.csv': 'note,author\n"hello, there",ann\nbye now,bob\n',
  'one-column.csv': 'text\nhello world\nsecond line here\n"third, with comma"\n',
  'header-only.csv': 'a,b\n',
  'flags.csv': 'val,flag,only\n1,true,7\n2,false,7\n3,true,7\n4,,7\n5,true,7\n6,true,7\n7,true,7\n',
  'day-first.csv': 'id;name;value;when\n1;a;1.5;31/12/2020\n2;b;2.5;01/02/2021\n3;c;;15/03/2021\n',
  'half-days.csv': 'when,val\n01/31/2020 10:00 AM,1\n02/01/2020 03:30 PM,2\n02/01/2020 12:05 AM,4\n',
  'zones.csv': 'when,val\n2020-01-01T10:00:00+02:00,1\n2020-01-01T03:30:00+02:00,2\n',
  'months.csv': 'm,val\n2020-01,1\n2020-02,2\n2020-03,4\n',
  'some-unknown-dates.csv': `d,val\n${Array.from({ length: 28 }, (_, i) => `05/${String(i + 1).padStart(2, '0')}/2020,${i}`).join('\n')}\nunknown,3\n`,
  'mark-and-returns.csv': '\uFEFFdate,val\r\n2020-01-01,1\r\n2020-02-01,2\r\n2020-03-01,3\r\n',
  'latin.csv': Buffer.from('name,val\nJosé,1\nZoë,2\n', 'latin1'),
  'wide-characters.csv': Buffer.from('\uFEFFname,val\nJosé,1\nZoë,2\n', 'utf16le'),
  'nested.ndjson': '{"a":1,"b":{"c":2},"t":"2020-01-01T10:00:00Z"}\n{"a":2,"t":"2020-01-02T10:00:00Z"}\n\n{"a":null,"b":null,"t":null}\n',
  'wrapped.json': '{"meta":1,"rows":[{"p":{"q":1,"r":"a"},"tags":["x"]},{"p":{"q":2,"r":"b"}},{"p":{"q":7,"r":"c"}}]}',
  'lists.json': '[[1,"a"],[2,"b"],[3,"c"]]',
  'values.json': '[3,4,5]',
};

interface Found {
  profile: DataProfile;
  trends: Trend[];
  anomalies: Anomalies[];
}

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'cadre-report-code-')));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function study(name: string, body: Buffer): Promise<Found> {
  const absolute = join(folder, name, 'inputs', name);
  await mkdir(dirname(absolute), { recursive: true });
  await writeFile(absolute, body);
  const path = `inputs/${name}`;
  return withTables(join(folder, name, 'tables'), [{ path, absolute, stamp: '1' }], async ({ db, catalogue }) => {
    const file = loadedFile(catalogue, path);
    const found = await profile(db, file);
    const [trends, unusual]: [Trend[], Anomalies[]] = [[], []];
    for (const measure of found.suggested.measures.slice(0, 3)) {
      if (found.suggested.time !== undefined) trends.push(await trend(db, file, found.suggested.time, measure));
      unusual.push(await anomalies(db, file, measure));
    }
    return { profile: found, trends, anomalies: unusual };
  });
}

async function generate(name: string, body: Buffer): Promise<string[]> {
  const found = await study(name, body);
  const wide = body.includes(0);
  const text = body.toString('utf8').slice(0, 4000);
  const shape = rowShape(
    found.profile,
    readSource(found.profile, wide ? undefined : text, text.length === body.toString('utf8').length, wide),
  );
  const { file } = found.profile;
  const expected = { ...found, comparableTrends: comparable({ shape, trends: found.trends }) };
  const files = [...reportCode(shape, file, found.trends[0]?.grain), reportTests(shape, file, expected)];
  for (const { path, text: code } of files) {
    await mkdir(dirname(join(folder, name, path)), { recursive: true });
    await writeFile(join(folder, name, path), code);
  }
  return files.map(({ path }) => join(folder, name, path));
}

function typeErrors(files: string[]): string[] {
  const types = dirname(dirname(createRequire(import.meta.url).resolve('@types/node/package.json')));
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2024,
    lib: ['lib.es2024.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    typeRoots: [types],
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noImplicitReturns: true,
    noPropertyAccessFromIndexSignature: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map((found) => `${found.file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(found.messageText, ' ')}`);
}

function runTests(files: string[]): Promise<string> {
  return new Promise((resolve) => {
    const args = ['--test', '--test-reporter=tap', '--test-isolation=none', ...files];
    execFile(process.execPath, args, { cwd: folder, env: {}, maxBuffer: 64 * 1024 * 1024 }, (_, stdout) => resolve(stdout));
  });
}

test('code for many kinds of files type-checks strictly, and its tests pass against the figures of DuckDB', async () => {
  const bodies = new Map(Object.entries(MADE).map(([name, body]) => [name, Buffer.from(body)]));
  for (const name of REAL) bodies.set(name, await readFile(join(DATA, name)));
  const files: string[] = [];
  for (const [name, body] of bodies) files.push(...(await generate(name, body)));
  expect(typeErrors(files)).toEqual([]);
  const result = await runTests(files.filter((file) => file.endsWith('.test.ts')));
  const failures = [...result.matchAll(/not ok \d+ - (.*)\n[\s\S]*?error: (.*)/g)].map((match) => `${match[1] ?? ''}: ${match[2] ?? ''}`);
  expect(failures).toEqual([]);
  expect(result).toMatch(/^# fail 0$/m);
  expect(result).toMatch(/^# skipped 0$/m);
  expect(Number(/^# pass (\d+)$/m.exec(result)?.[1])).toBeGreaterThan(bodies.size * 5);
  for (const file of files) {
    const code = await readFile(file, 'utf8');
    const long = code.split('\n').filter((line) => line.length > 160 && !/^ {4}\{ measure|HEADER|parseRows\(/.test(line));
    expect({ file, long }).toEqual({ file, long: [] });
    expect(code).not.toMatch(/\{\{|\/\/#/);
  }
}, 120_000);
