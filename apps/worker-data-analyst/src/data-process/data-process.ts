/**
 * The program that does the data tools' work, one request per process: `data-process '<request as JSON>'`. It prints
 * `{"ok": result}` or `{"fault": {code, message, remedy}}`. A process of its own, because a query may use up any amount of time
 * and memory inside DuckDB, where neither could be taken back from within.
 */
import { anomalies } from './anomalies.js';
import type { SourceFile } from './catalogue.js';
import { drawChart } from './chart.js';
import type { ChartRequest } from './chart.js';
import { loadedFile, withTables } from './database.js';
import type { Tables } from './database.js';
import { DataFault, firstLine } from './fault.js';
import { profile } from './profile.js';
import { query } from './query.js';
import { trend } from './trend.js';

export type DataOperation =
  | { type: 'profile'; file: string }
  | { type: 'query'; sql: string; limit: number }
  | { type: 'trend'; file: string; time: string; measure: string }
  | { type: 'anomalies'; file: string; measure: string }
  | ({ type: 'chart' } & ChartRequest);

export interface DataRequest {
  /** Private folder that holds the database between requests. */
  folder: string;
  /** The data files there are. */
  files: SourceFile[];
  operation: DataOperation;
}

async function perform({ db, catalogue }: Tables, operation: DataOperation): Promise<unknown> {
  switch (operation.type) {
    case 'profile':
      return profile(db, loadedFile(catalogue, operation.file));
    case 'query':
      return query(db, operation.sql, operation.limit);
    case 'trend':
      return trend(db, loadedFile(catalogue, operation.file), operation.time, operation.measure);
    case 'anomalies':
      return anomalies(db, loadedFile(catalogue, operation.file), operation.measure);
    case 'chart':
      return drawChart(db, operation);
  }
}

async function answer(request: DataRequest): Promise<{ ok: unknown } | { fault: object }> {
  try {
    return { ok: await withTables(request.folder, request.files, (tables) => perform(tables, request.operation)) };
  } catch (error) {
    if (error instanceof DataFault) return { fault: { code: error.code, message: error.message, remedy: error.remedy } };
    return { fault: { code: 'data-failed', message: `The data could not be worked with: ${firstLine(error)}` } };
  }
}

process.stdout.write(JSON.stringify(await answer(JSON.parse(process.argv[2] ?? '') as DataRequest)));
