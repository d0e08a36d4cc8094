import { PriceBook } from './price-book.js';

const NOVEMBER = Date.UTC(2026, 10, 30, 12);
const HOME = 'http://127.0.0.1:11434/v1';
const book = new PriceBook({}, () => NOVEMBER);
const priceOf = (model: string, server = HOME) => book.find(model, server)?.price;

describe('whose name it is', () => {
  test.each(['gpt-4o-mini', 'gpt-4o-2024-08-06', 'gpt-4o-2027-01-01', 'openai/gpt-5', 'o3', 'claude-sonnet-4-5-20250929'])(
    'a model that only its vendor has: %s, behind any server',
    (model) => expect(book.find(model, HOME)).toMatchObject({ date: '2026-09-23', source: expect.stringContaining('published by') }),
  );

  test.each([
    ...['llama3.3', 'llama3.3:70b', 'gpt-oss:20b', 'gpt-oss-20b', 'openai/gpt-oss-20b', 'mistral', 'mistral-large', 'command-r', 'kimi-k2'],
    ...['deepseek-chat', 'deepseek-r1:8b', 'qwen2.5-coder:32b', 'phi4', 'gemma3', 'google/gemma-3-27b-it', 'o1-open', 'constructor', ''],
    ...['gpt-4o-huge', 'gpt-4o-mini-distilled', 'claude-sonnet-4-5-distill', 'my/gpt-4o', 'mygpt-4o', 'gpt-4-x-vicuna'],
  ])('at home nothing is concluded from the name %j', (model) => expect(priceOf(model)).toBeUndefined());

  test('at a provider its own list holds', () => {
    expect(priceOf('deepseek-chat', 'https://api.deepseek.com')).toBeDefined();
    expect(priceOf('openai/gpt-oss-20b', 'https://openrouter.ai/api/v1')).toBeDefined();
    expect(priceOf('mistral-large-latest', 'https://api.mistral.ai/v1')).toBeDefined();
    expect(priceOf('llama3.3', 'https://api.openai.com/v1')).toBeUndefined();
  });

  test('the built-in model has a notional price', () => {
    expect(book.find('cadre-sim-1', HOME)).toMatchObject({
      price: { input: 0.1, output: 0.4 },
      source: expect.stringContaining('notional'),
    });
  });
});

test('all that is known is listed: what the operator has set, and what is published for the server', () => {
  const own = new PriceBook({ mine: { input: 0, output: 0 }, 'gpt-4o': { input: 1, output: 1 } }, () => NOVEMBER);
  const names = (server?: string) => own.list(server).map(({ listedAs }) => listedAs);
  expect(names()).toEqual(expect.arrayContaining(['mine', 'cadre-sim-1', 'gpt-5', 'claude-sonnet-4-5', 'gemini-2.5-pro']));
  expect(own.list().filter(({ listedAs }) => listedAs === 'gpt-4o')).toMatchObject([{ source: 'CADRE_PRICES' }]);
  expect(names('https://api.deepseek.com')).toEqual(expect.arrayContaining(['mine', 'deepseek-chat']));
  expect(names('https://api.deepseek.com')).not.toContain('gpt-5');
});

test('an own price without date is the dearest of the dated ones', () => {
  const own = new PriceBook({
    'a-2026-01-01': { input: 1, output: 9 },
    'a-20260601': { input: 2, cachedInput: 1, output: 3 },
    'a-b-2026-01-01': { input: 99, output: 99 },
  });
  expect(own.find('a')).toMatchObject({ listedAs: 'a-2026-01-01', source: 'CADRE_PRICES' });
  expect(own.find('a-2026-09-09')).toBeUndefined();
});

describe('prices change', () => {
  test('with the length of the prompt', () => {
    const tiers = priceOf('gpt-5.4')?.tiers;
    expect(tiers).toEqual([{ above: 271_999, input: 5, cachedInput: 0.5, output: 22.5 }]);
    const cost = (inputTokens: number) => book.bill({ asked: 'gpt-5.4', server: HOME }, { inputTokens, outputTokens: 1000 }).costMicros;
    expect([cost(271_999), cost(272_000)]).toEqual([271_999 * 2.5 + 15_000, 272_000 * 5 + 22_500].map(Math.ceil));
  });

  test('with the date, and the hour of the day: the estimate is for the dearest that may come', () => {
    const at = (now: number) => new PriceBook({}, () => now);
    expect(at(Date.UTC(2025, 4, 1)).find('o3')?.price.input).toBe(10);
    expect(at(Date.UTC(2025, 6, 1)).find('o3')?.price.input).toBe(2);
    const server = 'https://api.deepseek.com';
    const [cheap, dear] = [Date.UTC(2026, 0, 1, 0, 10), Date.UTC(2026, 0, 1, 3)].map((now) => at(now).find('deepseek-chat', server)!.price);
    expect(cheap!.input).toBeLessThan(dear!.input);
    const quote = at(Date.UTC(2026, 0, 1, 0, 10)).quote('deepseek-chat', server, { maxInputTokens: 1_000_000, maxOutputTokens: 0 });
    expect(quote.maxCostMicros).toBe(Math.ceil(dear!.input * 1_000_000));
  });

  test('with the service tier that the server says it has used; the next estimate knows the dearer one', () => {
    const own = new PriceBook({}, () => NOVEMBER);
    const call = { asked: 'gpt-5', server: 'https://api.openai.com/v1' };
    const usage = { inputTokens: 1000, outputTokens: 100 };
    const cost = (tier?: string) => own.bill(call, usage, tier).costMicros;
    const quote = () => own.quote('gpt-5', call.server, { maxInputTokens: 1000, maxOutputTokens: 100 }).maxCostMicros;
    expect([cost(), cost('default'), cost('flex'), cost('batch'), cost('constructor')]).toEqual([2250, 2250, 1125, 1125, 2250]);
    expect(quote()).toBe(2250);
    expect(cost('priority')).toBe(4500);
    expect(quote()).toBe(4500);
  });
});

test('another model that answers is billed by its own price; one that nobody knows by that of the one asked; a refusal has no bill', () => {
  const usage = { inputTokens: 1_000_000, outputTokens: 0 };
  const bill = (answered?: string, asked = 'gpt-4o-mini') => book.bill({ asked, answered, server: HOME }, usage);
  expect(bill()).toEqual({ costMicros: 150_000, priced: true });
  expect(bill('gpt-4o')).toEqual({ costMicros: 2_500_000, priced: true });
  expect(bill('/models/some.gguf')).toEqual({ costMicros: 150_000, priced: true });
  expect(bill('llama3.3', 'llama3.3')).toEqual({ costMicros: 0, priced: false });
});
