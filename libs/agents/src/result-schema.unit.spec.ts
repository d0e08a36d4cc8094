import { checkedAnswer, fitResult } from './result-schema.js';

const schema = { type: 'object', properties: { total: { type: 'number' } }, required: ['total'] };

test.each([
  ['{"total": 3}', '{"total":3}'],
  ['```json\n{"total": 3}\n```', '{"total":3}'],
  ['\n {"total":3, "more": [1]}', '{"total":3,"more":[1]}'],
])('%j fits', (answer, kept) => {
  expect(fitResult(answer, schema)).toEqual({ ok: true, answer: kept });
});

test.each([
  ['The total is 3.', 'The answer is no JSON.'],
  ['{"total": "3"}', '/total has to be number, not string.'],
  ['[]', 'The answer has to be object, not array.'],
])('%j does not, and is told why', (answer, why) => {
  expect(fitResult(answer, schema)).toEqual({ ok: false, why: expect.stringContaining(why) });
});

test('a bare text may be what is asked for', () => {
  expect(fitResult('yes', { enum: ['yes', 'no'] })).toEqual({ ok: true, answer: 'yes' });
  expect(fitResult('"yes"', { enum: ['yes', 'no'] })).toEqual({ ok: true, answer: '"yes"' });
});

test('an answer that is asked for in no form is left as it is', () => {
  expect(checkedAnswer({}, ' {"a": 1} ')).toBe(' {"a": 1} ');
  expect(() => checkedAnswer({ resultSchema: schema }, 'x')).toThrow(expect.objectContaining({ code: 'result-invalid', retriable: false }));
});
