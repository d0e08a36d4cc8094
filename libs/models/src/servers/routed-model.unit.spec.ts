import { ScriptedModel } from '@cadre/agents/testing';
import type { ScriptedTurn } from '@cadre/agents/testing';
import type { ModelRequest } from '@cadre/agents';
import { CadreError } from '@cadre/contracts';
import { RoutedModel } from './routed-model.js';
import type { Route, RoutedTarget } from './routed-model.js';

const signal = new AbortController().signal;
const request: ModelRequest = { model: 'smart', temperature: 0, maxOutputTokens: 100, messages: [{ role: 'user', text: 'Hi' }], tools: [] };
const refused = (code: string, billed: 'no' | 'unknown' = 'no') => new CadreError(code, code, { retriable: true, billed });

class PricedModel extends ScriptedModel {
  constructor(
    turns: ScriptedTurn[],
    private readonly maxCostMicros: number,
    private readonly priced = true,
  ) {
    super(turns);
  }

  override quote(asked: ModelRequest) {
    return { ...super.quote(asked), maxCostMicros: this.maxCostMicros, priced: this.priced };
  }
}

function target(name: string, turns: ScriptedTurn[], more: Partial<RoutedTarget> & { cost?: number; priced?: boolean } = {}) {
  const { cost = 10, priced = true, ...rest } = more;
  const port = new PricedModel(turns, cost, priced);
  return { name, model: `${name}-model`, weight: 1, ...rest, port };
}

function routed(policy: Route['policy'], targets: ReturnType<typeof target>[]) {
  const fallbacks: string[] = [];
  let clock = 0;
  let drawn = 1;
  const model = new RoutedModel({
    routeOf: (name) => (name === 'smart' ? { policy, targets } : undefined),
    names: () => ['smart'],
    defaultModel: () => 'smart',
    random: () => (drawn = (drawn * 48_271) % 2_147_483_647) / 2_147_483_647,
    now: () => clock,
    onFallback: ({ from, to, error }) => fallbacks.push(`${from} > ${to}: ${error.code}`),
  });
  return { model, fallbacks, pass: (ms: number) => (clock += ms), asked: () => targets.map(({ port }) => port.requests.length) };
}

test('the first target answers, under its own name for the model', async () => {
  const first = target('a', [{ text: 'one' }]);
  const { model, asked } = routed('order', [first, target('b', [])]);
  expect((await model.complete(request, signal)).text).toBe('one');
  expect([first.port.requests[0]?.model, asked()]).toEqual(['a-model', [1, 0]]);
});

test.each([
  'model-unavailable',
  'model-loading',
  'model-rate-limited',
  'model-quota-exhausted',
  'model-not-found',
  'model-context-exceeded',
])('after %s that cost nothing the next one is asked within the same call', async (code) => {
  const { model, fallbacks } = routed('order', [target('a', [refused(code)]), target('b', [{ text: 'two' }])]);
  expect((await model.complete(request, signal)).text).toBe('two');
  expect(fallbacks).toEqual([`a > b: ${code}`]);
});

test('what may have been billed ends the call; the next call prefers another target for a while', async () => {
  const targets = [target('a', [refused('model-timeout', 'unknown'), { text: 'later' }]), target('b', [{ text: 'two' }])];
  const { model, asked, pass } = routed('order', targets);
  await expect(model.complete(request, signal)).rejects.toMatchObject({ code: 'model-timeout' });
  expect(asked()).toEqual([1, 0]);
  expect((await model.complete(request, signal)).text).toBe('two');
  pass(31_000);
  expect((await model.complete(request, signal)).text).toBe('later');
});

test('once a target has said something no other one is asked', async () => {
  const speaks: ScriptedTurn = (asked) => {
    asked.onDelta?.({ text: 'I be' });
    throw refused('model-unavailable');
  };
  // The script copies what it was asked, functions left out, so the delta has to come from the call itself.
  const first = target('a', []);
  first.port.complete = async (asked) => (speaks as (request: ModelRequest) => never)(asked);
  const { model, asked } = routed('order', [first, target('b', [{ text: 'two' }])]);
  const heard: unknown[] = [];
  await expect(model.complete({ ...request, onDelta: (delta) => heard.push(delta) }, signal)).rejects.toMatchObject({
    code: 'model-unavailable',
  });
  expect([heard, asked()[1]]).toEqual([[{ text: 'I be' }], 0]);
});

test.each(['model-refused', 'model-rejected'])('%s is the answer: no other target is asked', async (code) => {
  const { model, asked } = routed('order', [target('a', [refused(code)]), target('b', [{}])]);
  await expect(model.complete(request, signal)).rejects.toMatchObject({ code });
  expect(asked()).toEqual([1, 0]);
});

test('the last error is told when no target is left', async () => {
  const { model } = routed('order', [target('a', [refused('model-not-found')]), target('b', [refused('model-loading')])]);
  await expect(model.complete(request, signal)).rejects.toMatchObject({ code: 'model-loading' });
});

test('the cheapest whose window fits is first; one without a price comes last', async () => {
  const targets = [
    target('unpriced', [], { priced: false, cost: 0 }),
    target('dear', [{ text: 'dear' }], { cost: 90 }),
    target('small', [], { cost: 1, contextTokens: 110 }),
    target('cheap', [{ text: 'cheap' }], { cost: 20 }),
  ];
  const { model } = routed('cheapest', targets);
  expect((await model.complete({ ...request, messages: [{ role: 'user', text: 'x'.repeat(1000) }] }, signal)).text).toBe('cheap');
});

test.each(['order', 'weighted', 'cheapest'] as const)(
  '%s: a target without its key does not keep the others from answering',
  async (policy) => {
    const keyless = target('keyless', [], { cost: 1 });
    keyless.port.quote = () => {
      throw refused('model-key-missing');
    };
    keyless.port.complete = () => Promise.reject(refused('model-key-missing'));
    const { model } = routed(policy, [keyless, target('other', [{ text: 'other' }])]);
    expect(model.quote(request)).toMatchObject({ maxCostMicros: 10 });
    expect((await model.complete(request, signal)).text).toBe('other');
  },
);

test('a conversation stays with the target that gave its last turn', async () => {
  const targets = [
    target('a', []),
    target('b', [
      { from: 'b/one', text: '1' },
      { from: 'b/one', text: '2' },
    ]),
  ];
  const { model } = routed('weighted', [
    { ...targets[0]!, weight: 0.0001 },
    { ...targets[1]!, weight: 1000 },
  ]);
  await model.complete(request, signal);
  const later: ModelRequest = {
    ...request,
    messages: [...request.messages, { role: 'assistant', text: '1', toolCalls: [], from: 'b/one' }],
  };
  const { text } = await model.complete(later, signal);
  expect(text).toBe('2');
});

test('weights are kept over many calls', async () => {
  const many = Array.from({ length: 400 }, () => ({ text: 'x' }));
  const targets = [target('a', many, { weight: 3 }), target('b', many, { weight: 1 })];
  const { model, asked } = routed('weighted', targets);
  for (let call = 0; call < 400; call += 1) await model.complete(request, signal);
  const [a = 0, b = 0] = asked();
  expect(a + b).toBe(400);
  expect(a).toBeGreaterThan(260);
  expect(a).toBeLessThan(340);
});

test('the quote is that of the dearest target, and unpriced as soon as one is', () => {
  const { model } = routed('order', [target('a', [], { cost: 5 }), target('b', [], { cost: 70 })]);
  // A target that names no least is made whole, or not at all.
  expect(model.quote(request)).toMatchObject({ model: 'smart', maxCostMicros: 70, minCostMicros: 70, priced: true });
  expect(routed('order', [target('a', []), target('b', [], { priced: false })]).model.quote(request).priced).toBe(false);
});

test('a name that is not in the file is refused with those that are', () => {
  const { model } = routed('order', [target('a', [])]);
  expect(() => model.quote({ ...request, model: 'clever' })).toThrow('There is no model clever in the models file; there are: smart.');
});
