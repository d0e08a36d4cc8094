/** One read-only statement that an agent wrote, run against the locked database. */
import { StatementType } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBPreparedStatement, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { DataFault } from './fault.js';

export interface StatementRows {
  columns: { name: string; type: DuckDBType }[];
  rows: DuckDBValue[][];
  /** More rows were there. */
  more: boolean;
}

/** At most `limit` rows. Errors: `query-refused` (not exactly one query), `query-failed` with DuckDB's reason. */
export async function runStatement(db: DuckDBConnection, sql: string, limit: number): Promise<StatementRows> {
  const statement = await prepare(db, sql);
  try {
    const result = await statement.stream();
    const names = result.deduplicatedColumnNames();
    const types = result.columnTypes();
    const rows: DuckDBValue[][] = [];
    while (rows.length <= limit) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) break;
      rows.push(...chunk.getRows());
    }
    const columns = names.map((name, index) => ({ name, type: types[index]! }));
    return { columns, rows: rows.slice(0, limit), more: rows.length > limit };
  } catch (error) {
    throw failed(error);
  } finally {
    statement.destroySync();
  }
}

async function prepare(db: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const refuse = (why: string) => new DataFault('query-refused', `${why} Only one SELECT statement can be run.`, 'Write one SELECT.');
  // DuckDB answers a text without a statement with an error of no use.
  if (!/[a-z]/i.test(sql.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, ''))) throw refuse('There is no statement.');
  let statement: DuckDBPreparedStatement;
  try {
    const extracted = await db.extractStatements(sql);
    if (extracted.count !== 1) throw refuse(`There are ${extracted.count} statements.`);
    statement = await extracted.prepare(0);
  } catch (error) {
    throw error instanceof DataFault ? error : failed(error);
  }
  if (statement.statementType === StatementType.SELECT || statement.statementType === StatementType.EXPLAIN) {
    if (statement.parameterCount === 0) return statement;
    statement.destroySync();
    throw refuse('Parameters are not filled in.');
  }
  const kind = StatementType[statement.statementType] ?? 'other';
  statement.destroySync();
  throw refuse(`A statement of kind ${kind} is refused.`);
}

function failed(error: unknown): DataFault {
  const text = (error instanceof Error ? error.message : String(error)).replace(/^Failed to extract statements: /, '');
  return new DataFault('query-failed', text.trim().slice(0, 600), 'Correct the SQL; profile_data shows the tables and columns.');
}
