/**
 * JSON Schemas in the words that every model server knows. Servers compile them into grammars or translate them into a dialect of their
 * own, and refuse the whole request for a word or a bound that they cannot: llama.cpp from 2000 repetitions on (ggml-org/llama.cpp#26596,
 * #25746), Gemini's compatible endpoint `exclusiveMinimum`, `propertyNames`, `const`, `$ref` (fazer-ai/agents#64;
 * ai.google.dev/gemini-api/docs/structured-output, read in November 2026). Nothing is lost by it: what a model sends is checked against the
 * whole schema here.
 */
import type { Json } from '@cadre/contracts';
import { isObject } from './reading/json-spans.js';

export interface Schema {
  [key: string]: Json;
}

/** `plain`: what is widely known. `plainest`: types, properties, items and choices of words alone, for a server that refused the other. */
export type Plainness = 'plain' | 'plainest';

const KEPT: Record<Plainness, ReadonlySet<string>> = {
  plain: new Set(['type', 'description', 'enum', 'required', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems']),
  plainest: new Set(['type', 'description', 'enum', 'required']),
};
const LENGTHS: ReadonlySet<string> = new Set(['minLength', 'maxLength', 'minItems', 'maxItems']);
/** Nested repetitions multiply, so this is far below what a server takes of one. */
const MAX_REPETITIONS = 100;
const MAX_NUMBER = 1_000_000_000;
/** A definition within itself is told so often; what is deeper is any value. */
const MAX_RECURSION = 2;
const MAX_DEPTH = 24;

const made: Record<Plainness, WeakMap<object, Schema>> = { plain: new WeakMap(), plainest: new WeakMap() };

/** @param schema of an object; the same schema is given the same plain one */
export function plainSchema(schema: Schema, plainness: Plainness = 'plain'): Schema {
  let known = made[plainness].get(schema);
  if (known === undefined) {
    known = { type: 'object', properties: {}, ...new Plainer(schema, plainness).of(schema, []) };
    made[plainness].set(schema, known);
  }
  return known;
}

class Plainer {
  constructor(
    private readonly root: Schema,
    private readonly plainness: Plainness,
  ) {}

  /** @param path references that led here */
  of(given: Json | undefined, path: readonly string[], depth = 0): Schema {
    if (!isObject(given) || depth > MAX_DEPTH) return {};
    const schema = given as Schema;
    if (typeof schema['$ref'] === 'string') return this.referred(schema, schema['$ref'], path, depth);
    if (Array.isArray(schema['allOf'])) return this.of(merged(schema, schema['allOf']), path, depth + 1);
    const plain = this.words(schema);
    const isBare = isObject(schema['properties']) && Object.keys(schema['properties']).length === 0;
    if (isObject(schema['properties']) && !(isBare && this.plainness === 'plainest'))
      plain['properties'] = this.properties(schema['properties'] as Schema, path, depth);
    if (Array.isArray(plain['required'])) plain['required'] = plain['required'].filter((name) => hasName(plain['properties'], name));
    if (isObject(schema['items'])) plain['items'] = this.of(schema['items'] as Schema, path, depth + 1);
    else if (plain['type'] === 'array') plain['items'] = {};
    if (this.plainness === 'plain' && 'additionalProperties' in schema) {
      const more = schema['additionalProperties'];
      plain['additionalProperties'] = isObject(more) ? this.of(more as Schema, path, depth + 1) : more!;
    }
    const choices = schema['anyOf'] ?? schema['oneOf'];
    return Array.isArray(choices) ? this.choice(plain, choices, path, depth) : plain;
  }

  private properties(given: Schema, path: readonly string[], depth: number): Schema {
    return Object.fromEntries(Object.entries(given).map(([name, each]) => [name, this.of(each, path, depth + 1)]));
  }

  private words(schema: Schema): Schema {
    const plain: Schema = {};
    for (const [key, value] of Object.entries(schema)) {
      if (!KEPT[this.plainness].has(key)) continue;
      if (LENGTHS.has(key) && Number(value) > MAX_REPETITIONS) continue;
      if ((key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) > MAX_NUMBER) continue;
      plain[key] = structuredClone(value);
    }
    if ('const' in schema) plain['enum'] = [schema['const']!];
    if (this.plainness === 'plainest') return plainestWords(plain);
    if ('enum' in plain && !('type' in plain)) Object.assign(plain, typeOfValues(plain['enum']));
    return plain;
  }

  private referred(schema: Schema, ref: string, path: readonly string[], depth: number): Schema {
    const about = typeof schema['description'] === 'string' ? { description: schema['description'] } : {};
    if (path.filter((each) => each === ref).length >= MAX_RECURSION) return about;
    return { ...this.of(targetOf(this.root, ref), [...path, ref], depth + 1), ...about };
  }

  /** Beside `null` only one choice: that one. In the plainest form several are one object with the properties of all, or any value. */
  private choice(plain: Schema, choices: Json[], path: readonly string[], depth: number): Schema {
    const all = choices.map((each) => this.of(each, path, depth + 1));
    const real = all.filter((each) => each['type'] !== 'null');
    if (real.length === 1) return { ...real[0], ...plain };
    if (this.plainness === 'plain') return { ...plain, anyOf: all };
    if (real.length === 0 || !real.every((each) => isObject(each['properties']))) return plain;
    const properties = Object.assign({}, ...real.map((each) => each['properties'])) as Schema;
    const required = Object.keys(properties).filter((name) =>
      real.every((each) => Array.isArray(each['required']) && each['required'].includes(name)),
    );
    return { ...plain, type: 'object', properties, required };
  }
}

/** One type, and choices of words only. */
function plainestWords(plain: Schema): Schema {
  const { type } = plain;
  if (Array.isArray(type)) plain['type'] = type.find((each) => each !== 'null') ?? 'string';
  const values = plain['enum'];
  if (!Array.isArray(values)) return plain;
  if (!('type' in plain)) Object.assign(plain, typeOfValues(values));
  if (!values.every((value) => typeof value === 'string' && value !== '')) delete plain['enum'];
  return plain;
}

function typeOfValues(values: Json | undefined): Schema {
  const types = new Set(Array.isArray(values) ? values.map((value) => typeof value) : []);
  const [type] = types;
  return types.size === 1 && (type === 'string' || type === 'number' || type === 'boolean') ? { type } : {};
}

function merged(schema: Schema, parts: Json[]): Schema {
  const { allOf: _, ...own } = schema;
  const all = [own, ...parts.filter((part) => isObject(part) && !('allOf' in part))] as Schema[];
  const properties = Object.assign({}, ...all.map((each) => each['properties'])) as Schema;
  const required = all.flatMap((each) => (Array.isArray(each['required']) ? each['required'] : []));
  const together = Object.assign({}, ...all) as Schema;
  return { ...together, ...(Object.keys(properties).length > 0 && { properties }), ...(required.length > 0 && { required }) };
}

function targetOf(root: Schema, ref: string): Json | undefined {
  if (!ref.startsWith('#')) return undefined;
  let at: Json | undefined = root;
  for (const part of ref.slice(1).split('/').filter(Boolean)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    at = isObject(at) ? (at[name] as Json | undefined) : undefined;
  }
  return at;
}

function hasName(properties: Json | undefined, name: Json): boolean {
  return isObject(properties) && typeof name === 'string' && Object.hasOwn(properties, name);
}
