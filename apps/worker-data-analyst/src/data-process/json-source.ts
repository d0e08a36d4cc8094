/**
 * JSON and NDJSON. The rows are found and made even in JavaScript (nested objects become columns `a_b`, columns of mixed kinds become
 * text), then handed to DuckDB as plain NDJSON, which gives them their types.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DataFormat } from './catalogue.js';
import { DataFault, firstLine } from './fault.js';
import { literal } from './sql.js';

const JSON_BYTES = 64 * 1024 * 1024;
const NESTING = 3;

type Row = Record<string, unknown>;

/**
 * Reads the file into a new table `raw`; returns the format found. Errors: `file-empty`, `file-unreadable`, `file-too-large`, `no-table`.
 */
export async function readJson(
  db: DuckDBConnection,
  path: string,
  absolute: string,
  format: DataFormat,
  scratch: string,
): Promise<DataFormat> {
  if (statSync(absolute).size > JSON_BYTES)
    throw new DataFault('file-too-large', `${path} is larger than 64 MiB.`, 'Convert it to Parquet or CSV.');
  const text = readFileSync(absolute, 'utf8').replace(/^\uFEFF/, '');
  if (text.trim() === '') throw new DataFault('file-empty', `${path} is empty.`);
  const found = format === 'ndjson' ? { format, values: parseLines(path, text) } : parseAny(path, text);
  const rows = even(found.values.map(asRow));
  if (rows.length === 0) throw new DataFault('file-empty', `${path} holds no rows.`);
  if (rows.every((row) => Object.keys(row).length === 0)) throw new DataFault('no-table', `The objects of ${path} have no fields.`);
  const copy = join(scratch, 'rows.ndjson');
  writeFileSync(copy, rows.map((row) => JSON.stringify(row)).join('\n'));
  try {
    await db.run(
      `CREATE OR REPLACE TABLE raw AS SELECT * FROM read_json(${literal(copy)}, format='newline_delimited', sample_size=-1, maximum_object_size=67108864, maximum_depth=4)`,
    );
  } catch (error) {
    throw new DataFault('file-unreadable', `${path} cannot be read as a table: ${firstLine(error)}`);
  }
  return found.format;
}

function parseAny(path: string, text: string): { format: DataFormat; values: unknown[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const lines = text.trimStart().startsWith('{') && text.trim().includes('\n') ? linesOf(text) : undefined;
    if (lines) return { format: 'ndjson', values: lines };
    throw new DataFault('file-unreadable', `${path} is not valid JSON: ${firstLine(error)}.`, 'Correct the file.');
  }
  return { format: 'json', values: tableOf(path, value) };
}

function linesOf(text: string): unknown[] | undefined {
  try {
    return parseLines('', text);
  } catch {
    return undefined;
  }
}

function parseLines(path: string, text: string): unknown[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line) as unknown];
    } catch (error) {
      throw new DataFault('file-unreadable', `Line ${index + 1} of ${path} is not valid JSON: ${firstLine(error)}.`, 'Correct the file.');
    }
  });
}

/** An array, or the one array that an object holds. */
function tableOf(path: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  const arrays = isObject(value) ? Object.values(value).filter((part): part is unknown[] => Array.isArray(part) && part.length > 0) : [];
  const tables = arrays.filter((part) => part.every(isObject));
  const chosen = tables.length === 1 ? tables[0] : arrays.length === 1 ? arrays[0] : undefined;
  if (chosen && !chosen.every(Array.isArray)) return chosen;
  throw new DataFault(
    'no-table',
    `${path} holds no table: expected an array of objects, or an object with one such array.`,
    'Convert it to an array of objects.',
  );
}

const isObject = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);

function asRow(value: unknown): Row {
  if (isObject(value)) return flatten(value, '', 1, {});
  if (Array.isArray(value)) return Object.fromEntries(value.slice(0, 100).map((part, index) => [`c${index + 1}`, part]));
  return { value };
}

function flatten(value: Row, prefix: string, depth: number, into: Row): Row {
  for (const [key, part] of Object.entries(value)) {
    const column = `${prefix}${key.trim() || 'column'}`;
    if (isObject(part) && depth < NESTING) flatten(part, `${column}_`, depth + 1, into);
    else into[column] = typeof part === 'object' && part !== null ? JSON.stringify(part) : part;
  }
  return into;
}

/** Columns that hold both texts and other values become text, and names that differ only in case get a number. */
function even(rows: Row[]): Row[] {
  const kinds = new Map<string, Set<string>>();
  for (const row of rows) {
    for (const [key, value] of Object.entries(row)) {
      if (value === null || value === undefined) continue;
      const seen = kinds.get(key) ?? new Set();
      kinds.set(key, seen.add(typeof value));
    }
  }
  const names = distinctNames(rows);
  const mixed = new Set([...kinds].filter(([, seen]) => seen.size > 1).map(([key]) => key));
  const renamed = [...names].some(([key, column]) => key !== column);
  if (mixed.size === 0 && !renamed) return rows;
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([key, value]) => [names.get(key) ?? key, mixed.has(key) && value !== null ? String(value) : value]),
    ),
  );
}

function distinctNames(rows: Row[]): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const key of new Set(rows.flatMap((row) => Object.keys(row)))) {
    let column = key;
    for (let n = 1; taken.has(column.toLowerCase()); n += 1) column = `${key}_${n}`;
    taken.add(column.toLowerCase());
    names.set(key, column);
  }
  return names;
}
