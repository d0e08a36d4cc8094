import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_PRICES, costMicros, loadPrices, priceOf } from './prices.js';

test('a price is found by name, also with a release date, and never by a mere prefix', () => {
  expect(priceOf(DEFAULT_PRICES, 'gpt-4o-2024-08-06')).toBe(DEFAULT_PRICES['gpt-4o']);
  expect(priceOf(DEFAULT_PRICES, 'cadre-sim-1')).toEqual({ input: 0.1, output: 0.4 });
  expect(priceOf(DEFAULT_PRICES, 'gpt-4o-huge')).toBeUndefined();
  expect(priceOf(DEFAULT_PRICES, 'constructor')).toBeUndefined();
});

test('a name without date has the highest price of its dated ones', () => {
  const table = {
    'a-2026-01-01': { input: 1, output: 9 },
    'a-20260601': { input: 2, cachedInput: 1, output: 3 },
    'a-b-2026-01-01': { input: 99, output: 99 },
  };
  expect(priceOf(table, 'a')).toEqual({ input: 2, output: 9, cachedInput: 1 });
  expect(priceOf(table, 'a-2026-09-09')).toBeUndefined();
});

test('cost is rounded up; cached input costs less', () => {
  expect(costMicros({ input: 2, output: 8 }, 1000, 100)).toBe(2800);
  expect(costMicros({ input: 2, cachedInput: 0.5, output: 8 }, 1000, 100, 800)).toBe(1600);
  expect(costMicros({ input: 0.1, output: 0.4 }, 1, 0)).toBe(1);
});

test('an override is laid over the defaults, as JSON or as a file', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'prices-')), 'prices.json');
  writeFileSync(path, '{"mine":{"input":1,"output":2}}');
  for (const override of ['{"mine":{"input":1,"output":2}}', path]) {
    expect(loadPrices(override)).toMatchObject({ mine: { input: 1, output: 2 }, 'gpt-4o': { input: 2.5 } });
  }
  expect(loadPrices(undefined)).toBe(DEFAULT_PRICES);
});

test.each(['{', '{"m":{"input":"dear"}}', '/nowhere/prices.json'])('a bad override %s is refused with the remedy', (override) => {
  expect(() => loadPrices(override)).toThrow(
    expect.objectContaining({ code: 'prices-invalid', remedy: expect.stringContaining('CADRE_PRICES') }),
  );
});
