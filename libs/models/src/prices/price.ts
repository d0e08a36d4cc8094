/**
 * What a model costs, and what a call of it comes to. US dollars per million tokens, which is the same as millionths of a dollar per token.
 */
import { z } from 'zod';

const rate = z.number().min(0).max(1_000_000);

const rates = {
  input: rate,
  output: rate,
  /** Input that the server had in its cache, and input that it put there; without them, the price of input. */
  cachedInput: rate.optional(),
  cacheWrite: rate.optional(),
  /** Output that is reasoning; without it, the price of output. */
  reasoning: rate.optional(),
};

export const Price = z.strictObject({
  ...rates,
  /** Prices of the whole call when its prompt has more tokens than `above`. */
  tiers: z
    .array(z.strictObject({ above: z.int().min(0), ...rates }))
    .max(20)
    .optional(),
  /** Of each call, in US dollars per thousand calls. */
  request: rate.optional(),
  /** By service tier, as the server names it in its reply: what all of it costs, times so much. */
  serviceTiers: z.record(z.string(), z.number().min(0).max(1000)).optional(),
});
export type Price = z.infer<typeof Price>;
type Rates = Pick<Price, 'input' | 'output' | 'cachedInput' | 'cacheWrite' | 'reasoning'>;

/** Model name → price. */
export const PriceTable = z.record(z.string().min(1), Price);
export type PriceTable = z.infer<typeof PriceTable>;

/** The tokens of a call in the one form that all servers' counts are brought to. */
export interface TokenUsage {
  /** The whole prompt, and what of it came from the server's cache or went into it. */
  inputTokens: number;
  cachedInputTokens?: number | undefined;
  cacheWriteTokens?: number | undefined;
  /** All that was written, and what of it is reasoning. */
  outputTokens: number;
  reasoningTokens?: number | undefined;
}

/** Of counts and of money: nothing real is as much, and sums of it are still exact. */
const MOST = 1_000_000_000_000_000;
/** What sums of fractions may be too large by. */
const ROUNDING = 1e-12;

function wholeMicros(micros: number): number {
  return Math.min(MOST, Math.ceil(micros - micros * ROUNDING));
}

/** What is no count is none. */
function count(value: number | undefined, most = MOST): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.min(Math.round(value), most) : 0;
}

/** The tokens by what they cost: no part is negative, and together they are the whole. */
export function partsOf(usage: TokenUsage): { plain: number; cached: number; written: number; answer: number; reasoning: number } {
  const input = count(usage.inputTokens);
  const output = count(usage.outputTokens);
  const cached = count(usage.cachedInputTokens, input);
  const written = count(usage.cacheWriteTokens, input - cached);
  const reasoning = count(usage.reasoningTokens, output);
  return { plain: input - cached - written, cached, written, answer: output - reasoning, reasoning };
}

function ratesFor({ tiers = [], ...base }: Price, inputTokens: number): Rates {
  let [found, above]: [Rates, number] = [base, -1];
  for (const tier of tiers) if (inputTokens > tier.above && tier.above > above) [found, above] = [tier, tier.above];
  return found;
}

/** By what a service tier multiplies the price. */
export function serviceFactor({ serviceTiers = {} }: Price, tier: string | undefined): number {
  return tier !== undefined && Object.hasOwn(serviceTiers, tier) ? serviceTiers[tier]! : 1;
}

/** What a call has cost: millionths of a US dollar, rounded up. @param factor of its service tier */
export function costMicros(price: Price, usage: TokenUsage, factor = 1): number {
  const { plain, cached, written, answer, reasoning } = partsOf(usage);
  const { input, output, cachedInput = input, cacheWrite = input, reasoning: thought = output } = ratesFor(price, plain + cached + written);
  const tokens = plain * input + cached * cachedInput + written * cacheWrite + answer * output + reasoning * thought;
  return wholeMicros((tokens + (price.request ?? 0) * 1000) * factor);
}

/**
 * The most that a call with at most so many tokens can cost, however the server counts them. @param factor the dearest that is to be
 * expected
 */
export function maxCostMicros(price: Price, most: { maxInputTokens: number; maxOutputTokens: number }, factor = 1): number {
  const [input, output] = [count(most.maxInputTokens), count(most.maxOutputTokens)];
  const reached = [price, ...(price.tiers ?? []).filter(({ above }) => above < input)];
  const costs = reached.map((rates) => {
    const dearestInput = Math.max(rates.input, rates.cachedInput ?? 0, rates.cacheWrite ?? 0);
    return input * dearestInput + output * Math.max(rates.output, rates.reasoning ?? 0);
  });
  return wholeMicros((Math.max(...costs) + (price.request ?? 0) * 1000) * factor);
}
