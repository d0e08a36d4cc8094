import type { ModelMessage, ModelRequest } from '@cadre/agents';
import fc from 'fast-check';
import { RemoteModel } from './remote-model.js';
import { PriceBook } from './prices/price-book.js';

const prices = new PriceBook({
  m: { input: 2, output: 8 },
  'cache-dear': { input: 1, cachedInput: 3, output: 1 },
  'new-2026-01-02': { input: 5, output: 6 },
});
const model = new RemoteModel({ baseUrl: 'http://127.0.0.1:1/v1', defaultModel: 'm', prices });
const ask = (over: Partial<ModelRequest> = {}): ModelRequest => ({
  temperature: 0,
  maxOutputTokens: 100,
  messages: [],
  tools: [],
  ...over,
});
const text = fc.string({ unit: 'binary', maxLength: 200 });
const message: fc.Arbitrary<ModelMessage> = fc.oneof(
  fc.record({ role: fc.constantFrom('system' as const, 'user' as const), text }),
  fc.record({
    role: fc.constant('assistant' as const),
    text,
    toolCalls: fc.array(fc.record({ id: text, name: text, arguments: text }), { maxLength: 3 }),
  }),
  fc.record({ role: fc.constant('tool' as const), toolCallId: text, text }),
);

const bytes = (value: string) => new TextEncoder().encode(value).length;
function sentBytes(messages: ModelMessage[]): number {
  const parts = messages.flatMap((each) => [
    each.text,
    ...(each.role === 'assistant' ? each.toolCalls.flatMap((call) => [call.id, call.name, call.arguments]) : []),
    ...(each.role === 'tool' ? [each.toolCallId] : []),
  ]);
  return parts.reduce((sum, part) => sum + Math.max(bytes(part), bytes(part.normalize('NFC'))), 0);
}

test('bounds the tokens by the bytes of everything that is sent', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 10 }), (messages) => {
      const { maxInputTokens } = model.quote(ask({ messages }));
      return maxInputTokens >= sentBytes(messages) + 3 * messages.length;
    }),
  );
});

test('tools and the schema count as well', () => {
  const tool = { name: 'look', description: 'Looks.'.repeat(50), parameters: { type: 'object' } };
  const responseSchema = { name: 'reply', schema: { description: 'x'.repeat(500) } };
  const [bare, tools, schema] = [ask(), ask({ tools: [tool] }), ask({ responseSchema })].map(
    (request) => model.quote(request).maxInputTokens,
  );
  expect(tools! - bare!).toBeGreaterThan(JSON.stringify(tool).length);
  expect(schema! - bare!).toBeGreaterThan(JSON.stringify(responseSchema).length);
});

test('is a price for the most input and output', () => {
  const quote = model.quote(ask({ messages: [{ role: 'user', text: 'é'.repeat(1000) }] }));
  expect(quote).toMatchObject({ model: 'm', maxOutputTokens: 100, priced: true });
  expect(quote.maxInputTokens).toBeGreaterThan(2000);
  expect(quote.maxCostMicros).toBe(quote.maxInputTokens * 2 + 100 * 8);
  const dear = model.quote(ask({ model: 'cache-dear' }));
  expect(dear.maxCostMicros).toBe(dear.maxInputTokens * 3 + 100);
});

test('a dated name and the name without date have each other’s price; an unknown one has none, which is not zero', () => {
  expect(model.quote(ask({ model: 'm-2026-05-05' }))).toMatchObject({ priced: true });
  expect(model.quote(ask({ model: 'new' }))).toMatchObject({ priced: true });
  expect(model.quote(ask({ model: 'who-knows' }))).toMatchObject({ model: 'who-knows', priced: false, maxCostMicros: 0 });
});
