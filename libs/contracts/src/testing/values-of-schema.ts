/** Random values that a JSON Schema allows, for the parts of the language that our own documents use. */
import fc from 'fast-check';

interface Shape {
  $ref?: string;
  $defs?: Record<string, Shape>;
  anyOf?: Shape[];
  oneOf?: Shape[];
  const?: unknown;
  enum?: unknown[];
  type?: string | string[];
  pattern?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  items?: Shape;
  properties?: Record<string, Shape>;
  required?: string[];
  propertyNames?: Shape;
  if?: Shape;
  then?: Shape;
  additionalProperties?: Shape | boolean;
}

/**
 * Values that fit a document of `jsonSchemas()`. Depth and sizes are kept small; recursion ends after a few levels.
 * @param document with its own `$defs`
 */
export function valuesOfSchema(document: Record<string, unknown>): fc.Arbitrary<unknown> {
  const { $defs = {}, ...root } = document as Shape;
  const depth = new Map<string, number>();

  function valuesOf(shape: Shape): fc.Arbitrary<unknown> {
    if (shape.$ref !== undefined) return named(shape.$ref.replace('#/$defs/', ''));
    if (shape.const !== undefined) return fc.constant(shape.const);
    if (shape.enum !== undefined) return fc.constantFrom(...shape.enum);
    const choices = shape.anyOf ?? shape.oneOf;
    if (choices !== undefined) return fc.oneof(...choices.map(valuesOf));
    if (Array.isArray(shape.type)) return fc.oneof(...shape.type.map((type) => ofType({ ...shape, type })));
    return ofType(shape);
  }

  function named(name: string): fc.Arbitrary<unknown> {
    const level = depth.get(name) ?? 0;
    if (level > 1) return fc.constant('leaf');
    depth.set(name, level + 1);
    const values = valuesOf($defs[name]!);
    depth.set(name, level);
    return values;
  }

  function ofType(shape: Shape): fc.Arbitrary<unknown> {
    switch (shape.type) {
      case 'object':
        return objects(shape);
      case 'array':
        return fc.array(valuesOf(shape.items ?? {}), { minLength: shape.minItems ?? 0, maxLength: (shape.minItems ?? 0) + 2 });
      case 'string':
        return strings(shape);
      case 'integer':
        return fc.integer({ min: shape.minimum ?? -1000, max: Math.min(shape.maximum ?? 1e6, 1e9) });
      case 'number':
        return fc.double({ min: shape.minimum ?? -1e6, max: shape.maximum ?? 1e6, noNaN: true }).map((value) => value + 0);
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      case undefined:
        return fc.constantFrom<unknown>(null, 1, 'any', [], {});
      default:
        throw new Error(`no values for ${JSON.stringify(shape)}`);
    }
  }

  function objects(shape: Shape): fc.Arbitrary<unknown> {
    const { properties, required = [], additionalProperties: more, propertyNames, if: when, then } = shape;
    if (properties === undefined && typeof more === 'object') {
      return fc.dictionary(keysOf(propertyNames), valuesOf(more), { maxKeys: 2 });
    }
    const fields = Object.entries(properties ?? {}).map(([name, field]) => [name, valuesOf(field)] as const);
    const values: fc.Arbitrary<object> = fc.record(Object.fromEntries(fields), { requiredKeys: required, noNullPrototype: true });
    if (when === undefined) return values;
    return values.filter((value) => !matches(when, value) || (then?.required ?? []).every((name) => name in value));
  }

  function keysOf(names: Shape = {}): fc.Arbitrary<string> {
    const shape = names.$ref === undefined ? names : $defs[names.$ref.replace('#/$defs/', '')];
    return strings({ maxLength: 12, ...shape });
  }

  return valuesOf(root);
}

/** Whether fields have the values that a condition names. */
function matches({ properties = {} }: Shape, value: object): boolean {
  return Object.entries(properties).every(([name, { const: wanted }]) => (value as Record<string, unknown>)[name] === wanted);
}

function strings({ format, pattern, minLength = 0, maxLength = 300 }: Shape): fc.Arbitrary<string> {
  if (format === 'date-time') return fc.integer({ min: 0, max: 4e12 }).map((at) => new Date(at).toISOString());
  if (pattern === undefined) return fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 12), unit: 'grapheme' });
  return matching(pattern).filter((text) => text.length >= minLength && text.length <= maxLength);
}

/** Texts by pattern: reading a pattern takes long, and the same few come up in every document. */
const known = new Map<string, fc.Arbitrary<string>>();

function matching(pattern: string): fc.Arbitrary<string> {
  const texts = known.get(pattern) ?? fc.stringMatching(new RegExp(pattern));
  known.set(pattern, texts);
  return texts;
}
