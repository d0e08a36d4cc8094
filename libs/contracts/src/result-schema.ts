/**
 * What a task's answer must be: a part of JSON Schema that can be checked anywhere, in bounded time, with a fault for each place. What is
 * not checked is not accepted either, so that nobody relies on it: no references, no patterns, no `oneOf`.
 */
import { z } from 'zod';
import { Json, utf8Bytes } from './values.js';

export const RESULT_SCHEMA_LIMITS = { bytes: 8 * 1024, depth: 8 } as const;

interface SchemaFault {
  path: (string | number)[];
  message: string;
}

const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];
/** Said for people and models; nothing is checked by them. */
const REMARKS = ['$schema', '$id', 'title', 'description', 'examples', 'default', 'format'];
const COUNTS = ['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'];
const BOUNDS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'];
const KNOWN = [
  ...['type', 'enum', 'const', 'properties', 'required', 'additionalProperties', 'items', 'anyOf'],
  ...COUNTS,
  ...BOUNDS,
  ...REMARKS,
];

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: Json): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/** What is wrong with one keyword, without the schemas within it. */
function keywordFault(name: string, value: Json): string | undefined {
  if (!KNOWN.includes(name)) return `${name} is not checked here; possible are ${KNOWN.slice(0, -REMARKS.length).join(', ')}`;
  if (REMARKS.includes(name)) return undefined;
  if (name === 'type') {
    const types = Array.isArray(value) ? value : [value];
    return types.length > 0 && types.every((type) => typeof type === 'string' && TYPES.includes(type))
      ? undefined
      : `a type is one of ${TYPES.join(', ')}`;
  }
  if (name === 'enum') return Array.isArray(value) && value.length > 0 ? undefined : 'enum is a list with at least one value';
  if (name === 'required')
    return Array.isArray(value) && value.every((each) => typeof each === 'string') ? undefined : 'required is a list of names';
  if (name === 'properties') return isObject(value) ? undefined : 'properties is an object of schemas';
  if (name === 'anyOf') return Array.isArray(value) && value.length > 0 ? undefined : 'anyOf is a list of schemas';
  if (COUNTS.includes(name)) return isCount(value) ? undefined : `${name} is a whole number from 0 on`;
  if (BOUNDS.includes(name)) return typeof value === 'number' ? undefined : `${name} is a number`;
  return undefined;
}

/** The schemas within a keyword, with where they stand. */
function inner(name: string, value: Json): [(string | number)[], Json][] {
  if (name === 'properties' && isObject(value)) return Object.entries(value).map(([key, each]) => [[name, key], each]);
  if (name === 'anyOf' && Array.isArray(value)) return value.map((each, index) => [[name, index], each]);
  if (name === 'items') return [[[name], value]];
  return name === 'additionalProperties' && typeof value !== 'boolean' ? [[[name], value]] : [];
}

function schemaFaults(schema: Json, path: (string | number)[], depth: number): SchemaFault[] {
  if (!isObject(schema)) return [{ path, message: 'a schema is an object' }];
  if (depth > RESULT_SCHEMA_LIMITS.depth)
    return [{ path, message: `schemas stand within each other more than ${RESULT_SCHEMA_LIMITS.depth} deep` }];
  return Object.entries(schema).flatMap(([name, value]) => {
    const fault = keywordFault(name, value);
    if (fault !== undefined) return [{ path: [...path, name], message: fault }];
    return inner(name, value).flatMap(([at, each]) => schemaFaults(each, [...path, ...at], depth + 1));
  });
}

export const ResultSchema = z.record(z.string(), Json).superRefine((schema, context) => {
  const bytes = utf8Bytes(JSON.stringify(schema));
  if (bytes > RESULT_SCHEMA_LIMITS.bytes)
    return context.addIssue({
      code: 'custom',
      message: `the schema takes ${bytes} bytes; at most ${RESULT_SCHEMA_LIMITS.bytes} are possible`,
    });
  for (const { path, message } of schemaFaults(schema, [], 1).slice(0, 20)) context.addIssue({ code: 'custom', path, message });
});
export type ResultSchema = z.infer<typeof ResultSchema>;

/** What may stand in a result schema, as a JSON Schema that refers to itself by the name `ResultSchema`. */
export function shapeOfResultSchemas(): Record<string, unknown> {
  const [itself, anything] = [{ $ref: '#/$defs/ResultSchema' }, { $ref: '#/$defs/Json' }];
  const type = { type: 'string', enum: TYPES };
  const each = (names: readonly string[], shape: object) => Object.fromEntries(names.map((name) => [name, shape]));
  return {
    type: 'object',
    description: `At most ${RESULT_SCHEMA_LIMITS.bytes} bytes; schemas stand within each other at most ${RESULT_SCHEMA_LIMITS.depth} deep.`,
    properties: {
      type: { anyOf: [type, { type: 'array', minItems: 1, items: type }] },
      enum: { type: 'array', minItems: 1, items: anything },
      const: anything,
      properties: { type: 'object', propertyNames: { type: 'string' }, additionalProperties: itself },
      required: { type: 'array', items: { type: 'string' } },
      additionalProperties: { anyOf: [{ type: 'boolean' }, itself] },
      items: itself,
      anyOf: { type: 'array', minItems: 1, items: itself },
      ...each(COUNTS, { type: 'integer', minimum: 0 }),
      ...each(BOUNDS, { type: 'number' }),
      ...each(REMARKS, anything),
    },
    additionalProperties: false,
  };
}

const MOST_FAULTS = 10;

/** What of a value is not as its schema says, each fault with its place (`/items/0/price`); empty when it fits. */
export function resultFaults(schema: ResultSchema, value: Json): string[] {
  return faultsOf(schema, value, '').slice(0, MOST_FAULTS);
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}

function isOfType(value: Json, type: Json): boolean {
  const actual = typeOf(value);
  return actual === type || (type === 'number' && actual === 'integer');
}

function same(a: Json, b: Json): boolean {
  return JSON.stringify(inOrder(a)) === JSON.stringify(inOrder(b));
}

/** With the keys of all objects in order. */
function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, inOrder(value[key] as Json)]),
  );
}

function faultsOf(schema: Json, value: Json, place: string): string[] {
  if (!isObject(schema)) return [];
  const at = place === '' ? 'The answer' : place;
  const { type, enum: among, const: only, anyOf } = schema;
  const types = type === undefined ? [] : Array.isArray(type) ? type : [type];
  if (types.length > 0 && !types.some((each) => isOfType(value, each)))
    return [`${at} has to be ${types.join(' or ')}, not ${typeOf(value)}.`];
  const faults: string[] = [];
  if (Array.isArray(among) && !among.some((each) => same(each, value)))
    faults.push(`${at} has to be one of ${JSON.stringify(among).slice(0, 300)}.`);
  if (only !== undefined && !same(only, value)) faults.push(`${at} has to be ${JSON.stringify(only).slice(0, 300)}.`);
  if (Array.isArray(anyOf) && !anyOf.some((each) => faultsOf(each, value, place).length === 0))
    faults.push(`${at} fits none of the forms that are possible.`);
  faults.push(...boundFaults(schema, value, at));
  if (isObject(value)) faults.push(...fieldFaults(schema, value, place));
  const { items } = schema;
  if (Array.isArray(value) && items !== undefined)
    faults.push(...value.flatMap((each, index) => faultsOf(items, each, `${place}/${index}`)).slice(0, MOST_FAULTS));
  return faults;
}

/** Of what kind a value's size is, and how large it is. */
function sizesOf(value: Json): [string, number][] {
  if (typeof value === 'string') return [['Length', [...value].length]];
  if (Array.isArray(value)) return [['Items', value.length]];
  return isObject(value) ? [['Properties', Object.keys(value).length]] : [];
}

function boundFaults(schema: { [key: string]: Json }, value: Json, at: string): string[] {
  const faults: string[] = [];
  for (const [what, size] of sizesOf(value)) {
    const [least, most] = [schema[`min${what}`], schema[`max${what}`]];
    if (typeof least === 'number' && size < least) faults.push(`${at} has ${size} ${NAMES[what]}; at least ${least} are needed.`);
    if (typeof most === 'number' && size > most) faults.push(`${at} has ${size} ${NAMES[what]}; at most ${most} are possible.`);
  }
  if (typeof value !== 'number') return faults;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (typeof minimum === 'number' && value < minimum) faults.push(`${at} has to be ${minimum} or more.`);
  if (typeof maximum === 'number' && value > maximum) faults.push(`${at} has to be ${maximum} or less.`);
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) faults.push(`${at} has to be more than ${exclusiveMinimum}.`);
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) faults.push(`${at} has to be less than ${exclusiveMaximum}.`);
  return faults;
}

const NAMES: Record<string, string> = { Length: 'characters', Items: 'entries', Properties: 'fields' };

function fieldFaults(schema: { [key: string]: Json }, value: { [key: string]: Json }, place: string): string[] {
  const { properties, required, additionalProperties } = schema;
  const known = isObject(properties) ? properties : {};
  const missing = (Array.isArray(required) ? required : []).filter((name) => !Object.hasOwn(value, String(name)));
  const faults = missing.map((name) => `${place === '' ? 'The answer' : place} lacks the field ${String(name)}.`);
  for (const [name, each] of Object.entries(value)) {
    const within = Object.hasOwn(known, name) ? known[name] : additionalProperties;
    if (within === false) faults.push(`${place}/${name} is not a field that was asked for.`);
    else if (within !== undefined && within !== true) faults.push(...faultsOf(within, each, `${place}/${name}`));
  }
  return faults;
}
