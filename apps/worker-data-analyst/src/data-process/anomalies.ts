/** `find_anomalies`: values outside Tukey's fences. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Anomalies } from '@cadre/contracts';
import type { LoadedFile } from './catalogue.js';
import { toCell } from './cells.js';
import { columnsOf } from './column-kinds.js';
import { DataFault } from './fault.js';
import { measureOf } from './lookup.js';
import { count, name, rowOf, rowsOf } from './sql.js';

const FENCE = 1.5;
const ROWS = 10;
const ROW_COLUMNS = 30;

/** Errors: `column-missing`, `column-not-numeric`, `no-values`. */
export async function anomalies(db: DuckDBConnection, file: LoadedFile, measureName: string): Promise<Anomalies> {
  const { column, value } = await measureOf(db, file, measureName);
  const table = name(file.table);
  const [q1, q3] = await rowOf(db, `SELECT quantile_cont(${value}, 0.25), quantile_cont(${value}, 0.75) FROM ${table}`);
  if (typeof q1 !== 'number' || typeof q3 !== 'number') {
    throw new DataFault('no-values', `The column ${column.name} of ${file.path} holds no numbers.`);
  }
  const lower = bounded(q1 - FENCE * (q3 - q1));
  const upper = bounded(q3 + FENCE * (q3 - q1));
  const outside = `${value} < (${lower}) OR ${value} > (${upper})`;
  const [found] = await rowOf(db, `SELECT count(*) FROM ${table} WHERE ${outside}`);
  const columns = (await columnsOf(db, file.table)).map((other) => other.name);
  const shown = columns.filter((other, index) => index < ROW_COLUMNS || other === column.name);
  const rows = await rowsOf(
    db,
    `SELECT ${shown.map(name).join(', ')} FROM ${table} WHERE ${outside} ORDER BY greatest((${lower}) - ${value}, ${value} - (${upper})) DESC, rowid LIMIT ${ROWS}`,
  );
  return {
    file: file.path,
    measure: column.name,
    lower,
    upper,
    count: count(found),
    rows: rows.map((row) => Object.fromEntries(shown.map((key, index) => [key, toCell(row[index] ?? null)]))),
  };
}

/** Within the doubles, which JSON can write. */
const bounded = (value: number): number => Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value));
