/** The code writer's generator: typed rows, figures and a Markdown report for one data file. */
import type { ColumnProfile, Trend } from '@cadre/contracts';
import { describeColumn, fieldType, numberFormat, type RowColumn, type RowShape, type RowType } from './columns.js';
import { DATE_PATTERNS } from './dates.js';
import { commentText, fill, literal, literalList, loadTemplate, propertyName } from './template.js';

export interface GeneratedFile {
  path: string;
  text: string;
}

export type Grain = Trend['grain'];

const ROWS = loadTemplate('rows.ts');
const REPORT = loadTemplate('report.ts');
const MAIN = loadTemplate('main.ts');

const READERS: Record<RowType, string> = {
  number: 'toNumber',
  boolean: 'toBoolean',
  text: 'toText',
  date: 'toDate',
  timestamp: 'toTimestamp',
  unknown: '',
};

/** @param input workspace path of the file that the command line reads by default @param grain of the trends, if the file has any */
export function reportCode(shape: RowShape, input: string, grain: Grain | undefined): GeneratedFile[] {
  return [
    { path: 'src/rows.ts', text: rowsModule(shape) },
    { path: 'src/report.ts', text: reportModule(shape, grain) },
    { path: 'src/main.ts', text: fill(MAIN, { input: literal(input), encoding: literal(shape.source.encoding) }, new Set()) },
  ];
}

/** Which parts of the templates a file needs. */
export function partsOf(shape: RowShape, grain?: Grain): Set<string> {
  const { profile, source, columns, dates } = shape;
  const types = new Set(columns.map((column) => column.type));
  const delimited = profile.format !== 'json' && profile.format !== 'ndjson';
  const days = types.has('date') || (types.has('timestamp') && dates?.zone !== true);
  const texts = types.has('text');
  const parts: Record<string, boolean> = {
    delimited,
    byName: delimited && source.named,
    byPosition: delimited && !source.named,
    json: profile.format === 'json',
    wrapped: source.wrapped,
    nested: source.nested,
    unnamed: source.unnamed && !delimited,
    named: !source.unnamed && !delimited,
    grouped: numberFormat(shape) === 'grouped',
    commas: numberFormat(shape) === 'comma',
    ndjson: profile.format === 'ndjson',
    objects: !delimited,
    blanks: types.has('boolean') || (texts && delimited),
    numbers: types.has('number'),
    booleans: types.has('boolean'),
    texts,
    days,
    timestamps: types.has('timestamp'),
    zones: dates?.zone === true,
    halfDays: dates?.halfDays === true,
    shortYears: days && dates?.short === true,
    monthNames: days && dates !== undefined && DATE_PATTERNS[dates.order].parts.includes('monthName'),
    wholeMonths: days && dates !== undefined && !DATE_PATTERNS[dates.order].parts.includes('day'),
    measures: shape.measures.length > 0,
    dimensions: shape.dimensions.length > 0,
    time: shape.time !== undefined,
    trend: shape.time !== undefined && shape.measures.length > 0 && grain !== undefined,
  };
  return new Set(Object.keys(parts).filter((name) => parts[name]));
}

/** Where a generated file says what it is about. */
function fileName(shape: RowShape): string {
  return commentText(shape.profile.file.split('/').at(-1) ?? shape.profile.file);
}

function rowsModule(shape: RowShape): string {
  const { profile, columns, source } = shape;
  const fields = columns.map((c) => `  /** ${describeColumn(c)} */\n  ${propertyName(c.name)}: ${fieldType(c.type)};`);
  return fill(
    ROWS,
    {
      ...dateValues(shape),
      file: fileName(shape),
      rowCount: String(profile.rows),
      columnCount: String(profile.columns.length),
      rowFields: fields.join('\n'),
      columnList: literalList(columns.map((c) => c.name)),
      measureList: literalList(shape.measures),
      dimensionList: literalList(shape.dimensions),
      time: literal(shape.time?.name ?? ''),
      formatWords: formatWords(shape),
      skip: source.skip === 0 ? '' : `.slice(${source.skip})`,
      delimiter: literal(source.delimiter),
      rowReads: columns.map(readColumn).join('\n'),
    },
    partsOf(shape),
  );
}

function readColumn({ name, type }: RowColumn): string {
  const read = `value(${literal(name)})`;
  return `      ${propertyName(name)}: ${type === 'unknown' ? `${read} ?? null` : `${READERS[type]}(${read})`},`;
}

function formatWords({ source }: RowShape): string {
  const delimiters: Record<string, string> = { ',': 'commas', '\t': 'tabs', ';': 'semicolons', '|': 'vertical bars' };
  const header = source.named
    ? 'Its first line names the columns, in any order.'
    : source.skip > 0
      ? `Its first ${source.skip === 1 ? 'line is' : `${source.skip} lines are`} skipped; the columns are taken in order.`
      : 'It has no header; the columns are taken in order.';
  return `fields set apart by ${delimiters[source.delimiter] ?? 'a delimiter'}. ${header}`;
}

function dateValues({ dates, columns, source }: RowShape): Record<string, string> {
  const { pattern, parts } = DATE_PATTERNS[dates?.order ?? 'iso'];
  const name = (part: string): string => (part === 'year' && dates?.short === true ? 'shortYear' : part);
  const sample = (type: RowType): string => {
    const column = columns.find((c) => c.type === type);
    return commentText(source.samples.get(column?.name ?? '')?.[0] ?? dates?.sample ?? '').replace(/[`$\\'"]/g, '');
  };
  return {
    datePattern: String(pattern),
    dateParts: parts.map((part) => `${name(part)} = ''`).join(', '),
    dateSample: columns.some((c) => c.type === 'date') ? sample('date') : sample('timestamp'),
    timestampSample: sample('timestamp'),
  };
}

function reportModule(shape: RowShape, grain: Grain | undefined): string {
  const parts = partsOf(shape, grain);
  const has = (part: string, ...texts: string[]): string[] => (parts.has(part) ? texts : []);
  const values = [...has('dimensions', 'DIMENSIONS'), ...has('measures', 'MEASURES'), ...has('trend', 'TIME')];
  const types = ['ColumnName', ...has('dimensions', 'Dimension'), ...has('measures', 'Measure'), 'Row'];
  return fill(
    REPORT,
    {
      ...bucketValues(shape, grain ?? 'value'),
      file: fileName(shape),
      title: fileName(shape).replace(/[`\\$]/g, ''),
      imports: values.map((name) => `, ${name}`).join(''),
      typeImport: `import type { ${types.join(', ')} } from './rows.ts';`,
      groupMeans: parts.has('measures') ? ', means: meansOf(group)' : '',
      groupCells: parts.has('measures') ? ', ...MEASURES.map((measure) => show(group.means[measure]))' : '',
      groupHeads: parts.has('measures') ? ', ...MEASURES.map((measure) => `Mean of ${measure}`)' : '',
    },
    parts,
  );
}

/** What `bucketOf` returns, by grain; the input is ISO 8601. */
const BUCKETS: Record<Exclude<Grain, 'value'>, string> = {
  year: '  return time.slice(0, 4);',
  quarter: '  return `${time.slice(0, 4)}-Q${Math.ceil(Number(time.slice(5, 7)) / 3)}`;',
  month: '  return time.slice(0, 7);',
  week: [
    '  const day = new Date(`${time.slice(0, 10)}T00:00:00Z`);',
    '  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));',
    '  return day.toISOString().slice(0, 10);',
  ].join('\n'),
  day: '  return time.slice(0, 10);',
  hour: '  return `${time.slice(0, 13)}:00`;',
  minute: '  return time.slice(0, 16);',
  second: '  return time.slice(0, 19);',
};

function bucketValues({ time }: RowShape, grain: Grain): Record<string, string> {
  const name = time?.name ?? '';
  const numeric = time?.type === 'number';
  const words = grain === 'value' ? 'value' : grain;
  const doc =
    grain === 'week' ? 'The Monday of the week that a time falls into.' : `The ${words} that a time falls into, as text that sorts.`;
  return {
    grain: words,
    time: literal(name),
    timeWords: commentText(numeric || grain === 'value' ? `the values of ${name}` : `the ${words}s of ${name}`).replace(/[`\\$]/g, ''),
    timeType: numeric ? 'number' : 'string',
    grainColumn: literal(`${words.charAt(0).toUpperCase()}${words.slice(1)}s`),
    compareBuckets: numeric ? 'Number(a.bucket) - Number(b.bucket)' : '(a.bucket < b.bucket ? -1 : 1)',
    bucketDoc: numeric ? '/** A value as a bucket of its own. */' : `/** ${doc} */`,
    bucketBody: numeric ? '  return String(time);' : grain === 'value' ? '  return time;' : BUCKETS[grain],
  };
}

/** The profile of a column by name. */
export function columnOf(shape: RowShape, name: string): ColumnProfile | undefined {
  return shape.profile.columns.find((column) => column.name === name);
}
