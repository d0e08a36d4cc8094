/** `profile_data`: what a table holds, column by column. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type { ColumnProfile, DataProfile } from '@cadre/contracts';
import type { LoadedFile } from './catalogue.js';
import { toCell } from './cells.js';
import { columnsOf, isNumeric } from './column-kinds.js';
import type { TableColumn } from './column-kinds.js';
import { count, name, rowOf, rowsOf } from './sql.js';
import { suggest } from './suggest.js';

const FEW_VALUES = 200;
const TOP_VALUES = 10;

/** NaN and infinities count as missing. */
export async function profile(db: DuckDBConnection, file: LoadedFile): Promise<DataProfile> {
  const columns: ColumnProfile[] = [];
  for (const column of await columnsOf(db, file.table)) columns.push(await profileColumn(db, file, column));
  const { path, table, format, rows, textTimes } = file;
  return { file: path, table, format, rows, columns, suggested: suggest(columns, rows, textTimes) };
}

async function profileColumn(db: DuckDBConnection, file: LoadedFile, column: TableColumn): Promise<ColumnProfile> {
  const value = valueOf(column);
  const ranged = isNumeric(column) || column.kind === 'date' || column.kind === 'timestamp';
  const as = `${value}::DOUBLE`;
  const moments = isNumeric(column)
    ? `, avg(${as}), ${scaled(as)}, quantile_cont(${as}, 0.25), quantile_cont(${as}, 0.5), quantile_cont(${as}, 0.75)`
    : '';
  const [filled, distinct, min, max, ...stats] = await rowOf(
    db,
    `SELECT count(${value}), count(DISTINCT ${value}), ${ranged ? `min(${value}), max(${value})` : 'NULL, NULL'}${moments} FROM ${name(file.table)}`,
  );
  const values = count(distinct);
  return {
    name: column.name,
    type: column.kind,
    nulls: file.rows - count(filled),
    distinct: values,
    ...(ranged && values > 0 && { min: toCell(min ?? null), max: toCell(max ?? null) }),
    ...numbers(stats),
    ...(values > 0 && values <= FEW_VALUES && { top: await topValues(db, file.table, value) }),
  };
}

/** The standard deviation. Scaled by the largest value, since squares of large doubles overflow, which DuckDB answers with an error. */
function scaled(as: string): string {
  const largest = `max(abs(${as}))`;
  return `CASE WHEN ${largest} < 1e150 THEN stddev_samp(CASE WHEN abs(${as}) < 1e150 THEN ${as} END) END`;
}

function numbers(stats: DuckDBValue[]): Partial<ColumnProfile> {
  const named = ['mean', 'stddev', 'p25', 'median', 'p75'].map((key, index) => [key, stats[index]] as const);
  return Object.fromEntries(named.filter(([, value]) => typeof value === 'number' && Number.isFinite(value)));
}

async function topValues(db: DuckDBConnection, table: string, value: string): Promise<NonNullable<ColumnProfile['top']>> {
  const rows = await rowsOf(
    db,
    `SELECT v, count(*) FROM (SELECT ${value} AS v FROM ${name(table)}) WHERE v IS NOT NULL GROUP BY v ORDER BY count(*) DESC, v LIMIT ${TOP_VALUES}`,
  );
  return rows.map(([v, n]) => ({ value: toCell(v ?? null), count: count(n) }));
}

/** The column as SQL: NaN and infinities as null, types without an order as text. */
export function valueOf(column: TableColumn): string {
  const quoted = name(column.name);
  if (/^(FLOAT|DOUBLE)$/.test(column.type)) return `(CASE WHEN isfinite(${quoted}) THEN ${quoted} END)`;
  return column.kind === 'other' ? `${quoted}::VARCHAR` : quoted;
}
