/** How the columns of a profile appear in generated code. */
import type { ColumnProfile, DataProfile } from '@cadre/contracts';
import { commentText } from './template.js';
import { dateFormat, type DateFormat } from './dates.js';
import type { SourceText } from './source-text.js';

/** How numbers are written: plainly, with commas between thousands, or with a decimal comma. */
export type NumberFormat = 'plain' | 'grouped' | 'comma';

export type RowType = 'number' | 'boolean' | 'text' | 'date' | 'timestamp' | 'unknown';

export interface RowColumn {
  name: string;
  type: RowType;
  profile: ColumnProfile;
  /** Text of which most, but not all, is times: its blanks differ from the profile's. */
  loose: boolean;
}

/** What generated code needs to know of a file. */
export interface RowShape {
  profile: DataProfile;
  source: SourceText;
  columns: RowColumn[];
  measures: string[];
  dimensions: string[];
  time: RowColumn | undefined;
  /** The one way of writing dates that the generated parser reads. */
  dates: DateFormat | undefined;
}

const TYPES: Record<ColumnProfile['type'], RowType> = {
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
  text: 'text',
  other: 'unknown',
};

/** Names that an object cannot hold safely as a plain property. */
const UNSAFE_NAMES = new Set(['__proto__']);

/** Decides each column's type in generated code. A date column whose writing is not recognised stays text. */
export function rowShape(profile: DataProfile, source: SourceText): RowShape {
  const usable = profile.columns.filter((column) => !UNSAFE_NAMES.has(column.name));
  const isLoose = (column: ColumnProfile): boolean => column.type === 'text' && column.name === profile.suggested.time;
  const temporal = usable.filter((column) => column.type === 'date' || column.type === 'timestamp' || isLoose(column));
  const formats = new Map(temporal.map((column) => [column.name, formatOf(column, source)]));
  const leading = profile.suggested.time !== undefined ? formats.get(profile.suggested.time) : undefined;
  const dates = leading ?? [...formats.values()].find((format) => format !== undefined);
  const columns = usable.map((column): RowColumn => ({
    name: column.name,
    type: typeOf(column, profile, formats.get(column.name), dates),
    profile: column,
    loose: isLoose(column),
  }));
  const typed = (name: string, ...types: RowType[]): boolean => columns.some((c) => c.name === name && types.includes(c.type));
  const time = columns.find(
    (c) => c.name === profile.suggested.time && (c.type === 'date' || c.type === 'timestamp' || c.type === 'number'),
  );
  return {
    profile,
    source,
    columns,
    measures: profile.suggested.measures.filter((name) => typed(name, 'number') && name !== time?.name),
    dimensions: profile.suggested.dimensions.filter((name) => typed(name, 'text', 'number', 'boolean', 'date', 'timestamp')),
    time,
    dates,
  };
}

function formatOf(column: ColumnProfile, source: SourceText): DateFormat | undefined {
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return dateFormat(source.samples.get(column.name) ?? [], { min: text(column.min), max: text(column.max) });
}

/** @param format of this column's dates, if it has any @param dates the format that the generated parser reads */
function typeOf(column: ColumnProfile, profile: DataProfile, format: DateFormat | undefined, dates: DateFormat | undefined): RowType {
  const type = TYPES[column.type];
  const readable = format !== undefined && dates !== undefined && format.order === dates.order && format.zone === dates.zone;
  if (type === 'date' || type === 'timestamp') return readable ? type : 'text';
  if (type === 'text' && readable) return format.times ? 'timestamp' : 'date';
  return type === 'unknown' && (profile.format === 'csv' || profile.format === 'tsv' || profile.format === 'parquet') ? 'text' : type;
}

/** The TypeScript type of a row's field. */
export function fieldType(type: RowType): string {
  if (type === 'unknown') return 'unknown';
  return `${type === 'number' || type === 'boolean' ? type : 'string'} | null`;
}

/** One line for people: type, range, blanks. */
export function describeColumn({ type, profile }: RowColumn): string {
  const words = type === 'unknown' ? 'a nested value' : profile.type === 'text' && type === 'text' ? 'text' : profile.type;
  const range =
    profile.min !== undefined && profile.min !== null && type !== 'text' ? `, ${String(profile.min)} to ${String(profile.max)}` : '';
  const values = type === 'text' ? `, ${profile.distinct} different` : '';
  const blanks = profile.nulls > 0 ? `, ${profile.nulls} blank` : '';
  return commentText(`${words}${range}${values}${blanks}`);
}

/** How the file writes its numbers, judged from samples. */
export function numberFormat({ columns, source }: RowShape): NumberFormat {
  const texts = columns.filter((column) => column.type === 'number').flatMap((column) => source.samples.get(column.name) ?? []);
  const commas = texts.map((text) => text.trim()).filter((text) => /^[-+]?[\d.]*,[\d,.]*$/.test(text));
  if (commas.length === 0) return 'plain';
  return commas.every((text) => /^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text)) ? 'grouped' : 'comma';
}
