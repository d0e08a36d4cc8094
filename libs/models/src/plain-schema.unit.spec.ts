import fc from 'fast-check';
import { responseSchemaFor } from '@cadre/agents';
import type { Json } from '@cadre/contracts';
import { plainSchema } from './plain-schema.js';
import type { Plainness, Schema } from './plain-schema.js';

const LEVELS: Plainness[] = ['plain', 'plainest'];
/** What some server is known to refuse. */
const REFUSED = [
  '$schema',
  '$ref',
  '$defs',
  'const',
  'default',
  'pattern',
  'patternProperties',
  'propertyNames',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'oneOf',
  'allOf',
  'not',
];

/** Keywords of a schema, names of properties left out. */
function keywords(schema: Json | undefined): [key: string, value: Json][] {
  if (Array.isArray(schema)) return schema.flatMap((each) => keywords(each));
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]): [string, Json][] => {
    const inner =
      key === 'properties' ? Object.values(value as Schema).flatMap((each) => keywords(each)) : key === 'enum' ? [] : keywords(value);
    return [[key, value], ...inner];
  });
}

test.each(LEVELS)("the planner's and the reply's own schemas are %s", (plainness) => {
  for (const kind of ['plan', 'work'] as const) {
    const plain = plainSchema(responseSchemaFor(kind).schema as Schema, plainness);
    const found = keywords(plain);
    expect(found.map(([key]) => key).filter((key) => REFUSED.includes(key))).toEqual([]);
    expect(found.filter(([key, value]) => /^max(Length|Items)$/.test(key) && Number(value) > 1000)).toEqual([]);
    expect(plain['properties']).toHaveProperty(kind === 'plan' ? 'plan' : 'answer');
    expect(JSON.stringify(plain).length).toBeLessThan(60_000);
  }
});

test('bounds that are large go, small ones stay', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      text: { type: 'string', minLength: 1, maxLength: 1_000_000 },
      n: { type: 'integer', minimum: 1, maximum: 9_007_199_254_740_991 },
      few: { type: 'array', items: { type: 'string' }, maxItems: 5 },
    },
    required: ['text', 'gone'],
    additionalProperties: false,
  };
  expect(plainSchema(schema)).toEqual({
    type: 'object',
    properties: {
      text: { type: 'string', minLength: 1 },
      n: { type: 'integer', minimum: 1 },
      few: { type: 'array', items: { type: 'string' }, maxItems: 5 },
    },
    required: ['text'],
    additionalProperties: false,
  });
  expect(plainSchema(schema, 'plainest')).toEqual({
    type: 'object',
    properties: { text: { type: 'string' }, n: { type: 'integer' }, few: { type: 'array', items: { type: 'string' } } },
    required: ['text'],
  });
});

test('a reference is put in its place, recursion ends, a constant is a choice', () => {
  const schema: Schema = {
    type: 'object',
    properties: { tree: { $ref: '#/$defs/node' }, kind: { const: 'a' } },
    $defs: { node: { type: 'object', properties: { of: { type: 'array', items: { $ref: '#/$defs/node' } } } } },
  };
  expect(plainSchema(schema)['properties']).toEqual({
    tree: {
      type: 'object',
      properties: { of: { type: 'array', items: { type: 'object', properties: { of: { type: 'array', items: {} } } } } },
    },
    kind: { type: 'string', enum: ['a'] },
  });
});

test('choices: null aside, of objects, of anything', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      maybe: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      one: {
        oneOf: [
          { type: 'object', properties: { a: { type: 'string' }, t: { const: 1 } }, required: ['t'] },
          { type: 'object', properties: { b: { type: 'number' }, t: { const: 2 } }, required: ['t'] },
        ],
      },
      any: { anyOf: [{ type: 'string' }, { type: 'number' }], description: 'Either.' },
    },
  };
  const plain = plainSchema(schema)['properties'] as Record<string, Schema>;
  expect(plain['maybe']).toEqual({ type: 'string' });
  expect(plain['one']!['anyOf']).toHaveLength(2);
  const plainest = plainSchema(schema, 'plainest')['properties'] as Record<string, Schema>;
  expect(plainest['one']).toEqual({
    type: 'object',
    properties: { a: { type: 'string' }, b: { type: 'number' }, t: { type: 'number' } },
    required: ['t'],
  });
  expect(plainest['any']).toEqual({ description: 'Either.' });
});

test('any schema becomes a plain one', () => {
  const key = fc.constantFrom(
    ...REFUSED,
    'type',
    'properties',
    'items',
    'anyOf',
    'enum',
    'required',
    'additionalProperties',
    'description',
  );
  const schema = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, fc.jsonValue({ maxDepth: 1 }), fc.array(tie('value'), { maxLength: 3 }), tie('schema')),
    schema: fc.dictionary(key, fc.oneof(tie('value'), fc.constantFrom('#', '#/properties/a', 'string', 'object'))),
  })).schema as fc.Arbitrary<Schema>;
  fc.assert(
    fc.property(schema, fc.constantFrom(...LEVELS), (given, plainness) => {
      const plain = plainSchema(structuredClone(given), plainness);
      expect(typeof plain).toBe('object');
      JSON.stringify(plain);
    }),
  );
});
