/**
 * What models cost. The table is a convenience and grows old: `CADRE_PRICES` (JSON, or the path of a JSON file) goes before it.
 * US dollars per million tokens, which is the same as millionths of a dollar per token.
 *
 * Compared in November 2026 with pages that quote OpenAI's price list (developers.openai.com/api/docs/pricing): public tables of
 * January to June 2026 for gpt-4o, gpt-4.1 and gpt-5, GitHub's table of model prices for gpt-4.1 and gpt-5-mini. Later models (gpt-5.4 and on)
 * are left out: they cost more above a length of input, and one price for all lengths would be no upper bound. Their users set CADRE_PRICES
 * to the higher price. A model without a price is refused unless the run allows it.
 */
import { readFileSync } from 'node:fs';
import { CadreError } from '@cadre/contracts';
import { z } from 'zod';

export const Price = z.strictObject({
  input: z.number().min(0).max(1_000_000),
  output: z.number().min(0).max(1_000_000),
  /** Input that the server had in its cache; without it, the price of input. */
  cachedInput: z.number().min(0).max(1_000_000).optional(),
});
export type Price = z.infer<typeof Price>;

/** Model name → price. */
export const PriceTable = z.record(z.string().min(1), Price);
export type PriceTable = z.infer<typeof PriceTable>;

export const DEFAULT_PRICES: PriceTable = {
  // Notional, so that the accounting has something to count.
  'cadre-sim-1': { input: 0.1, output: 0.4 },
  'gpt-4o': { input: 2.5, cachedInput: 1.25, output: 10 },
  'gpt-4o-mini': { input: 0.15, cachedInput: 0.075, output: 0.6 },
  'gpt-4.1': { input: 2, cachedInput: 0.5, output: 8 },
  'gpt-4.1-mini': { input: 0.4, cachedInput: 0.1, output: 1.6 },
  'gpt-4.1-nano': { input: 0.1, cachedInput: 0.025, output: 0.4 },
  'gpt-5': { input: 1.25, cachedInput: 0.125, output: 10 },
  'gpt-5-mini': { input: 0.25, cachedInput: 0.025, output: 2 },
  'gpt-5-nano': { input: 0.05, cachedInput: 0.005, output: 0.4 },
};

/**
 * The default table with the override laid over it.
 * @param override JSON text (`{"my-model": {"input": 1, "output": 2}}`) or the path of a file that holds it
 * Error: `prices-invalid`.
 */
export function loadPrices(override: string | undefined): PriceTable {
  if (override === undefined || override.trim() === '') return DEFAULT_PRICES;
  const remedy =
    'Set CADRE_PRICES to JSON like {"my-model": {"input": 1, "output": 2}} (US dollars per million tokens) or to the path of such a file.';
  let value: unknown;
  try {
    value = JSON.parse(override.trim().startsWith('{') ? override : readFileSync(override, 'utf8'));
  } catch (cause) {
    throw new CadreError('prices-invalid', `CADRE_PRICES cannot be read: ${(cause as Error).message}.`, { remedy, cause });
  }
  const parsed = PriceTable.safeParse(value);
  if (!parsed.success)
    throw new CadreError('prices-invalid', `CADRE_PRICES is not a price table: ${z.prettifyError(parsed.error)}.`, { remedy });
  return { ...DEFAULT_PRICES, ...parsed.data };
}

const RELEASE_DATE = /-(\d{4}-\d{2}-\d{2}|\d{8})$/;

/**
 * The price of a model by its name. A server may add a release date to the name asked for (`gpt-4o-2024-08-06`): a dated name has the price
 * of the name without date, and a name without date the highest of its dated ones, if they have no price of their own.
 */
export function priceOf(table: PriceTable, model: string): Price | undefined {
  const dateless = model.replace(RELEASE_DATE, '');
  const named = [model, dateless].find((name) => Object.hasOwn(table, name));
  if (named !== undefined) return table[named];
  if (dateless !== model) return undefined;
  const dated = Object.keys(table).filter((name) => name !== model && name.replace(RELEASE_DATE, '') === model);
  return dated.length > 0 ? dearest(dated.map((name) => table[name]!)) : undefined;
}

function dearest(prices: Price[]): Price {
  const most = (part: (price: Price) => number) => Math.max(...prices.map(part));
  return {
    input: most((price) => price.input),
    output: most((price) => price.output),
    cachedInput: most((price) => price.cachedInput ?? price.input),
  };
}

/** Millionths of a US dollar, rounded up. @param cachedTokens the part of `inputTokens` that came from the server's cache */
export function costMicros(price: Price, inputTokens: number, outputTokens: number, cachedTokens = 0): number {
  const cached = Math.min(cachedTokens, inputTokens);
  return Math.ceil((inputTokens - cached) * price.input + cached * (price.cachedInput ?? price.input) + outputTokens * price.output);
}
