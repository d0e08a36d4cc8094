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
  exclusiveMinimum?: number;
  minItems?: number;
  maxItems?: number;
  items?: Shape;
  properties?: Record<string, Shape>;
  required?: string[];
  minProperties?: number;
  propertyNames?: Shape;
  if?: Shape;
  then?: Shape;
  additionalProperties?: Shape | boolean;
}

/** Undefined: none, because recursion has ended here. */
type Values = fc.Arbitrary<unknown> | undefined;

/**
 * Values that fit a document of `jsonSchemas()`. Depth and sizes are kept small; recursion ends after a few levels.
 * @param document with its own `$defs`
 */
export function valuesOfSchema(document: Record<string, unknown>): fc.Arbitrary<unknown> {
  const { $defs = {}, ...root } = document as Shape;
  const values = new ValueMaker($defs).valuesOf(root);
  if (values === undefined) throw new Error('no value fits: each one holds another of the same kind');
  return values;
}

class ValueMaker {
  private readonly depth = new Map<string, number>();

  constructor(private readonly defs: Record<string, Shape>) {}

  valuesOf(shape: Shape): Values {
    if (shape.$ref !== undefined) return this.named(shape.$ref.replace('#/$defs/', ''));
    if (shape.const !== undefined) return fc.constant(shape.const);
    if (shape.enum !== undefined) return fc.constantFrom(...shape.enum);
    const choices = shape.anyOf ?? shape.oneOf;
    if (choices !== undefined) return this.oneOf(choices);
    if (Array.isArray(shape.type)) return this.oneOf(shape.type.map((type) => ({ ...shape, type })));
    return this.ofType(shape);
  }

  private oneOf(choices: Shape[]): Values {
    const values = choices.map((choice) => this.valuesOf(choice)).filter((each) => each !== undefined);
    return values.length === 0 ? undefined : fc.oneof(...values);
  }

  private named(name: string): Values {
    const level = this.depth.get(name) ?? 0;
    if (level > 1) return undefined;
    this.depth.set(name, level + 1);
    const values = this.valuesOf(this.defs[name]!);
    this.depth.set(name, level);
    return values;
  }

  private ofType(shape: Shape): Values {
    switch (shape.type) {
      case 'object':
        return this.objects(shape);
      case 'array':
        return this.arrays(shape);
      case 'string':
        return strings(shape);
      case 'integer':
        return fc.integer({ min: shape.minimum ?? -1000, max: Math.min(shape.maximum ?? 1e6, 1e9) });
      case 'number':
        return numbers(shape);
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

  private arrays({ items = {}, minItems = 0 }: Shape): Values {
    const values = this.valuesOf(items);
    if (values !== undefined) return fc.array(values, { minLength: minItems, maxLength: minItems + 2 });
    return minItems === 0 ? fc.constant([]) : undefined;
  }

  private objects(shape: Shape): Values {
    const { properties, required = [], minProperties = 0, additionalProperties: more, propertyNames, if: when, then } = shape;
    if (properties === undefined && typeof more === 'object') {
      const values = this.valuesOf(more);
      return values === undefined ? fc.constant({}) : fc.dictionary(this.keysOf(propertyNames), values, { maxKeys: 2 });
    }
    const fields = Object.entries(properties ?? {}).map(([name, field]) => [name, this.valuesOf(field)] as const);
    if (fields.some(([name, values]) => values === undefined && required.includes(name))) return undefined;
    const there = Object.fromEntries(fields.filter((field): field is [string, fc.Arbitrary<unknown>] => field[1] !== undefined));
    const values: fc.Arbitrary<object> = fc.record(there, { requiredKeys: required, noNullPrototype: true });
    const fits = (value: object): boolean =>
      Object.keys(value).length >= minProperties &&
      (when === undefined || !matches(when, value) || (then?.required ?? []).every((name) => name in value));
    return when === undefined && minProperties === 0 ? values : values.filter(fits);
  }

  private keysOf(names: Shape = {}): fc.Arbitrary<string> {
    const shape = names.$ref === undefined ? names : this.defs[names.$ref.replace('#/$defs/', '')];
    return strings({ maxLength: 12, ...shape });
  }
}

/** Whether fields have the values that a condition names. */
function matches({ properties = {} }: Shape, value: object): boolean {
  return Object.entries(properties).every(([name, { const: wanted }]) => (value as Record<string, unknown>)[name] === wanted);
}

function numbers({ minimum, maximum = 1e6, exclusiveMinimum }: Shape): fc.Arbitrary<number> {
  const from = exclusiveMinimum === undefined ? { min: minimum ?? -1e6 } : { min: exclusiveMinimum, minExcluded: true };
  return fc.double({ ...from, max: maximum, noNaN: true }).map((value) => value + 0);
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
