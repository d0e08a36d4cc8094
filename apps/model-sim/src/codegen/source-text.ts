/** What the first part of an input's own text tells: delimiter, header, samples of each column. */
import type { ColumnProfile, DataProfile } from '@cadre/contracts';

export interface SourceText {
  /** For CSV and TSV. */
  delimiter: string;
  /** Lines before the first row of data; the header is the last of them if `named`. */
  skip: number;
  /** The header holds exactly the profile's column names, so that columns can be found by name. */
  named: boolean;
  /** Texts by column, blanks left out. */
  samples: Map<string, string[]>;
  /** As Node names it. */
  encoding: 'utf8' | 'latin1' | 'utf16le';
  /** For JSON: an object that holds the rows, objects within rows, rows that are not objects. */
  wrapped: boolean;
  nested: boolean;
  unnamed: boolean;
}

const DELIMITERS = [',', '\t', ';', '|'];

/** Splits text into records; a record that the sample cuts off is left to the caller to drop. */
export function splitRecords(text: string, delimiter: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let field = '';
  let quoted = false;
  const endRecord = (): void => {
    record.push(field);
    if (record.length > 1 || record[0] !== '') records.push(record);
    record = [];
    field = '';
  };
  for (let at = text.startsWith('\uFEFF') ? 1 : 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quoted) {
      if (char !== '"') field += char;
      else if (text.charAt(at + 1) === '"') {
        field += char;
        at += 1;
      } else quoted = false;
    } else if (char === '"' && field === '') quoted = true;
    else if (char === delimiter) {
      record.push(field);
      field = '';
    } else if (char === '\n') endRecord();
    else if (char !== '\r') field += char;
  }
  if (field !== '' || record.length > 0) endRecord();
  return records;
}

/**
 * @param text the file's beginning; undefined if it could not be read
 * @param whole whether that is all of the file
 * @param wide the file could not be read because it is no UTF-8 text: it is taken for UTF-16
 */
export function readSource(
  profile: Pick<DataProfile, 'format' | 'columns'>,
  text: string | undefined,
  whole: boolean,
  wide = false,
): SourceText {
  const plain = { delimiter: profile.format === 'tsv' ? '\t' : ',', skip: 1, named: true, wrapped: false, nested: false, unnamed: false };
  if (text === undefined) {
    return {
      ...plain,
      encoding: wide ? 'utf16le' : 'utf8',
      samples: new Map(profile.columns.map((column) => [column.name, isoSamples(column)])),
    };
  }
  const encoding = text.includes('\uFFFD') ? 'latin1' : 'utf8';
  if (profile.format !== 'json' && profile.format !== 'ndjson') return { ...plain, encoding, ...readDelimited(profile, text, whole) };
  const samples = new Map<string, string[]>();
  for (const record of sampleObjects(text)) {
    for (const { name } of profile.columns) addSample(samples, name, record[name]);
  }
  const start = text.replace(/^\uFEFF/, '').trimStart();
  const unnamed = profile.format === 'json' ? !/^(\[|\{[^[]*\[)\s*\{/.test(start) : !start.startsWith('{');
  const nested = /:\s*\{/.test(profile.format === 'json' && start.startsWith('{') ? start.slice(start.indexOf('[')) : start);
  return { ...plain, encoding, samples, wrapped: profile.format === 'json' && start.startsWith('{'), nested, unnamed };
}

/** Where the text itself is out of reach, the profile's own writing (ISO 8601) is the sample. */
function isoSamples({ min, max }: ColumnProfile): string[] {
  return [min, max].filter((value) => typeof value === 'string');
}

type Delimited = Pick<SourceText, 'delimiter' | 'skip' | 'named' | 'samples'>;

function readDelimited(profile: Pick<DataProfile, 'columns'>, text: string, whole: boolean): Delimited {
  const names = profile.columns.map((column) => column.name);
  const sameNames = (record: string[]): boolean => record.length >= names.length && names.every((name, i) => record[i]?.trim() === name);
  const likeNames = (record: string[]): boolean =>
    record.length >= names.length && record.filter((cell, i) => names[i]?.startsWith(cell.trim()) ?? false).length * 2 > names.length;
  const readings = DELIMITERS.map((delimiter) => ({ delimiter, records: splitRecords(text, delimiter) }));
  const exact = readings.find(({ records }) => records.slice(0, 20).some(sameNames));
  const width = (records: string[][]): number =>
    records.filter((record) => names.length > 1 && record.length >= names.length && record.length < names.length * 2).length;
  const best = exact ?? readings.reduce((a, b) => (width(b.records) > width(a.records) ? b : a));
  const header = best.records.slice(0, 20).findIndex(exact === undefined ? likeNames : sameNames);
  const samples = new Map<string, string[]>();
  for (const record of best.records.slice(header + 1, whole ? undefined : -1)) {
    for (const [index, name] of names.entries()) addSample(samples, name, record[index]);
  }
  return { delimiter: best.delimiter, skip: header + 1, named: exact !== undefined && header === 0, samples };
}

function addSample(samples: Map<string, string[]>, name: string, value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '') return;
  const list = samples.get(name) ?? [];
  if (list.length < 400) list.push(value);
  samples.set(name, list);
}

/** The flat objects in a piece of JSON; good enough for samples, also where the piece is cut off. */
function sampleObjects(text: string): Record<string, unknown>[] {
  const objects: Record<string, unknown>[] = [];
  for (const [piece] of text.matchAll(/\{[^{}]*\}/g)) {
    try {
      objects.push(JSON.parse(piece) as Record<string, unknown>);
    } catch {
      // Braces within a text make such a piece; other objects will do as samples.
    }
  }
  return objects;
}
