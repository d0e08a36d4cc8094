/** Made-up data whose answers are computed here, from the rows, and nowhere else. */

/** Numbers that look random and are the same everywhere. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const day = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);
const round = (value: number, decimals = 2): number => Number(value.toFixed(decimals));

type Row = Record<string, string | number | null>;

function csv(rows: readonly Row[]): string {
  const names = Object.keys(rows[0]!);
  return `${[names, ...rows.map((row) => names.map((name) => row[name] ?? ''))].map((cells) => cells.join(',')).join('\n')}\n`;
}

const numbers = (rows: readonly Row[], column: string): number[] =>
  rows.flatMap((row) => (typeof row[column] === 'number' ? [row[column]] : []));
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** What is true of a column of numbers. */
export function factsOf(rows: readonly Row[], column: string) {
  const values = numbers(rows, column);
  return {
    rows: rows.length,
    missing: rows.length - values.length,
    min: Math.min(...values),
    max: Math.max(...values),
    mean: total(values) / values.length,
  };
}

function rowsOf(count: number, seed: number, make: (n: number, random: () => number) => Row): Row[] {
  const random = sequence(seed);
  return Array.from({ length: count }, (_, n) => make(n, random));
}

const REGIONS = ['north', 'south', 'west'];

export const SALES = rowsOf(180, 11, (n, random) => ({
  ...{ date: day(n), region: REGIONS[n % 3]! },
  ...{ units: 20 + Math.floor(random() * 60), revenue: round(400 + 3 * n + random() * 50) },
}));
export const SENSORS = rowsOf(240, 23, (n, random) => ({
  ...{ date: day(n), sensor: n % 2 === 0 ? 'a' : 'b' },
  temperature: n % 80 === 40 ? 95.5 : n % 24 === 7 ? null : round(20 + random() * 4),
}));
export const STAFF = rowsOf(90, 37, (n, random) => ({
  ...{ person: `p${n + 1}`, team: ['tools', 'web', 'data', 'sales', 'field'][n % 5]! },
  ...{ salary: 40_000 + (n % 5) * 5000 + Math.floor(random() * 3000), years: Math.floor(random() * 20) },
}));
export const CLINIC = rowsOf(150, 53, (n, random) => ({
  ...{ visit: day(n), wait_minutes: round(5 + random() * 40, 1) },
  age: n % 10 === 3 ? null : 18 + Math.floor(random() * 70),
}));
export const ENERGY = rowsOf(200, 71, (n, random) => ({
  ...{ date: day(n), kwh: round(900 - 2 * n + random() * 20, 1), price: round(0.2 + random() * 0.1, 3) },
}));
export const STOCK = rowsOf(64, 89, (n, random) => ({
  ...{ item: `i${n + 1}`, category: ['bolt', 'nut', 'washer', 'screw'][n % 4]! },
  ...{ quantity: 100 + Math.floor(random() * 900), weight: round(1 + random() * 9, 3) },
}));

export const NOTES = `The harbour opens at dawn. Fishers bring herring and cod to the harbour.
At noon the market closes, and the harbour is quiet.

Gulls wait on the wall. The lighthouse stands at the end of the harbour wall.
`;

export const TABLES: Record<string, readonly Row[]> = {
  sales: SALES,
  sensors: SENSORS,
  staff: STAFF,
  clinic: CLINIC,
  energy: ENERGY,
  stock: STOCK,
};

/** @param kind of file */
export function fileOf(table: keyof typeof TABLES & string, kind: 'csv' | 'json' | 'ndjson' = 'csv'): { name: string; data: string } {
  const rows = TABLES[table]!;
  if (kind === 'csv') return { name: `${table}.csv`, data: csv(rows) };
  if (kind === 'json') return { name: `${table}.json`, data: JSON.stringify(rows) };
  return { name: `${table}.ndjson`, data: rows.map((row) => JSON.stringify(row)).join('\n') };
}
