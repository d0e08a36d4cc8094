/** Names, lines and suggestions: what needs no database. */
import { formatOf, tableNameOf } from './catalogue.js';
import { isNamedYear, kindOf } from './column-kinds.js';
import { suggest } from './suggest.js';
import { fitLine } from './trend.js';

test('table names are plain and unique', () => {
  const taken = new Set<string>();
  const names = [
    'inputs/Sales 2024 (final).csv',
    'inputs/2024.csv',
    'inputs/order.csv',
    'inputs/raw.csv',
    'inputs/a.b.csv',
    'data/a-b.json',
    'inputs/é.csv',
  ];
  const made = names.map((name) => {
    const table = tableNameOf(name, taken);
    taken.add(table);
    return table;
  });
  expect(made).toEqual(['sales_2024_final', 't_2024', 't_order', 't_raw', 'a_b', 'a_b_2', 't_data']);
});

test('formats follow the extension', () => {
  expect(['a.CSV', 'a.tab', 'a.jsonl', 'a.parquet', 'a.txt', 'csv'].map(formatOf)).toEqual([
    'csv',
    'tsv',
    'ndjson',
    'parquet',
    undefined,
    undefined,
  ]);
});

test('kinds of columns', () => {
  const types = [
    'BIGINT',
    'UTINYINT',
    'DECIMAL(9,2)',
    'TIMESTAMP WITH TIME ZONE',
    "ENUM('a', 'b')",
    'INTEGER[]',
    'STRUCT(a INTEGER)',
    'TIME',
    'BOOLEAN',
  ];
  expect(types.map(kindOf)).toEqual(['integer', 'integer', 'number', 'timestamp', 'text', 'other', 'other', 'other', 'boolean']);
  expect(['year', 'Year', 'budgetYear', 'model_year', 'yearly_sales', 'years'].map(isNamedYear)).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
});

test('a line through equally spaced values', () => {
  expect(fitLine([1, 3, 5, 7])).toEqual({ slopePerBucket: 2, r2: 1, direction: 'rising' });
  expect(fitLine([5, 5, 5])).toEqual({ slopePerBucket: 0, r2: 0, direction: 'flat' });
  expect(fitLine([4])).toEqual({ slopePerBucket: 0, r2: 0, direction: 'flat' });
  expect(fitLine([1, -1, 1, -1, 1, -1]).direction).toBe('flat');
  expect(fitLine([1_000_000, 1_000_001, 1_000_002]).direction).toBe('flat');
});

test('suggestions leave out ids, constants and empty columns', () => {
  const column = (name: string, rest: object) => ({ name, type: 'integer' as const, nulls: 0, distinct: 100, min: 1, max: 1000, ...rest });
  const columns = [
    column('customerId', {}),
    column('row', { distinct: 100, min: 1, max: 100 }),
    column('constant', { distinct: 1 }),
    column('flag', { distinct: 2, max: 1 }),
    column('year', { min: 1990, max: 2020, distinct: 31 }),
    column('amount', { type: 'number' as const }),
    column('mostly empty', { nulls: 95, distinct: 5 }),
    column('kind', { type: 'text' as const, distinct: 4 }),
    column('comment', { type: 'text' as const, distinct: 90 }),
  ];
  expect(suggest(columns, 100, {})).toEqual({
    time: 'year',
    measures: ['amount', 'mostly empty'],
    dimensions: ['kind', 'flag', 'mostly empty'],
  });
});
