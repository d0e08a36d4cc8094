import type { Json } from '@cadre/contracts';
import { dataFaults, schemaFaults } from './payload-schema.js';

const discovery: Record<string, Json> = {
  type: 'object',
  properties: {
    finding: { type: 'string', minLength: 1 },
    confidence: { type: 'number', minimum: 0, maximum: 1 },
    impact: { enum: ['low', 'high'] },
    sources: { type: 'array', items: { type: 'object', required: ['url'] } },
  },
  required: ['finding'],
  additionalProperties: false,
};

test.each<[Json, string]>([
  [{ finding: 'x', confidence: 0.9, impact: 'high' }, ''],
  [{}, 'data.finding: is missing'],
  [{ finding: 'x', mood: 'good' }, 'data.mood: is not known'],
  [{ finding: 'x', confidence: 2 }, 'data.confidence: must be <= 1'],
  [{ finding: 'x', impact: 'huge' }, 'data.impact: must be equal to one of the allowed values'],
  [{ finding: 'x', sources: [{ url: 'u' }, {}] }, 'data.sources.1.url: is missing'],
  ['x', 'data: must be object'],
  [null, 'data: must be object'],
])('%j has the fault "%s"', (data, fault) => {
  expect(dataFaults(discovery, data).map(({ path, message }) => `${path}: ${message}`)).toEqual(fault === '' ? [] : [fault]);
});

test.each<[Record<string, Json>, string]>([
  [discovery, ''],
  [{}, ''],
  [{ anyOf: [{ type: 'string' }, { allOf: [{ type: 'number' }] }] }, ''],
  [{ type: 'strng' }, 'schema: schema is invalid'],
  [{ type: 'object', propertes: {} }, 'schema.propertes: this keyword is not taken'],
  [{ properties: { a: { pattern: '(a+)+$' } } }, 'schema.properties.a.pattern: this keyword is not taken'],
  [{ $ref: '#' }, 'schema.$ref: this keyword is not taken'],
  [{ items: { uniqueItems: true } }, 'schema.items.uniqueItems: this keyword is not taken'],
  [{ oneOf: [{ $ref: 'http://example.org' }] }, 'schema.oneOf.0.$ref: this keyword is not taken'],
  [{ not: { format: 'email' } }, 'schema.not.format: this keyword is not taken'],
  [{ properties: { $ref: { type: 'string' } } }, ''],
  [{ required: 'a' }, 'schema: schema is invalid'],
  [{ allOf: 3 }, 'schema: schema is invalid'],
])('the schema %j has the fault "%s"', (schema, fault) => {
  const found = schemaFaults(schema).map(({ path, message }) => `${path}: ${message}`);
  expect(found).toHaveLength(fault === '' ? 0 : 1);
  if (fault !== '') expect(found[0]).toContain(fault);
});
