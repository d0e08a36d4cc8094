/**
 * Prices that providers have published, as a kept library has collected them. Its data is part of the release; nothing is fetched.
 *
 * Whether a name has a published price depends on the server. At a provider's own address the library's rules for its names hold. At any
 * other address (a proxy, or a server of one's own) only names that are surely a vendor's have one: models of which nobody else has the
 * weights, by their exact name. `llama3.3` or `gpt-oss:20b` at home costs nothing like what somebody takes for hosting it, so its price is
 * not known.
 */
import { calcPrice, findProvider } from '@pydantic/genai-prices';
import type { MatchLogic, ModelPrice, TieredPrices } from '@pydantic/genai-prices';
import type { Price } from './price.js';

/** What the prices come from; a test holds it to the package that is installed. */
export const PUBLISHED = { name: '@pydantic/genai-prices', version: '0.1.8', date: '2026-09-23' } as const;

export interface PublishedPrice {
  price: Price;
  provider: string;
  /** The name that the price is listed under. */
  listedAs: string;
}

/** Vendors whose models nobody else may serve: their names, and how proxies mark them. */
const VENDORS: Readonly<Record<string, { names: RegExp; prefixes: readonly string[] }>> = {
  openai: { names: /^(gpt-(?!oss)|chatgpt-|o\d(-|$))/, prefixes: ['openai'] },
  anthropic: { names: /^claude-/, prefixes: ['anthropic'] },
  google: { names: /^gemini-/, prefixes: ['google', 'gemini'] },
};
/** What may follow a name without making it another model: dates, versions, `latest`. */
const RELEASE = /^([-@:.](\d[\d-]*|latest|preview|v\d+))*$/;
/** OpenAI bills by the tier that it says it has used: half for flex and batch, at most twice for priority (its price list of 2026). */
const SERVICE_TIERS: Readonly<Record<string, Record<string, number>>> = { openai: { flex: 0.5, batch: 0.5, priority: 2 } };

/** @param server its base URL @param at milliseconds since 1970: prices change with time, some with the time of day */
export function publishedPrice(model: string, server: string | undefined, at: number): PublishedPrice | undefined {
  const host = server === undefined ? undefined : findProvider({ providerApiUrl: server });
  if (host) return listed(host.id, model, at)?.found;
  for (const [vendor, { names, prefixes }] of Object.entries(VENDORS)) {
    const slash = model.indexOf('/');
    if (slash >= 0 && !prefixes.includes(model.slice(0, slash))) continue;
    const name = model.slice(slash + 1);
    if (!names.test(name)) continue;
    const known = listed(vendor, name, at);
    if (known && isNamed(name, known.match)) return known.found;
  }
  return undefined;
}

/** All that are listed for the server's provider; at any other address those of the vendors whose names are known everywhere. */
export function publishedPrices(server: string | undefined, at: number): PublishedPrice[] {
  const host = server === undefined ? undefined : findProvider({ providerApiUrl: server });
  const providers = host ? [host.id] : Object.keys(VENDORS);
  return providers.flatMap((provider) => {
    const names = findProvider({ providerId: provider })?.models.map(({ id }) => id) ?? [];
    return names.flatMap((name) => publishedPrice(name, host && server, at) ?? []);
  });
}

function listed(provider: string, model: string, at: number): { found: PublishedPrice; match: MatchLogic } | undefined {
  const result = calcPrice({}, model, { providerId: provider, timestamp: new Date(at) });
  const price = result && priceFrom(result.model_price, result.provider.id);
  if (!result || !price) return undefined;
  return { found: { price, provider: result.provider.id, listedAs: result.model.id }, match: result.model.match };
}

/** The library also takes parts of names; here only a whole one counts. */
function isNamed(name: string, match: MatchLogic): boolean {
  if ('or' in match) return match.or.some((each) => isNamed(name, each));
  if ('and' in match) return match.and.some((each) => isNamed(name, each));
  const known = 'equals' in match ? match.equals : 'starts_with' in match ? match.starts_with : undefined;
  return known !== undefined && name.toLowerCase().startsWith(known.toLowerCase()) && RELEASE.test(name.slice(known.length));
}

const RATES = {
  ...{ input: 'input_mtok', output: 'output_mtok', cachedInput: 'cache_read_mtok', cacheWrite: 'cache_write_mtok' },
  reasoning: 'output_reasoning_mtok',
} as const;

/** Undefined where a call may cost what is not counted here. */
function priceFrom(prices: ModelPrice, provider: string): Price | undefined {
  if (prices['output_citation_mtok'] !== undefined) return undefined;
  const base = ratesAbove(prices, -1);
  if (!base) return undefined;
  const starts = new Set(Object.values(RATES).flatMap((key) => tiersOf(prices[key]).map(({ start }) => start)));
  const tiers = [...starts].sort((a, b) => a - b).flatMap((above) => ({ above, ...(ratesAbove(prices, above) ?? base) }));
  const request = rateAbove(prices['requests_kcount'], -1);
  return {
    ...base,
    ...(tiers.length > 0 && { tiers }),
    ...(request !== undefined && { request }),
    ...(SERVICE_TIERS[provider] && { serviceTiers: SERVICE_TIERS[provider] }),
  };
}

type ListedRate = number | TieredPrices | undefined;

const tiersOf = (rate: ListedRate) => (typeof rate === 'object' ? rate.tiers : []);

/** What it is for prompts of more than `above` tokens. */
function rateAbove(rate: ListedRate, above: number): number | undefined {
  if (typeof rate !== 'object') return rate;
  let [found, from] = [rate.base, -1];
  for (const { start, price } of rate.tiers) if (start <= above && start > from) [found, from] = [price, start];
  return found;
}

function ratesAbove(prices: ModelPrice, above: number): Omit<Price, 'tiers' | 'request' | 'serviceTiers'> | undefined {
  const entries = Object.entries(RATES).flatMap(([name, key]) => {
    const rate = rateAbove(prices[key], above);
    return rate === undefined ? [] : [[name, rate] as const];
  });
  const { input, output, ...rest } = Object.fromEntries(entries) as Record<string, number>;
  return input === undefined || output === undefined ? undefined : { input, output, ...rest };
}
