/** Turns DuckDB's values into what JSON can hold: strings, finite numbers, booleans and null. */
import {
  DuckDBArrayValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionValue,
} from '@duckdb/node-api';
import type { DuckDBValue } from '@duckdb/node-api';

export type Cell = string | number | boolean | null;
type Tree = Cell | Tree[] | { [key: string]: Tree };

/** Longer texts are cut and end in `…`. */
const CELL_CHARACTERS = 2000;

/**
 * Integers and decimals become numbers where those are exact enough, else their decimal digits; dates and timestamps ISO 8601;
 * NaN and infinities null; lists and structs JSON text; all others DuckDB's own text.
 */
export function toCell(value: DuckDBValue): Cell {
  const tree = toTree(value);
  if (typeof tree === 'string') return cut(tree);
  return tree !== null && typeof tree === 'object' ? cut(JSON.stringify(tree)) : tree;
}

function toTree(value: DuckDBValue): Tree {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return integerCell(value);
  if (value instanceof DuckDBDecimalValue) return decimalCell(value);
  if (isTime(value)) return timeCell(value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(toTree);
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(Object.entries(value.entries).map(([key, inner]) => [key, toTree(inner)]));
  if (value instanceof DuckDBMapValue)
    return Object.fromEntries(value.entries.map(({ key, value: inner }) => [String(key), toTree(inner)]));
  if (value instanceof DuckDBUnionValue) return toTree(value.value);
  return String(value);
}

function cut(text: string): string {
  return text.length > CELL_CHARACTERS ? `${text.slice(0, CELL_CHARACTERS)}…` : text;
}

function integerCell(value: bigint): Cell {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function decimalCell(value: DuckDBDecimalValue): Cell {
  const digits = value.toString();
  return value.scale === 0 ? integerCell(value.value) : Number(digits);
}

type Time =
  | DuckDBDateValue
  | DuckDBTimestampValue
  | DuckDBTimestampTZValue
  | DuckDBTimestampSecondsValue
  | DuckDBTimestampMillisecondsValue
  | DuckDBTimestampNanosecondsValue;

function isTime(value: DuckDBValue): value is Time {
  return (
    value instanceof DuckDBDateValue ||
    value instanceof DuckDBTimestampValue ||
    value instanceof DuckDBTimestampTZValue ||
    value instanceof DuckDBTimestampSecondsValue ||
    value instanceof DuckDBTimestampMillisecondsValue ||
    value instanceof DuckDBTimestampNanosecondsValue
  );
}

function timeCell(value: Time): Cell {
  if (!value.isFinite) return null;
  // DuckDB would print this type in the machine's own time zone.
  if (value instanceof DuckDBTimestampTZValue) {
    const at = new Date(Number(value.micros / 1000n));
    return Number.isNaN(at.getTime()) ? value.toString() : at.toISOString();
  }
  return value.toString().replace(' ', 'T');
}

/** Milliseconds since 1970 UTC of a date or timestamp; undefined for other values and for infinite ones. */
export function epochMs(value: DuckDBValue): number | undefined {
  if (!isTime(value) || !value.isFinite) return undefined;
  if (value instanceof DuckDBDateValue) return value.days * 86_400_000;
  if (value instanceof DuckDBTimestampSecondsValue) return Number(value.seconds) * 1000;
  if (value instanceof DuckDBTimestampMillisecondsValue) return Number(value.millis);
  if (value instanceof DuckDBTimestampNanosecondsValue) return Number(value.nanos / 1_000_000n);
  return Number(value.micros) / 1000;
}
