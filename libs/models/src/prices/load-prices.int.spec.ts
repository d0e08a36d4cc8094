import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadPrices } from './load-prices.js';
import { PUBLISHED } from './published-prices.js';

test('what the operator sets goes before what is published, as JSON or as a file', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'prices-')), 'prices.json');
  writeFileSync(path, '{"mine":{"input":1,"output":2}}');
  for (const setting of ['{"mine":{"input":1,"output":2}}', path]) {
    expect(loadPrices(setting).find('mine')).toMatchObject({ price: { input: 1, output: 2 }, source: 'CADRE_PRICES' });
    expect(loadPrices(setting).find('gpt-4o')).toMatchObject({ price: { input: 2.5 } });
  }
  expect(loadPrices('{"gpt-4o":{"input":0,"output":0}}').find('gpt-4o-2024-08-06')?.price).toEqual({ input: 0, output: 0 });
  expect(loadPrices(undefined).find('mine')).toBeUndefined();
});

test.each(['{', '{"m":{"input":"dear"}}', '{"m":{"input":-1,"output":1}}', '{"m":{"input":1}}', '/nowhere/prices.json'])(
  'a bad setting %s is refused with the remedy',
  (setting) => {
    expect(() => loadPrices(setting)).toThrow(
      expect.objectContaining({ code: 'prices-invalid', remedy: expect.stringContaining('CADRE_PRICES') }),
    );
  },
);

test('the date of the published prices is that of the package that is installed', () => {
  const found = createRequire(import.meta.url).resolve(PUBLISHED.name);
  const { version } = JSON.parse(readFileSync(join(dirname(found), '../package.json'), 'utf8')) as { version: string };
  expect(version).toBe(PUBLISHED.version);
});
