import fc from 'fast-check';
import { ResultSchema, resultFaults } from './result-schema.js';
import { TaskSpec } from './plan.js';
import type { Json } from './values.js';

const INVOICE = {
  type: 'object',
  properties: {
    total: { type: 'number', minimum: 0 },
    currency: { enum: ['EUR', 'USD'] },
    lines: {
      type: 'array',
      minItems: 1,
      items: { type: 'object', properties: { name: { type: 'string', minLength: 1 } }, required: ['name'] },
    },
    note: { type: ['string', 'null'] },
  },
  required: ['total', 'lines'],
  additionalProperties: false,
};

describe('a schema', () => {
  test.each([
    [{ type: 'text' }, 'resultSchema.type', 'a type is one of'],
    [{ properties: { a: { pattern: 'x' } } }, 'resultSchema.properties.a.pattern', 'pattern is not checked here'],
    [{ items: { $ref: '#' } }, 'resultSchema.items.$ref', 'is not checked here'],
    [{ anyOf: [{ type: 'string' }, { minLength: -1 }] }, 'resultSchema.anyOf.1.minLength', 'whole number'],
    [{ items: [{ type: 'string' }] }, 'resultSchema.items', 'a schema is an object'],
    [{ required: 'a' }, 'resultSchema.required', 'list of names'],
    [{ description: 'x'.repeat(9000) }, 'resultSchema', 'at most 8192'],
  ])('%j is refused with its place', (resultSchema, path, words) => {
    const parsed = TaskSpec.safeParse({ id: 'a', title: 'a', instructions: 'a', resultSchema });
    expect(parsed.error?.issues.map((issue) => [issue.path.join('.'), issue.message])).toEqual([[path, expect.stringContaining(words)]]);
  });

  test('may stand within another one, but not without end', () => {
    const nested = (depth: number): Json => (depth === 1 ? { type: 'string' } : { items: nested(depth - 1) });
    expect(ResultSchema.safeParse(nested(8)).success).toBe(true);
    expect(ResultSchema.safeParse(nested(9)).success).toBe(false);
    expect(ResultSchema.safeParse(nested(500)).success).toBe(false);
  });
});

describe('a value', () => {
  const faults = (value: Json, schema: Json = INVOICE) => resultFaults(ResultSchema.parse(schema), value);

  test('that fits has no fault', () => {
    expect(faults({ total: 3, currency: 'EUR', lines: [{ name: 'a', more: 1 }], note: null })).toEqual([]);
  });

  test('each fault is told with its place', () => {
    expect(faults({ total: -1, currency: 'GBP', lines: [{ name: '' }, {}], note: 3, extra: 1 })).toEqual([
      '/total has to be 0 or more.',
      '/currency has to be one of ["EUR","USD"].',
      '/lines/0/name has 0 characters; at least 1 are needed.',
      '/lines/1 lacks the field name.',
      '/note has to be string or null, not integer.',
      '/extra is not a field that was asked for.',
    ]);
    expect(faults('3')).toEqual(['The answer has to be object, not string.']);
    expect(faults({ lines: [] })).toEqual(['The answer lacks the field total.', '/lines has 0 entries; at least 1 are needed.']);
  });

  test.each([
    [1, { type: 'number' }, 0],
    [1.5, { type: 'integer' }, 1],
    [{ b: 1, a: 2 }, { const: { a: 2, b: 1 } }, 0],
    [5, { exclusiveMaximum: 5 }, 1],
    ['x', { anyOf: [{ type: 'number' }, { maxLength: 1 }] }, 0],
    ['xy', { anyOf: [{ type: 'number' }, { maxLength: 1 }] }, 1],
    [{ a: 'x' }, { additionalProperties: { type: 'number' } }, 1],
    [{ toString: 1 }, { properties: {}, additionalProperties: false }, 1],
    [{}, { required: ['toString'] }, 1],
    ['no object', { required: ['a'] }, 0],
  ])('%j by %j: %i faults', (value, schema, count) => {
    expect(faults(value as Json, schema as Json)).toHaveLength(count);
  });

  test('whatever comes, the check comes to an end and never throws', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => faults(value as Json).length <= 10));
  });
});
