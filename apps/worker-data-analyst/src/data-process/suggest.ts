/** Which columns of a table are worth a look first: by their types, names and spread. Rules of thumb, not knowledge. */
import type { ColumnProfile, DataProfile } from '@cadre/contracts';
import type { TextTime } from './catalogue.js';
import { isNamedYear } from './column-kinds.js';

const ID_NAME =
  /(^|[^a-z])(id|ids|key|code|zip|zipcode|zip_code|postcode|fips|index|idx|uuid|guid|rank|row|phone|serial|number|no|iata|isbn)$/i;
const PLACE_NAME = /(^|[^a-z])(lat|lng|lon|long|latitude|longitude|x|y)$/i;
const TIME_NAME = /date|time|year|month|day|week|quarter|period|created|updated|timestamp/i;
const TIME_PART_NAME = /(^|[^a-z])(month|day|weekday|hour|minute|quarter|week)([^a-z]|$)/i;
const MOST_GROUPS = 50;

/** @param rows of the whole table */
export function suggest(columns: ColumnProfile[], rows: number, textTimes: Record<string, TextTime>): DataProfile['suggested'] {
  const time = best(columns, (column) => timeScore(column, rows, textTimes))[0];
  const isTime = (column: ColumnProfile) => column.name === time || isYear(column);
  return {
    ...(time !== undefined && { time }),
    measures: best(columns, (column) => (isTime(column) ? 0 : measureScore(column, rows))),
    dimensions: best(columns, (column) => (column.name === time ? 0 : dimensionScore(column, rows))),
  };
}

/** Names of the columns with a score above 0, highest first; equal ones in the table's order. */
function best(columns: ColumnProfile[], score: (column: ColumnProfile) => number): string[] {
  return columns
    .map((column) => ({ name: column.name, score: score(column) }))
    .filter((scored) => scored.score > 0)
    .sort((a, b) => b.score - a.score)
    .map((scored) => scored.name);
}

const filledShare = (column: ColumnProfile, rows: number): number => (rows === 0 ? 0 : 1 - column.nulls / rows);

function timeScore(column: ColumnProfile, rows: number, textTimes: Record<string, TextTime>): number {
  const typed = column.type === 'date' || column.type === 'timestamp';
  const kind = typed ? 3 : column.name in textTimes ? 2 : isYear(column) ? 1 : 0;
  if (kind === 0 || column.distinct < 2 || filledShare(column, rows) < 0.5) return 0;
  return kind + (TIME_NAME.test(column.name) ? 0.5 : 0) + filledShare(column, rows) * 0.4;
}

function isYear(column: ColumnProfile): boolean {
  return column.type === 'integer' && isNamedYear(column.name) && Number(column.min) >= 1500 && Number(column.max) <= 2200;
}

function measureScore(column: ColumnProfile, rows: number): number {
  if ((column.type !== 'integer' && column.type !== 'number') || column.distinct < 2 || isId(column, rows)) return 0;
  if (column.type === 'integer' && (TIME_PART_NAME.test(column.name) || (column.distinct === 2 && rows > 10))) return 0;
  const share = filledShare(column, rows);
  const filled = share >= 0.9 ? 1 : share;
  // A number with few values is more likely a code or a rating than a quantity.
  const spread = Math.min(1, column.distinct / Math.max(2, Math.min(rows * share, 20)));
  return 1 + filled + spread - (PLACE_NAME.test(column.name) ? 1 : 0);
}

/** Named like one, or a run of whole numbers without a gap, one for each row. */
function isId(column: ColumnProfile, rows: number): boolean {
  if (column.type !== 'integer') return false;
  if (ID_NAME.test(spaced(column.name))) return true;
  return rows > 10 && column.distinct === rows && Number(column.max) - Number(column.min) + 1 === rows;
}

/** `userId` as `user Id`, so that the rules see its words. */
const spaced = (name: string): string => name.replace(/([a-z])([A-Z])/g, '$1 $2');

function dimensionScore(column: ColumnProfile, rows: number): number {
  const groups = column.distinct;
  if (groups < 2 || groups > MOST_GROUPS || groups > rows / 2) return 0;
  const text = column.type === 'text' || column.type === 'boolean';
  const few = column.type === 'integer' && groups <= 12 && rows >= 50;
  if (!text && !few) return 0;
  const handy = groups <= 12 ? 1 : 0.5;
  return (text ? 2 : 1) + handy * filledShare(column, rows);
}
