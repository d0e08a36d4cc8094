import fc from 'fast-check';
import { Price, costMicros, maxCostMicros, partsOf, serviceFactor } from './price.js';
import type { TokenUsage } from './price.js';
import { PriceBook } from './price-book.js';

test('a cost is rounded up; what came from the cache costs less, what went into it more', () => {
  const usage = { inputTokens: 1000, outputTokens: 100 };
  expect(costMicros({ input: 2, output: 8 }, usage)).toBe(2800);
  expect(costMicros({ input: 2, cachedInput: 0.5, output: 8 }, { ...usage, cachedInputTokens: 800 })).toBe(1600);
  expect(
    costMicros({ input: 2, cachedInput: 0.5, cacheWrite: 2.5, output: 8 }, { ...usage, cachedInputTokens: 400, cacheWriteTokens: 600 }),
  ).toBe(2500);
  expect(costMicros({ input: 2, output: 8, reasoning: 3 }, { ...usage, reasoningTokens: 60 })).toBe(2500);
  expect(costMicros({ input: 0.1, output: 0.4 }, { inputTokens: 1, outputTokens: 0 })).toBe(1);
  expect(costMicros({ input: 0.1, output: 0.3, request: 5 }, { inputTokens: 10, outputTokens: 10 })).toBe(5004);
});

test('fractions that add up to a whole stay whole', () => {
  for (let n = 1; n < 2000; n += 1)
    expect(costMicros({ input: 0.1, output: 0.2 }, { inputTokens: 10 * n, outputTokens: 5 * n })).toBe(2 * n);
});

test('the dearest that the prompt can reach is what a call can cost at most', () => {
  const price = {
    input: 1,
    output: 2,
    tiers: [
      { above: 5000, input: 9, output: 9 },
      { above: 100, input: 3, cacheWrite: 4, output: 1 },
    ],
  };
  expect(maxCostMicros(price, { maxInputTokens: 100, maxOutputTokens: 10 })).toBe(120);
  expect(maxCostMicros(price, { maxInputTokens: 101, maxOutputTokens: 10 })).toBe(414);
  expect(maxCostMicros(price, { maxInputTokens: 6000, maxOutputTokens: 10 })).toBe(54_090);
});

const rate = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1000, noNaN: true }), fc.double({ min: 0, max: 1_000_000, noNaN: true }));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const rates = { input: rate, output: rate, cachedInput: maybe(rate), cacheWrite: maybe(rate), reasoning: maybe(rate) };
const price = fc
  .record({
    ...rates,
    tiers: maybe(fc.array(fc.record({ above: fc.nat(400_000), ...rates }), { maxLength: 4 })),
    request: maybe(rate),
    serviceTiers: maybe(
      fc.dictionary(fc.constantFrom('flex', 'priority', 'batch', '__proto__'), fc.double({ min: 0, max: 4, noNaN: true })),
    ),
  })
  .map((each) => Price.parse(JSON.parse(JSON.stringify(each))));
/** What comes off a wire where a count should be. */
const wild = fc.oneof(
  fc.nat(500_000),
  fc.double(),
  fc.integer(),
  fc.constantFrom(undefined, null, 'NaN', '12', -1, 0.4, 1e300, Number.MAX_SAFE_INTEGER, NaN, Infinity, -Infinity, {}, []),
) as fc.Arbitrary<number | undefined>;
const usage = fc.record({
  ...{ inputTokens: wild, cachedInputTokens: wild, cacheWriteTokens: wild, outputTokens: wild, reasoningTokens: wild },
}) as fc.Arbitrary<TokenUsage>;
const tier = fc.constantFrom(undefined, 'flex', 'priority', 'batch', 'other', 'constructor', '__proto__');

test('whatever is counted: the cost is a count, no part is more than the whole, and no call within its bounds costs more than was set aside', () => {
  fc.assert(
    fc.property(price, usage, tier, (table, used, named) => {
      const { plain, cached, written, answer, reasoning } = partsOf(used);
      for (const part of [plain, cached, written, answer, reasoning]) expect(part).toBeGreaterThanOrEqual(0);
      const [input, output] = [plain + cached + written, answer + reasoning];
      const factor = serviceFactor(table, named);
      const cost = costMicros(table, used, factor);
      expect(Number.isSafeInteger(cost) && cost >= 0).toBe(true);
      expect(cost).toBeGreaterThanOrEqual(costMicros(table, { inputTokens: 0, outputTokens: 0 }, factor) === 0 ? 0 : 1);
      expect(maxCostMicros(table, { maxInputTokens: input, maxOutputTokens: output }, factor)).toBeGreaterThanOrEqual(cost);
    }),
    { numRuns: 10_000 },
  );
});

test('an estimate holds for whatever a published model may count within it', () => {
  const book = new PriceBook({}, () => Date.UTC(2026, 10, 30));
  const models = ['gpt-4o', 'gpt-5.4', 'gpt-5.6-luna', 'claude-sonnet-4-5', 'gemini-2.5-pro', 'o3'];
  const server = 'http://127.0.0.1/v1';
  fc.assert(
    fc.property(fc.constantFrom(...models), usage, fc.nat(100), (asked, used, more) => {
      const { plain, cached, written, answer, reasoning } = partsOf(used);
      const most = { maxInputTokens: plain + cached + written + more, maxOutputTokens: answer + reasoning + more };
      const quote = book.quote(asked, server, most);
      const bill = book.bill({ asked, server }, used);
      expect(bill.priced && quote.priced).toBe(true);
      expect(bill.costMicros).toBeLessThanOrEqual(quote.maxCostMicros);
    }),
    { numRuns: 10_000 },
  );
});
