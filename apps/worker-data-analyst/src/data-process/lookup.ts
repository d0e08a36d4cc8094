/** Finds the columns that a request names. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { LoadedFile } from './catalogue.js';
import { columnsOf, isNumeric } from './column-kinds.js';
import type { TableColumn } from './column-kinds.js';
import { DataFault } from './fault.js';
import { valueOf } from './profile.js';

/** Exact, or without regard to case. Errors: `column-missing`, which lists the columns there are. */
export async function columnOf(db: DuckDBConnection, file: LoadedFile, wanted: string): Promise<TableColumn> {
  const columns = await columnsOf(db, file.table);
  const column = columns.find(({ name }) => name === wanted) ?? columns.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (column) return column;
  const names = columns.map(({ name }) => name).slice(0, 60);
  throw new DataFault('column-missing', `${file.path} has no column ${JSON.stringify(wanted)}.`, `Its columns are: ${names.join(', ')}.`);
}

/** A numeric column and its values as doubles, null where missing or not finite. Errors: `column-missing`, `column-not-numeric`. */
export async function measureOf(db: DuckDBConnection, file: LoadedFile, wanted: string): Promise<{ column: TableColumn; value: string }> {
  const column = await columnOf(db, file, wanted);
  if (!isNumeric(column)) {
    throw new DataFault('column-not-numeric', `The column ${column.name} of ${file.path} holds ${column.kind} values, not numbers.`);
  }
  return { column, value: `${valueOf(column)}::DOUBLE` };
}
