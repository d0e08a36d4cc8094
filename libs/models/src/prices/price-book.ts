/** Knows what models cost: what the operator has set, then what is published. */
import { costMicros, maxCostMicros, serviceFactor } from './price.js';
import type { Price, PriceTable, TokenUsage } from './price.js';
import { PUBLISHED, publishedPrice, publishedPrices } from './published-prices.js';
import type { PublishedPrice } from './published-prices.js';

export interface KnownPrice {
  price: Price;
  /** The name that it is listed under. */
  listedAs: string;
  /** For people: where it comes from. */
  source: string;
  /** As of when, `2026-09-23`; left out for what the operator has set. */
  date?: string;
}

/** Notional, so that the accounting of the built-in model has something to count. */
const BUILT_IN: PriceTable = { 'cadre-sim-1': { input: 0.1, output: 0.4 } };

const RELEASE_DATE = /-(\d{4}-\d{2}-\d{2}|\d{8})$/;
/** Longest time from the estimate of a call to its bill: prices of the hours between count for the estimate. */
const CALL_MS = 3_600_000;
/** With fewer tokens a model can neither call a tool nor answer. */
const LEAST_OUTPUT_TOKENS = 256;
/** How long a published price is looked up once. */
const LOOK_UP_MS = 60_000;
const MAX_LOOKED_UP = 1000;

interface Quote {
  maxCostMicros: number;
  minCostMicros?: number;
  priced: boolean;
}

export class PriceBook {
  private readonly published = new Map<string, ReturnType<typeof publishedPrice>>();
  /** Dearest service tier that a server has billed a model by: the next estimate counts with it. */
  private readonly factors = new Map<string, number>();

  /** @param own what the operator has set; goes before all else */
  constructor(
    readonly own: PriceTable = {},
    private readonly now: () => number = Date.now,
  ) {}

  /** Undefined: not known. @param server the base URL of the server that is asked for it */
  find(model: string, server?: string): KnownPrice | undefined {
    return this.findAt(model, server, this.now());
  }

  /** All that are known, the operator's first. @param server the base URL of the server whose models are asked for */
  list(server?: string): KnownPrice[] {
    const names = [...Object.keys(this.own), ...Object.keys(BUILT_IN)];
    const known = [...new Set(names)].flatMap((name) => this.find(name, server) ?? []);
    const seen = new Set(known.map(({ listedAs }) => listedAs));
    return [
      ...known,
      ...publishedPrices(server, this.now())
        .filter(({ listedAs }) => !seen.has(listedAs))
        .map(sourced),
    ];
  }

  /** The most that a call can cost, whatever the server counts within these bounds; and with the fewest output tokens that are of use. */
  quote(model: string, server: string, most: { maxInputTokens: number; maxOutputTokens: number }): Quote {
    const now = this.now();
    const prices = [now, now + CALL_MS].flatMap((at) => this.findAt(model, server, at)?.price ?? []);
    if (prices.length === 0) return { maxCostMicros: 0, priced: false };
    const factor = this.factors.get(`${server} ${model}`);
    const costOf = (maxOutputTokens: number) =>
      Math.max(...prices.map((price) => maxCostMicros(price, { ...most, maxOutputTokens }, factor)));
    const least = Math.min(LEAST_OUTPUT_TOKENS, most.maxOutputTokens);
    return { maxCostMicros: costOf(most.maxOutputTokens), minCostMicros: costOf(least), priced: true };
  }

  /**
   * What a call has cost: by the price of the model that answered, or else of the one that was asked; what the operator has set for either
   * goes before what is published.
   * @param serviceTier as the server names it in its reply
   */
  bill(
    { asked, answered = asked, server }: { asked: string; answered?: string | undefined; server: string },
    usage: TokenUsage,
    serviceTier?: string,
  ): { costMicros: number; priced: boolean } {
    const own = ownPrice(this.own, answered) ?? ownPrice(this.own, asked);
    const known = own ?? this.find(answered, server) ?? this.find(asked, server);
    if (!known) return { costMicros: 0, priced: false };
    const factor = serviceFactor(known.price, serviceTier);
    const id = `${server} ${asked}`;
    if (factor > (this.factors.get(id) ?? 1)) this.factors.set(id, factor);
    return { costMicros: costMicros(known.price, usage, factor), priced: true };
  }

  private findAt(model: string, server: string | undefined, at: number): KnownPrice | undefined {
    const own = ownPrice(this.own, model);
    if (own) return { ...own, source: 'CADRE_PRICES' };
    const builtIn = ownPrice(BUILT_IN, model);
    if (builtIn) return { ...builtIn, source: 'notional, of the built-in model' };
    const known = this.publishedAt(model, server, at) ?? this.publishedAt(dateless(model), server, at);
    return known && sourced(known);
  }

  private publishedAt(model: string, server: string | undefined, at: number): ReturnType<typeof publishedPrice> {
    const minute = Math.floor(at / LOOK_UP_MS);
    const id = `${minute} ${server} ${model}`;
    if (this.published.has(id)) return this.published.get(id);
    if (this.published.size >= MAX_LOOKED_UP) this.published.clear();
    const found = publishedPrice(model, server, minute * LOOK_UP_MS);
    this.published.set(id, found);
    return found;
  }
}

function sourced({ price, listedAs, provider }: PublishedPrice): KnownPrice {
  return { price, listedAs, source: `published by ${provider} (${PUBLISHED.name} ${PUBLISHED.version})`, date: PUBLISHED.date };
}

const dateless = (model: string): string => model.replace(RELEASE_DATE, '');

/**
 * A server may add a release date to the name asked for (`gpt-4o-2024-08-06`): a dated name has the price of the name without date, and a
 * name without date the dearest of its dated ones, if they have no price of their own.
 */
function ownPrice(table: PriceTable, model: string): Pick<KnownPrice, 'price' | 'listedAs'> | undefined {
  const listedAs = [model, dateless(model)].find((name) => Object.hasOwn(table, name));
  if (listedAs !== undefined) return { price: table[listedAs]!, listedAs };
  if (dateless(model) !== model) return undefined;
  const dated = Object.keys(table).filter((name) => name !== model && dateless(name) === model);
  const costOf = (name: string) => maxCostMicros(table[name]!, { maxInputTokens: 1_000_000, maxOutputTokens: 1_000_000 });
  const [dearest] = dated.sort((a, b) => costOf(b) - costOf(a));
  return dearest === undefined ? undefined : { price: table[dearest]!, listedAs: dearest };
}
