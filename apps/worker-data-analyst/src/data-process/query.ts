/** `query_data`: the rows of an agent's query. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { toCell } from './cells.js';
import type { Cell } from './cells.js';
import { runStatement } from './statement.js';

/** What a model can still read; further rows are left out. */
const RESULT_CHARACTERS = 100_000;

export interface QueryAnswer {
  columns: string[];
  rows: Cell[][];
  truncated: boolean;
}

/** @param limit most rows of the answer */
export async function query(db: DuckDBConnection, sql: string, limit: number): Promise<QueryAnswer> {
  const { columns, rows, more } = await runStatement(db, sql, limit);
  const answer: QueryAnswer = { columns: columns.map((column) => column.name), rows: [], truncated: more };
  let room = RESULT_CHARACTERS;
  for (const row of rows) {
    const cells = row.map(toCell);
    room -= JSON.stringify(cells).length;
    if (room < 0) return { ...answer, truncated: true };
    answer.rows.push(cells);
  }
  return answer;
}
