/**
 * CSV and TSV. DuckDB finds out the dialect, the header and the types from the whole file; this adds what it does not do: other
 * encodings than UTF-8, and a second, more patient reading of files whose rows differ in length.
 */
import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { DataFault, firstLine } from './fault.js';
import { count, literal, rowOf, rowsOf } from './sql.js';

const HEAD_BYTES = 65_536;
const RECODE_BYTES = 64 * 1024 * 1024;

/** Reads the file into a new table `raw`. Errors: `file-empty`, `file-not-text`, `file-unreadable`. */
export async function readDelimited(db: DuckDBConnection, path: string, absolute: string, tabs: boolean, scratch: string): Promise<void> {
  const source = asUtf8(path, absolute, scratch);
  const text = literal(source);
  const delimiter = tabs ? ", delim='\t'" : '';
  const strict = await attempt(db, `read_csv(${text}, sample_size=-1${delimiter})`);
  if (strict === 'read' && !(await looksUnsplit(db)) && !(await skipsRows(db, source, delimiter))) return;
  const patient = await attempt(db, `read_csv(${text}, sample_size=-1, null_padding=true, strict_mode=false, parallel=false${delimiter})`);
  if (patient === 'read') return;
  if (strict === 'read') throw new DataFault('file-unreadable', `The rows of ${path} differ in their number of columns.`);
  throw new DataFault('file-unreadable', `${path} cannot be read as ${tabs ? 'TSV' : 'CSV'}: ${explain(strict)}.`, 'Correct the file.');
}

async function attempt(db: DuckDBConnection, source: string): Promise<'read' | Error> {
  try {
    await db.run(`CREATE OR REPLACE TABLE raw AS SELECT * FROM ${source}`);
    return 'read';
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** One column whose name holds a delimiter: the rows were too uneven to be split. */
async function looksUnsplit(db: DuckDBConnection): Promise<boolean> {
  const columns = await rowsOf(db, `SELECT column_name FROM duckdb_columns() WHERE table_name = 'raw' AND NOT internal`);
  return columns.length === 1 && /[,;\t|]/.test(String(columns[0]?.[0]));
}

/** DuckDB takes uneven first lines for a preamble. Lines that hold the delimiter are rows, not a preamble. */
async function skipsRows(db: DuckDBConnection, source: string, delimiter: string): Promise<boolean> {
  const [skipped, separator] = await rowOf(db, `SELECT SkipRows, Delimiter FROM sniff_csv(${literal(source)}, sample_size=-1${delimiter})`);
  const lines = count(skipped);
  if (lines === 0) return false;
  return headOf(source)
    .toString('utf8')
    .split('\n', lines)
    .some((line) => line.includes(String(separator)) && !line.startsWith('#'));
}

function explain(error: Error): string {
  const line = /CSV Error on Line: (\d+)/.exec(error.message)?.[1];
  const reason = error.message
    .split('\n')
    .find((part) => /expected number of columns|maximum line size|unterminated quote|value with unterminated|sniffing/i.test(part));
  const what = (reason ?? firstLine(error)).replace(/^Invalid Input Error: /, '').replace(/"[^"]*\/([^"/]+)"/g, '$1');
  return `${line ? `line ${line}: ` : ''}${what.replace(/[. ]+$/, '').slice(0, 200)}`;
}

/** The path of the file, or of a copy in UTF-8: UTF-16 by its byte order mark, else Windows-1252 (of which Latin-1 is a part). */
function asUtf8(path: string, absolute: string, scratch: string): string {
  const size = statSync(absolute).size;
  if (size === 0) throw new DataFault('file-empty', `${path} is empty.`);
  const head = headOf(absolute);
  const wide = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  if (!wide && head.includes(0)) throw new DataFault('file-not-text', `${path} is not a text file.`);
  if (head.toString('latin1').trim() === '' && size <= HEAD_BYTES) throw new DataFault('file-empty', `${path} holds no rows.`);
  if (size > RECODE_BYTES) return absolute;
  const bytes = readFileSync(absolute);
  if (isUtf8(bytes)) return absolute;
  const encoding = wide ? (head[0] === 0xff ? 'utf-16le' : 'utf-16be') : 'windows-1252';
  const text = new TextDecoder(encoding).decode(bytes);
  if (isJunk(text)) throw new DataFault('file-not-text', `${path} is not a text file.`);
  const copy = join(scratch, 'recoded.csv');
  writeFileSync(copy, text);
  return copy;
}

/** More than one control character in a hundred: no text in any encoding. */
function isJunk(text: string): boolean {
  const sample = text.slice(0, HEAD_BYTES);

  return (sample.match(/[\u0000-\u0008\u000e-\u001f\ufffd]/g)?.length ?? 0) * 100 > sample.length;
}

function headOf(absolute: string): Buffer {
  const file = openSync(absolute, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(file, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(file);
  }
}
