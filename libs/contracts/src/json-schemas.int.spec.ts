/** The committed JSON Schemas are those of the sources, cover every message, and agree with what the zod schemas accept. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import { CATALOGUE, PARTS } from './catalogue.js';
import * as contracts from './index.js';
import { jsonSchemaIndex, jsonSchemas } from './json-schemas.js';
import { valuesOfSchema } from './testing/values-of-schema.js';

const folder = join(import.meta.dirname, '../../../docs/schemas');
const documents = jsonSchemas();

test('the committed files are up to date (if not: npm run schemas)', () => {
  const expected: Record<string, string> = { 'README.md': jsonSchemaIndex(documents) };
  for (const { file, schema } of documents) expected[file] = `${JSON.stringify(schema, null, 2)}\n`;
  const stale = Object.keys(expected).filter((file) => read(file) !== expected[file]);
  expect(stale).toEqual([]);
  expect(readdirSync(folder).sort()).toEqual(Object.keys(expected).sort());
});

function read(file: string): string | undefined {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch {
    return undefined;
  }
}

test('every schema of the library is exported as a message or named as a part', () => {
  const listed = new Set<unknown>([...CATALOGUE.map(({ schema }) => schema), ...Object.values(PARTS)]);
  const missing = Object.entries(contracts).filter(([, value]) => value instanceof z.ZodType && !listed.has(value));
  expect(missing.map(([name]) => name)).toEqual([]);
});

test('every document has an id, a title and a description, and refers only to itself', () => {
  const ids = documents.map(({ schema }) => schema['$id']);
  expect(new Set(ids).size).toBe(documents.length);
  expect(new Set(documents.map(({ file }) => file)).size).toBe(documents.length);
  for (const { name, schema } of documents) {
    expect(schema).toMatchObject({ $schema: expect.stringContaining('2020-12'), $id: `urn:cadre:schema:${name}`, title: name });
    expect(String(schema['description'])).toMatch(/\S{2,}.*[.?!]$/);
    const defined = Object.keys((schema['$defs'] ?? {}) as object);
    const references = [...JSON.stringify(schema).matchAll(/"\$ref":"([^"]*)"/g)].map(([, target]) => target!.replace('#/$defs/', ''));
    expect(references.filter((target) => !defined.includes(target))).toEqual([]);
    expect(defined.filter((part) => part.startsWith('__'))).toEqual([]);
  }
});

test('recursive values refer to themselves', () => {
  const plan = documents.find(({ name }) => name === 'Plan')!.schema;
  const json = (plan['$defs'] as Record<string, unknown>)['Json'];
  expect(JSON.stringify(json)).toContain('"items":{"$ref":"#/$defs/Json"}');
});

test('limits that limit nothing are no limits, for the JSON Schema as for zod', () => {
  const ask = documents.find(({ name }) => name === 'GovernorAsk')!.schema;
  expect((ask['$defs'] as Record<string, unknown>)['ModelLimits']).toMatchObject({ minProperties: 1 });
  expect(contracts.ModelLimits.safeParse({}).success).toBe(false);
  expect(contracts.ModelLimits.safeParse({ concurrent: 1 }).success).toBe(true);
});

describe.each(CATALOGUE.map((entry) => [entry.name, entry.schema] as const))('%s', (name, schema) => {
  const values = valuesOfSchema(documents.find((document) => document.name === name)!.schema);

  test('what the JSON Schema allows is accepted, and comes back the same over the wire', () => {
    fc.assert(
      fc.property(values, (value) => {
        const once = schema.parse(value);
        const wire: unknown = JSON.parse(JSON.stringify(once));
        expect(schema.parse(wire)).toEqual(once);
      }),
      { numRuns: 20 },
    );
  });
});
