/**
 * What the data of a message must be, in JSON Schema (draft 2020-12). A schema comes from whoever makes a channel, and is applied in the
 * processes that all tenants share, so only keywords are taken whose time grows with the schema and the data alone: no regular expressions,
 * no references, nothing that compares all with all.
 */
import type { Json } from '@cadre/contracts';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { ChannelFault } from './channel-errors.js';

/** Keywords whose value is a schema, a list of schemas, and schemas by names. */
const ONE = ['items', 'additionalProperties', 'not', 'if', 'then', 'else'];
const LIST = ['prefixItems', 'allOf', 'anyOf', 'oneOf'];
const NAMED = ['properties'];
const PLAIN = [
  ...[
    'type',
    'enum',
    'const',
    'required',
    'minimum',
    'maximum',
    'exclusiveMinimum',
    'exclusiveMaximum',
    'multipleOf',
    'minLength',
    'maxLength',
  ],
  ...['minItems', 'maxItems', 'minProperties', 'maxProperties', 'title', 'description', 'default', 'examples', '$schema', '$comment'],
];
/** In the order in which documentation lists them. */
export const SCHEMA_KEYWORDS = [...PLAIN, ...NAMED, ...ONE, ...LIST] as const;
const KNOWN = new Set<string>(SCHEMA_KEYWORDS);

/** Compiled schemas by their text; a process meets few. */
const MAX_COMPILED = 200;
const compiled = new Map<string, ValidateFunction>();

type Schema = Record<string, Json>;

/** What is wrong with a schema. */
export function schemaFaults(schema: Schema): ChannelFault[] {
  const unknown = unknownKeywords(schema, 'schema');
  if (unknown.length > 0) return unknown;
  try {
    compile(schema);
    return [];
  } catch (error) {
    return [{ path: 'schema', message: (error as Error).message }];
  }
}

/** The first fault of data, if any. @param schema without faults */
export function dataFaults(schema: Schema, data: Json): ChannelFault[] {
  const validate = compile(schema);
  if (validate(data)) return [];
  const [fault] = validate.errors ?? [];
  const { missingProperty, additionalProperty } = (fault?.params ?? {}) as Record<string, string | undefined>;
  const words = (fault?.instancePath ?? '')
    .split('/')
    .slice(1)
    .map((word) => word.replaceAll('~1', '/').replaceAll('~0', '~'));
  const name = missingProperty ?? additionalProperty;
  const path = ['data', ...words, ...(name === undefined ? [] : [name])].join('.');
  if (missingProperty !== undefined) return [{ path, message: 'is missing' }];
  if (additionalProperty !== undefined) return [{ path, message: 'is not known' }];
  return [{ path, message: fault?.message ?? 'does not fit the schema' }];
}

function compile(schema: Schema): ValidateFunction {
  const text = JSON.stringify(schema);
  const known = compiled.get(text);
  if (known) return known;
  // A compiler for each: one for all would remember every schema that it has ever seen.
  const made = new Ajv2020({ strict: true, strictTypes: false, strictTuples: false, strictRequired: false, logger: false }).compile(schema);
  const [oldest] = compiled.keys();
  if (compiled.size >= MAX_COMPILED && oldest !== undefined) compiled.delete(oldest);
  compiled.set(text, made);
  return made;
}

function unknownKeywords(value: Json | undefined, path: string): ChannelFault[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []; // the compiler tells what is wrong with it
  return Object.entries(value).flatMap(([keyword, inner]) => {
    const here = `${path}.${keyword}`;
    if (!KNOWN.has(keyword)) return [{ path: here, message: `this keyword is not taken; taken are ${SCHEMA_KEYWORDS.join(', ')}` }];
    if (ONE.includes(keyword)) return unknownKeywords(inner, here);
    const parts = LIST.includes(keyword) || NAMED.includes(keyword) ? Object.entries((inner ?? {}) as object) : [];
    return parts.flatMap(([name, part]) => unknownKeywords(part as Json, `${here}.${name}`));
  });
}
