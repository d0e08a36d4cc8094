/**
 * The database of one attempt, a file in its scratch folder. Files are read into tables by our own statements; then the database is
 * opened again for reading only, cut off from the file system and from extensions, with its configuration locked. Only in this
 * second state does it meet statements that an agent wrote.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { formatOf, readCatalogue, tableNameOf, writeCatalogue } from './catalogue.js';
import type { Catalogue, LoadedFile, SourceFile } from './catalogue.js';
import { columnsOf } from './column-kinds.js';
import { readDelimited } from './delimited-source.js';
import { DataFault, firstLine } from './fault.js';
import { readJson } from './json-source.js';
import { refineRaw } from './refine.js';
import { count, literal, name, rowOf } from './sql.js';

/** More columns than this make no readable profile. */
const MOST_COLUMNS = 500;

const OPTIONS = {
  threads: '1',
  memory_limit: '1GB',
  // No spilling: what does not fit is refused, instead of filling the disk.
  temp_directory: '',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
};

export interface Tables {
  db: DuckDBConnection;
  catalogue: Catalogue;
}

/** Reads what is new among `files`, then calls `use` with the database locked. @param folder private; holds the database between calls */
export async function withTables<T>(folder: string, files: SourceFile[], use: (tables: Tables) => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'tables.duckdb');
  const catalogue = await readNew(path, folder, files);
  return withDatabase(path, { ...OPTIONS, access_mode: 'READ_ONLY' }, async (db) => {
    await db.run('SET enable_external_access = false');
    await db.run('SET lock_configuration = true');
    return use({ db, catalogue });
  });
}

async function readNew(path: string, folder: string, files: SourceFile[]): Promise<Catalogue> {
  const known = existsSync(path) ? readCatalogue(folder) : { loaded: [], broken: [] };
  const isNew = (file: SourceFile) => ![...known.loaded, ...known.broken].some((old) => old.path === file.path && old.stamp === file.stamp);
  const fresh = files.filter(isNew);
  if (fresh.length === 0 && existsSync(path)) return known;
  // A process that was killed while it read may have left a database without a list.
  if (known.loaded.length === 0) for (const old of [path, `${path}.wal`]) rmSync(old, { force: true });
  await withDatabase(path, OPTIONS, async (db) => {
    for (const file of fresh) await readOne(db, file, folder, known);
    await db.run('CHECKPOINT');
  });
  writeCatalogue(folder, known);
  return known;
}

async function readOne(db: DuckDBConnection, file: SourceFile, folder: string, catalogue: Catalogue): Promise<void> {
  const before = catalogue.loaded.find((old) => old.path === file.path);
  const table = before?.table ?? tableNameOf(file.path, new Set(catalogue.loaded.map((old) => old.table)));
  catalogue.loaded = catalogue.loaded.filter((old) => old !== before);
  catalogue.broken = catalogue.broken.filter((old) => old.path !== file.path);
  try {
    catalogue.loaded.push(await load(db, file, table, folder));
  } catch (error) {
    const fault = error instanceof DataFault ? error : new DataFault('file-unreadable', `${file.path} cannot be read: ${firstLine(error)}`);
    const { code, message, remedy } = fault;
    catalogue.broken.push({ path: file.path, stamp: file.stamp, fault: { code, message, ...(remedy !== undefined && { remedy }) } });
    await db.run('DROP TABLE IF EXISTS raw');
    await db.run(`DROP TABLE IF EXISTS ${name(table)}`);
  }
}

async function load(db: DuckDBConnection, file: SourceFile, table: string, folder: string): Promise<LoadedFile> {
  const { path, absolute, stamp } = file;
  let format = formatOf(path);
  if (format === undefined) {
    throw new DataFault('not-a-data-file', `${path} is no data file.`, 'Use a .csv, .tsv, .json, .ndjson or .parquet file.');
  }
  if (format === 'csv' || format === 'tsv') await readDelimited(db, path, absolute, format === 'tsv', folder);
  else if (format === 'parquet') await readParquet(db, path, absolute);
  else format = await readJson(db, path, absolute, format, folder);
  const columns = await columnsOf(db, 'raw');
  if (columns.length > MOST_COLUMNS) {
    throw new DataFault('too-many-columns', `${path} has ${columns.length} columns; at most ${MOST_COLUMNS} can be worked with.`);
  }
  const textTimes = await refineRaw(db, table);
  const [rows] = await rowOf(db, `SELECT count(*) FROM ${name(table)}`);
  return { path, stamp, table, format, rows: count(rows), textTimes };
}

async function readParquet(db: DuckDBConnection, path: string, absolute: string): Promise<void> {
  try {
    await db.run(`CREATE OR REPLACE TABLE raw AS SELECT * FROM read_parquet(${literal(absolute)})`);
  } catch (error) {
    throw new DataFault('file-unreadable', `${path} cannot be read as Parquet: ${firstLine(error).replace(absolute, path)}`);
  }
}

async function withDatabase<T>(path: string, options: Record<string, string>, use: (db: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(path, options);
  const db = await instance.connect();
  try {
    return await use(db);
  } finally {
    db.closeSync();
    instance.closeSync();
  }
}

/** The loaded file of a workspace path. Errors: that of its reading, or `file-missing`. */
export function loadedFile(catalogue: Catalogue, path: string): LoadedFile {
  const loaded = catalogue.loaded.find((file) => file.path === path);
  if (loaded) return loaded;
  const fault = catalogue.broken.find((file) => file.path === path)?.fault;
  if (fault) throw new DataFault(fault.code, fault.message, fault.remedy);
  throw new DataFault('file-missing', `There is no data file ${path} in the workspace.`, 'list_files shows what is there.');
}
