/**
 * Gives columns better types where every value allows it: numbers with words for missing values (`NA`) or with thousands
 * separators or a decimal comma, dates in the usual notations; and whole numbers that count from 1970, a timestamp.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { TextTime } from './catalogue.js';
import { columnsOf } from './column-kinds.js';
import type { TableColumn } from './column-kinds.js';
import { count, literal, name, rowOf } from './sql.js';

/** Share of a text column's values that must be times for it to count as time. */
const TIME_SHARE = 0.95;
const MISSING = `('', 'na', 'n/a', 'nan', 'null', 'none', '-', '--', '?', '#n/a', '\\n')`;

const DATES = [
  '%Y-%m-%d',
  '%Y/%m/%d',
  '%Y.%m.%d',
  '%m/%d/%Y',
  '%d/%m/%Y',
  '%d.%m.%Y',
  '%d-%m-%Y',
  '%b %d %Y',
  '%b %d, %Y',
  '%B %d %Y',
].concat(['%B %d, %Y', '%d %b %Y', '%d %B %Y', '%d-%b-%Y', '%d-%b-%y', '%Y-%m', '%Y/%m', '%b %Y', '%B %Y', '%m/%d/%y', '%a %b %d %Y']);
const TIMESTAMPS = ['%Y-%m-%dT%H:%M:%S', '%Y-%m-%dT%H:%M:%SZ', '%Y-%m-%dT%H:%M:%S.%fZ', '%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M'].concat([
  '%Y-%m-%dT%H:%M',
  '%Y/%m/%d %H:%M:%S',
  '%Y/%m/%d %H:%M',
  '%m/%d/%Y %H:%M:%S',
  '%m/%d/%Y %H:%M',
  '%m/%d/%Y %I:%M %p',
  '%m/%d/%Y %I:%M:%S %p',
  '%d.%m.%Y %H:%M',
  '%m/%d/%y %H:%M',
  '%a %b %d %Y %H:%M:%S',
  '%b %d %Y %H:%M',
]);

/** Turns table `raw` into table `table`; returns the text columns that are times for the most part. */
export async function refineRaw(db: DuckDBConnection, table: string): Promise<Record<string, TextTime>> {
  const columns = await columnsOf(db, 'raw');
  const replacements: string[] = [];
  const textTimes: Record<string, TextTime> = {};
  for (const column of columns.filter(({ type }) => type === 'VARCHAR' || type === 'JSON')) {
    const better = (await numberOf(db, column)) ?? (await timeOf(db, column));
    if (typeof better === 'string') replacements.push(`${better} AS ${name(column.name)}`);
    else if (better) textTimes[column.name] = better;
    else if (column.type === 'JSON') replacements.push(`(${name(column.name)} ->> '$') AS ${name(column.name)}`);
  }
  for (const column of columns.filter(({ kind }) => kind === 'integer')) {
    const moment = await epochOf(db, column);
    if (moment) replacements.push(`${moment} AS ${name(column.name)}`);
  }
  const replace = replacements.length > 0 ? ` REPLACE (${replacements.join(', ')})` : '';
  await db.run(`CREATE OR REPLACE TABLE ${name(table)} AS SELECT *${replace} FROM raw`);
  await db.run('DROP TABLE raw');
  return textTimes;
}

const EPOCH_NAME = /(^|[^a-z])(time|timestamp|date|datetime|updated|created|modified|epoch|ts|at)([^a-z]|$)|(At|Time|Date|Timestamp)(Ms)?$/;

/** An expression that reads a column of milliseconds or seconds since 1970 (from 1980 to 2100), if its name speaks of time. */
async function epochOf(db: DuckDBConnection, column: TableColumn): Promise<string | undefined> {
  if (!EPOCH_NAME.test(column.name)) return undefined;
  const value = name(column.name);
  const [least, largest] = (await rowOf(db, `SELECT min(${value}), max(${value}) FROM raw`)).map((bound) =>
    bound === null ? NaN : Number(bound),
  );
  const within = (from: number, to: number): boolean => least !== undefined && largest !== undefined && least >= from && largest <= to;
  if (within(315_532_800_000, 4_102_444_800_000)) return `make_timestamp(${value}::BIGINT * 1000)`;
  return within(315_532_800, 4_102_444_800) ? `make_timestamp(${value}::BIGINT * 1000000)` : undefined;
}

/** An expression that reads the column as numbers, when all its values are numbers or missing. */
async function numberOf(db: DuckDBConnection, column: TableColumn): Promise<string | undefined> {
  const text = `trim(${name(column.name)}::VARCHAR)`;
  const present = `CASE WHEN lower(${text}) NOT IN ${MISSING} THEN ${text} END`;
  const plain = present;
  const grouped = `replace(${present}, ',', '')`;
  const comma = `replace(${present}, ',', '.')`;
  const all = (test: string): string => `coalesce(bool_and(${test}), false)`;
  const [some, plainFits, groupedFits, commaFits] = await rowOf(
    db,
    `SELECT count(${present}) > 0, ${all(`regexp_full_match(${present}, '[-+]?(0|[1-9]\\d*)(\\.\\d+)?([eE][-+]?\\d+)?|[-+]?\\.\\d+')`)},
      ${all(`regexp_full_match(${present}, '[-+]?(0|[1-9]\\d{0,2})(,\\d{3})*(\\.\\d+)?')`)},
      ${all(`regexp_full_match(${present}, '[-+]?(0|[1-9]\\d*)(,\\d+)?')`)} FROM raw`,
  );
  if (some !== true) return undefined;
  const digits = plainFits ? plain : groupedFits ? grouped : commaFits ? comma : undefined;
  if (digits === undefined) return undefined;
  const [whole] = await rowOf(db, `SELECT bool_and(${digits} IS NULL OR try_cast(${digits} AS BIGINT)::VARCHAR = ${digits}) FROM raw`);
  return `try_cast(${digits} AS ${whole === true ? 'BIGINT' : 'DOUBLE'})`;
}

/** An expression that reads all values as time; or how to read most of them; or undefined. */
async function timeOf(db: DuckDBConnection, column: TableColumn): Promise<string | TextTime | undefined> {
  const text = `trim(${name(column.name)}::VARCHAR)`;
  const present = `nullif(${text}, '')`;
  const sample = `(SELECT DISTINCT ${present} AS v FROM raw WHERE ${present} IS NOT NULL LIMIT 300)`;
  const formats = [...DATES, ...TIMESTAMPS];
  const shares = await rowOf(
    db,
    `SELECT count(*), ${formats.map((format) => `count(try_strptime(v, ${literal(format)}))`).join(', ')} FROM ${sample}`,
  );
  const [total, ...fits] = shares.map(count);
  if (!total) return undefined;
  const best = fits.indexOf(Math.max(...fits));
  const format = formats[best];
  if (format === undefined || (fits[best] ?? 0) < TIME_SHARE * total) return undefined;
  const [filled, parsed] = (await rowOf(db, `SELECT count(${present}), count(try_strptime(${present}, ${literal(format)})) FROM raw`)).map(
    count,
  );
  if (!filled || parsed === undefined || parsed < TIME_SHARE * filled) return undefined;
  const kind = best < DATES.length ? 'date' : 'timestamp';
  if (parsed < filled) return { format, kind };
  return `strptime(${present}, ${literal(format)})::${kind === 'date' ? 'DATE' : 'TIMESTAMP'}`;
}
