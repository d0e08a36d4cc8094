/** Small pieces for SQL texts. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';

/** An identifier, quoted. */
export const name = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** A text literal, quoted. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** All rows of a query that is ours. */
export async function rowsOf(db: DuckDBConnection, sql: string): Promise<DuckDBValue[][]> {
  return (await db.run(sql)).getRows();
}

/** The first row of a query that is ours. */
export async function rowOf(db: DuckDBConnection, sql: string): Promise<DuckDBValue[]> {
  return (await rowsOf(db, sql))[0] ?? [];
}

/** Counts come as bigint. */
export const count = (value: DuckDBValue | undefined): number => Number(value ?? 0);
