/** What the operator says that models cost. */
import { readFileSync } from 'node:fs';
import { CadreError } from '@cadre/contracts';
import { z } from 'zod';
import { PriceTable } from './price.js';
import { PriceBook } from './price-book.js';

const REMEDY =
  'Set CADRE_PRICES to JSON like {"my-model": {"input": 1, "output": 2}} (US dollars per million tokens) or to the path of such a file.';

/**
 * Prices with what the operator has set laid over them.
 * @param setting JSON text (`{"my-model": {"input": 1, "output": 2}}`) or the path of a file that holds it
 * Error: `prices-invalid`.
 */
export function loadPrices(setting: string | undefined): PriceBook {
  if (setting === undefined || setting.trim() === '') return new PriceBook();
  let value: unknown;
  try {
    value = JSON.parse(setting.trim().startsWith('{') ? setting : readFileSync(setting, 'utf8'));
  } catch (cause) {
    throw new CadreError('prices-invalid', `CADRE_PRICES cannot be read: ${(cause as Error).message}.`, { remedy: REMEDY, cause });
  }
  const parsed = PriceTable.safeParse(value);
  if (parsed.success) return new PriceBook(parsed.data);
  throw new CadreError('prices-invalid', `CADRE_PRICES is not a price table: ${z.prettifyError(parsed.error)}.`, { remedy: REMEDY });
}
