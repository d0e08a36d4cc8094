/** What kinds of columns a table has. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { rowsOf, literal } from './sql.js';

export type ColumnKind = 'integer' | 'number' | 'boolean' | 'date' | 'timestamp' | 'text' | 'other';

export interface TableColumn {
  name: string;
  kind: ColumnKind;
  /** DuckDB's name of the type. */
  type: string;
}

/** The columns of one of our tables, in order. */
export async function columnsOf(db: DuckDBConnection, table: string): Promise<TableColumn[]> {
  const rows = await rowsOf(
    db,
    `SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ${literal(table)} AND NOT internal ORDER BY column_index`,
  );
  return rows.map(([column, type]) => ({ name: String(column), type: String(type), kind: kindOf(String(type)) }));
}

/** @param type DuckDB's name of a type */
export function kindOf(type: string): ColumnKind {
  if (/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER)$/.test(type)) return 'integer';
  if (/^(FLOAT|DOUBLE|DECIMAL\(\d+,\s?\d+\))$/.test(type)) return 'number';
  if (type === 'BOOLEAN') return 'boolean';
  if (type === 'DATE') return 'date';
  if (/^TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?$/.test(type)) return 'timestamp';
  if (/^(VARCHAR|UUID|ENUM\([\s\S]*\))$/.test(type)) return 'text';
  return 'other';
}

export const isNumeric = (column: TableColumn): boolean => column.kind === 'integer' || column.kind === 'number';

/** An integer column that holds years, as far as its name says. Its values must be looked at too. */
export const isNamedYear = (name: string): boolean => /(^|[^a-z])(year|yr|yyyy|jahr)([^a-z]|$)|year$/i.test(name);
