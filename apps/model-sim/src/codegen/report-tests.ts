/** The test writer's generator: tests of the report code, with small rows and with the figures that DuckDB found in the file. */
import type { Anomalies, Trend } from '@cadre/contracts';
import type { RowShape } from './columns.js';
import { columnOf, partsOf, type GeneratedFile } from './report-code.js';
import { commentText, fill, literal, loadTemplate, propertyName } from './template.js';

const TESTS = loadTemplate('report.test.ts');

/** A trend whose points may have been thinned; `buckets` is then how many there were. */
export type KnownTrend = Trend & { buckets?: number | undefined };

export interface Expected {
  trends: readonly KnownTrend[];
  anomalies: readonly Anomalies[];
  /** Trends come from the same buckets as the code's; false where the tool chose bins of its own. */
  comparableTrends: boolean;
}

/** @param input workspace path of the file @param expected figures found by DuckDB */
export function reportTests(shape: RowShape, input: string, expected: Expected): GeneratedFile {
  const trends = expected.trends.filter((trend) => shape.measures.includes(trend.measure) && trend.time === shape.time?.name);
  const anomalies = expected.anomalies.filter((found) => shape.measures.includes(found.measure));
  const parts = partsOf(shape, trends[0]?.grain);
  if (parts.has('trend') && expected.comparableTrends) parts.add('expectTrends');
  if (anomalies.length > 0) parts.add('expectAnomalies');
  if (shape.columns.length > 1) parts.add('manyColumns');
  if (misfitColumn(shape) !== undefined) parts.add('misfit');
  if (misfitColumn(shape) !== undefined && !shape.source.nested && !shape.source.unnamed) parts.add('misfitKey');
  const values = {
    ...parserValues(shape),
    ...smallRowValues(shape),
    ...bucketValues(shape, trends[0]?.grain ?? 'value'),
    file: commentText(input.split('/').at(-1) ?? input),
    imports: imports(parts),
    inputPath: commentText(input),
    inputUrls: [urlOf(input), urlOf(input.split('/').at(-1) ?? input)].join(',\n  '),
    skip: `input === undefined ? ${literal(`${input} is not there`)} : false`,
    encoding: literal(shape.source.encoding),
    rowCount: String(shape.profile.rows),
    filled: filledText(shape),
    expectedMeasures: shape.measures.map((name) => measureLine(shape, name)).join('\n'),
    expectedTrends: trends.map(trendLine).join('\n'),
    expectedAnomalies: anomalies.map(anomalyLine).join('\n'),
  };
  return { path: 'test/report.test.ts', text: fill(TESTS, values, parts) };
}

/** A workspace path as seen from a file in test/. */
function urlOf(path: string): string {
  return literal(`../${path.split('/').map(encodeURIComponent).join('/')}`);
}

function imports(parts: ReadonlySet<string>): string {
  const has = (part: string, ...names: string[]): string[] => (parts.has(part) ? names : []);
  const report = [
    ...has('trend', 'bucketOf'),
    'countFilled',
    ...has('measures', 'findAnomalies'),
    ...has('dimensions', 'groupBy'),
    ...has('measures', 'quantile'),
    'renderMarkdown',
    ...has('trend', 'slopeOf'),
    ...has('measures', 'summarize', 'summarizeMeasure'),
    ...has('trend', 'trend'),
  ];
  const rows = ['COLUMNS', 'parseRows', ...has('delimited', 'splitRecords')];
  const types = ['Row', ...has('trend', 'TIME')];
  return [
    `import { ${report.join(', ')} } from '../src/report.ts';`,
    `import { ${rows.join(', ')} } from '../src/rows.ts';`,
    `import type { ${types.join(', ')} } from '../src/rows.ts';`,
  ].join('\n');
}

/** A column that refuses arbitrary text. */
function misfitColumn(shape: RowShape): string | undefined {
  return shape.columns.find((column) => column.type === 'number' || column.type === 'boolean')?.name;
}

function parserValues(shape: RowShape): Record<string, string> {
  const { delimiter, skip, named } = shape.source;
  const names = shape.profile.columns.map((column) => column.name);
  const quote = (cell: string): string => (/["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const headerLine = `${names.map(quote).join(delimiter)}\n`;
  const misfit = misfitColumn(shape);
  const record = names.map((name) => (name === misfit ? 'misfit' : '')).join(delimiter);
  const inTemplate = (text: string): string => literal(text).slice(1, -1).replaceAll('`', '\\`');
  return {
    header: literal(named ? headerLine : headerLine.repeat(skip)),
    quotedText: literal(['a', `"b${delimiter}c"`, '"d ""e"""\r\n\r\n"f\ng"', '', 'h\n'].join(delimiter)),
    quotedRecords: `[['a', ${literal(`b${delimiter}c`)}, 'd "e"'], ['f\\ng', '', 'h']]`,
    blankRecord: inTemplate(delimiter.repeat(Math.max(names.length - 1, 0))),
    misfitRecord: inTemplate(record),
    misfitName: propertyName(misfit ?? ''),
  };
}

function smallRowValues(shape: RowShape): Record<string, string> {
  const measure = shape.measures[0] ?? '';
  const dimension = shape.dimensions[0] ?? '';
  const type = shape.columns.find((column) => column.name === dimension)?.type;
  const value = type === 'number' ? '1' : type === 'boolean' ? 'true' : "'some value'";
  const times = shape.time?.type === 'number' ? ['1', '2', '3'] : ["'2001-01-31T04:05:06'", "'2002-01-31'", "'2003-01-31'"];
  return {
    blankFields: shape.columns.map((column) => `  ${propertyName(column.name)}: null,`).join('\n'),
    measure: literal(measure),
    measureKey: propertyName(measure),
    timeKey: propertyName(shape.time?.name ?? ''),
    time1: times[0] ?? '',
    time2: times[1] ?? '',
    time3: times[2] ?? '',
    dimension: literal(dimension),
    dimensionKey: propertyName(dimension),
    dimensionValue: value,
  };
}

/** The bucket of the first of the small rows' times, 2001-01-31 or 1. */
function bucketValues({ time }: RowShape, grain: Trend['grain']): Record<string, string> {
  const day = '2001-01-31';
  const buckets: Record<Trend['grain'], string> = {
    year: '2001',
    quarter: '2001-Q1',
    month: '2001-01',
    week: '2001-01-29',
    day,
    hour: `${day}T04:00`,
    minute: `${day}T04:05`,
    second: `${day}T04:05:06`,
    value: `${day}T04:05:06`,
  };
  return { grain: grain === 'value' ? 'value itself' : grain, bucket1: time?.type === 'number' ? "'1'" : literal(buckets[grain]) };
}

function filledText(shape: RowShape): string {
  const sure = shape.columns.filter((column) => !column.loose);
  const fields = sure.map((column) => `${propertyName(column.name)}: ${shape.profile.rows - column.profile.nulls}`);
  const flat = `{ ${fields.join(', ')} }`;
  return flat.length <= 90 ? flat : `{\n${fields.map((field) => `      ${field},\n`).join('')}    }`;
}

function measureLine(shape: RowShape, name: string): string {
  const column = columnOf(shape, name);
  const figures = {
    nulls: column?.nulls,
    min: column?.min,
    max: column?.max,
    mean: column?.mean,
    median: column?.median,
    stddev: column?.stddev,
  };
  return `    { measure: ${literal(name)}, ${figureList(figures)} },`;
}

function trendLine(trend: KnownTrend): string {
  const figures = { buckets: trend.buckets ?? trend.points.length, first: trend.first, last: trend.last, slope: trend.slopePerBucket };
  return `    { measure: ${literal(trend.measure)}, ${figureList(figures)} },`;
}

function anomalyLine(found: Anomalies): string {
  const figures = { outside: found.count, lower: found.lower, upper: found.upper };
  return `    { measure: ${literal(found.measure)}, ${figureList(figures)} },`;
}

function figureList(figures: Record<string, unknown>): string {
  return Object.entries(figures)
    .filter((entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1]))
    .map(([name, value]) => `${name}: ${Number(value.toPrecision(12))}`)
    .join(', ');
}
