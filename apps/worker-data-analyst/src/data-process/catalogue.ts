/** The files that have been read into tables, kept beside the database as `catalogue.json`. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type DataFormat = 'csv' | 'tsv' | 'json' | 'ndjson' | 'parquet';

/** A file to read: its workspace path, where it is, and a stamp that changes with its content. */
export interface SourceFile {
  path: string;
  absolute: string;
  stamp: string;
}

/** How a text column is read as time where most, but not all, of its values are times. */
export interface TextTime {
  format: string;
  kind: 'date' | 'timestamp';
}

export interface LoadedFile {
  path: string;
  stamp: string;
  table: string;
  format: DataFormat;
  rows: number;
  textTimes: Record<string, TextTime>;
}

export interface BrokenFile {
  path: string;
  stamp: string;
  fault: { code: string; message: string; remedy?: string };
}

export interface Catalogue {
  loaded: LoadedFile[];
  broken: BrokenFile[];
}

/** What was read so far; empty when nothing was, or when the list is damaged. */
export function readCatalogue(folder: string): Catalogue {
  try {
    return JSON.parse(readFileSync(join(folder, 'catalogue.json'), 'utf8')) as Catalogue;
  } catch {
    return { loaded: [], broken: [] };
  }
}

/** Replaces the list at once, so that a killed process leaves the old one or the new one. */
export function writeCatalogue(folder: string, catalogue: Catalogue): void {
  const next = join(folder, 'catalogue.next.json');
  writeFileSync(next, JSON.stringify(catalogue));
  renameSync(next, join(folder, 'catalogue.json'));
}

const BY_EXTENSION: Record<string, DataFormat> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  json: 'json',
  geojson: 'json',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  parquet: 'parquet',
};

/** The format that a file's name stands for; undefined for what is no data file. */
export function formatOf(path: string): DataFormat | undefined {
  return BY_EXTENSION[/\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''];
}

/** A table name from a file name: lower-case letters, digits and `_`, unique among `taken`. */
export function tableNameOf(path: string, taken: ReadonlySet<string>): string {
  const base = path.slice(path.lastIndexOf('/') + 1).replace(/\.[A-Za-z0-9]+$/, '');
  const words = base
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 60);
  const name = /^[a-z]/.test(words) && !RESERVED.has(words) ? words : `t_${words || 'data'}`;
  if (!taken.has(name)) return name;
  for (let n = 2; ; n += 1) if (!taken.has(`${name}_${n}`)) return `${name}_${n}`;
}

/** Words that SQL would not take as a bare table name, as far as files are likely to have them; and `raw`, which reading uses. */
const RESERVED = new Set(
  (
    'all analyse analyze and any array as asc both case cast check collate column constraint create default desc describe distinct do else ' +
    'end except false fetch for foreign from grant group having in initially intersect into join lateral leading left like limit natural ' +
    'not null offset on only or order outer over pivot placing position primary raw references returning right row select show some summarize ' +
    'symmetric table then to trailing true union unique unpivot using values variadic when where window with'
  ).split(' '),
);
