/** `find_trends`: bucket means of a measure along a time or number column, and the least-squares line through them. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type { Trend } from '@cadre/contracts';
import type { LoadedFile } from './catalogue.js';
import { isNamedYear, isNumeric } from './column-kinds.js';
import type { TableColumn } from './column-kinds.js';
import { DataFault } from './fault.js';
import { columnOf, measureOf } from './lookup.js';
import { count, literal, name, rowOf, rowsOf } from './sql.js';

/** Few enough points to read; the finest grain that keeps to it is taken. */
const READABLE_POINTS = 150;
const MOST_POINTS = 400;
const BINS = 50;

type Grain = Trend['grain'];
const GRAINS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const;
const LABELS: Record<(typeof GRAINS)[number], string> = {
  year: '%Y',
  quarter: '%Y',
  month: '%Y-%m',
  week: '%Y-%m-%d',
  day: '%Y-%m-%d',
  hour: '%Y-%m-%dT%H:%M',
  minute: '%Y-%m-%dT%H:%M',
  second: '%Y-%m-%dT%H:%M:%S',
};

/** How rows fall into buckets: SQL for a sortable bucket, and for its label. */
interface Buckets {
  grain: Grain;
  bucket: string;
  label: (bucket: string) => string;
}

/** Errors: `column-missing`, `column-not-numeric`, `column-not-ordered`, `no-values`. */
export async function trend(db: DuckDBConnection, file: LoadedFile, timeName: string, measureName: string): Promise<Trend> {
  const time = await columnOf(db, file, timeName);
  const measure = await measureOf(db, file, measureName);
  const along = timeValue(file, time);
  // The inner query keeps t and v apart from columns of the same names.
  const source = `(SELECT t, v FROM (SELECT ${along} AS t, ${measure.value} AS v FROM ${name(file.table)}) WHERE t IS NOT NULL AND v IS NOT NULL)`;
  const buckets = isNumeric(time) ? await numberBuckets(db, source, time) : await timeBuckets(db, source);
  const rows = await rowsOf(
    db,
    `SELECT ${buckets.label('b')}, count(*), avg(v), min(v), max(v) FROM (SELECT ${buckets.bucket} AS b, v FROM ${source}) GROUP BY b ORDER BY b LIMIT ${MOST_POINTS}`,
  );
  const points = rows.map(toPoint);
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) throw new DataFault('no-values', `${file.path} has no rows with both ${time.name} and ${measure.column.name}.`);
  const line = fitLine(points.map((point) => point.mean));
  return {
    file: file.path,
    time: time.name,
    measure: measure.column.name,
    grain: buckets.grain,
    points,
    ...line,
    first: first.mean,
    last: last.mean,
  };
}

function toPoint([label, n, mean, min, max]: DuckDBValue[]): Trend['points'][number] {
  return { bucket: String(label), rows: count(n), mean: Number(mean), min: Number(min), max: Number(max) };
}

/** The column as an SQL timestamp or double. */
function timeValue(file: LoadedFile, time: TableColumn): string {
  const quoted = name(time.name);
  if (isNumeric(time)) return `(CASE WHEN isfinite(${quoted}::DOUBLE) THEN ${quoted}::DOUBLE END)`;
  if (time.kind === 'date' || time.kind === 'timestamp') {
    // A time zone would make the buckets depend on the machine.
    const plain = time.type === 'TIMESTAMP WITH TIME ZONE' ? `make_timestamp(epoch_us(${quoted}))` : `${quoted}::TIMESTAMP`;
    return `(CASE WHEN isfinite(${quoted}) THEN ${plain} END)`;
  }
  const format = file.textTimes[time.name]?.format;
  if (format) return `try_strptime(trim(${quoted}), ${literal(format)})`;
  throw new DataFault(
    'column-not-ordered',
    `The column ${time.name} of ${file.path} holds ${time.kind} values, neither times nor numbers.`,
    'Choose a date, timestamp or number column.',
  );
}

async function timeBuckets(db: DuckDBConnection, source: string): Promise<Buckets> {
  const counts = await rowOf(db, `SELECT ${GRAINS.map((grain) => `count(DISTINCT date_trunc('${grain}', t))`).join(', ')} FROM ${source}`);
  const readable = GRAINS.map((grain, index) => ({ grain, buckets: count(counts[index]) })).filter(
    ({ grain, buckets }) => buckets <= (grain === 'year' ? MOST_POINTS : READABLE_POINTS),
  );
  const most = Math.max(...readable.map(({ buckets }) => buckets));
  // The coarsest of those that tell as much.
  const chosen = readable.find(({ buckets }) => buckets === most);
  if (!chosen) return bins(db, `(SELECT year(t)::DOUBLE AS t, v FROM ${source})`, 'year(t)::DOUBLE');
  const { grain } = chosen;
  const quarter = grain === 'quarter' ? (b: string) => ` || '-Q' || quarter(${b})` : () => '';
  return { grain, bucket: `date_trunc('${grain}', t)`, label: (b) => `strftime(${b}, '${LABELS[grain]}')${quarter(b)}` };
}

async function numberBuckets(db: DuckDBConnection, source: string, time: TableColumn): Promise<Buckets> {
  const [values, least, largest, whole] = await rowOf(
    db,
    `SELECT count(DISTINCT t), min(t), max(t), bool_and(t = floor(t)) FROM ${source}`,
  );
  const years = whole === true && isNamedYear(time.name) && Number(least) >= 1500 && Number(largest) <= 2200;
  const most = years ? MOST_POINTS : READABLE_POINTS;
  if (count(values) > most) return bins(db, source, 't');
  const label = whole === true ? (b: string) => `${b}::HUGEINT::VARCHAR` : (b: string) => `${b}::VARCHAR`;
  return {
    grain: years ? 'year' : 'value',
    bucket: 't',
    label: whole === true && Math.abs(Number(largest)) < 1e30 ? label : (b) => `${b}::VARCHAR`,
  };
}

/** Equal parts of the range, each named by its lower end. */
async function bins(db: DuckDBConnection, source: string, value: string): Promise<Buckets> {
  const [least, largest] = await rowOf(db, `SELECT min(t), max(t) FROM ${source}`);
  const width = (Number(largest) - Number(least)) / BINS;
  const start = Number(least);
  return {
    grain: 'value',
    bucket: `least(${BINS - 1}, floor((${value} - (${start})) / ${width}))`,
    label: (b) => `printf('%.6g', ${start} + ${b} * ${width})`,
  };
}

/** Least squares over equally spaced values. Flat: the line explains under a tenth of the variance, or moves by under a thousandth. */
export function fitLine(values: number[]): { slopePerBucket: number; r2: number; direction: Trend['direction'] } {
  const n = values.length;
  const middle = (n - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  let [xx, xy, yy] = [0, 0, 0];
  for (const [index, value] of values.entries()) {
    xx += (index - middle) ** 2;
    xy += (index - middle) * (value - mean);
    yy += (value - mean) ** 2;
  }
  const slope = xx > 0 ? xy / xx : 0;
  const r2 = xx > 0 && yy > 0 ? Math.min(1, (xy * xy) / (xx * yy)) : 0;
  const scale = Math.max(...values.map(Math.abs));
  const moves = Number.isFinite(r2) && r2 >= 0.1 && Math.abs(slope) * (n - 1) >= scale / 1000;
  return { slopePerBucket: finite(slope), r2: finite(r2), direction: !moves ? 'flat' : slope > 0 ? 'rising' : 'falling' };
}

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);
