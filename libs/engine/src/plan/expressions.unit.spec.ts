import { evaluateCondition } from './expressions.js';

const results = {
  a: { status: 'completed', confidence: 1, answer: 'warm' },
  b: { status: 'failed', confidence: 0, answer: '' },
  constructor: { status: 'completed', confidence: 0.5, answer: '' },
};
const value = (expression: string) => evaluateCondition(expression, () => ({ goal: 'g', results }));

test.each<[string, boolean]>([
  ['true', true],
  ['results.a.confidence == 1', true],
  ['results.a.confidence >= 1 && results.b.confidence < 0.1', true],
  ['results.constructor.confidence == 0.5', true],
  ['results.a.status in ["completed", "skipped"]', true],
  ['results.exists(id, results[id].status == "failed")', true],
  ['size(results.filter(id, results[id].confidence > 0.2)) == 2', true],
  ['results.a.answer.startsWith("cold")', false],
  ['has(results.zzz)', false],
])('%s is %s', (expression, expected) => {
  expect(value(expression)).toEqual({ ok: true, value: expected });
});

test.each([
  ['results.zzz.status == "x"', 'No such key: zzz'],
  ['results.a.toString == "x"', 'No such key: toString'],
  ['results.a.status', 'it is neither true nor false'],
  ['1 / int(results.b.confidence) == 1', 'division by zero'],
  ['results.a.answer > 3', 'no such overload'],
  ['oops(', 'Unexpected'],
])('%s fails', (expression, message) => {
  expect(value(expression)).toEqual({ ok: false, message: expect.stringContaining(message) });
});

test('only what is written out is asked for, or everything when names are computed', () => {
  const asked: unknown[] = [];
  const look = (expression: string) => evaluateCondition(expression, (names) => (asked.push(names), { goal: '', results }));
  look('results.a.confidence > 0.1 && results["b"].confidence == 0');
  look('goal == ""');
  look('results.a.confidence > 0.1 && size(results) > 1');
  expect(asked).toEqual([['a', 'b'], [], undefined]);
});
