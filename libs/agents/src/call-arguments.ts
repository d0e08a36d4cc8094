/** The arguments of a tool call as models write them. Read generously, and checked against the tool's schema as strictly as ever. */
import type { z } from 'zod';
import { isObject, wholeObject } from './loose-json.js';
import type { JsonObject } from './loose-json.js';
import { describeFaults } from './describe-faults.js';

/** `cut-off`: not all of it has come. `no-json`: it cannot be read. */
export type ReadArguments = { kind: 'read'; value: unknown } | { kind: 'cut-off' } | { kind: 'no-json' };

const NOTHING: ReadonlySet<string> = new Set(['', 'null', 'None', 'undefined', '""']);

/** @param cutOff the turn was cut off at the output limit */
export function readArguments(text: string, cutOff = false): ReadArguments {
  const trimmed = text.trim();
  if (NOTHING.has(trimmed)) return { kind: 'read', value: {} };
  const value = parsed(trimmed);
  if (value !== undefined) return { kind: 'read', value };
  const repaired = wholeObject(trimmed);
  if (repaired) return { kind: 'read', value: repaired };
  return cutOff || /^[{"]/.test(trimmed) ? { kind: 'cut-off' } : { kind: 'no-json' };
}

/** Some servers encode them twice. */
function parsed(text: string, depth = 0): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'string' || depth > 1) return value;
    return NOTHING.has(value.trim()) ? {} : (parsed(value, depth + 1) ?? wholeObject(value) ?? value);
  } catch {
    return undefined;
  }
}

/**
 * What the schema makes of them; of what it does not take as it is, null may stand for what is left out, and a text for the value that it
 * encodes.
 */
export function fitArguments(parameters: z.ZodType, value: unknown): { value: unknown } | { faults: string } {
  const strict = parameters.safeParse(value);
  if (strict.success) return { value: strict.data };
  if (isObject(value)) {
    const places = new Set(strict.error.issues.map(({ path }) => path[0]));
    const loose = parameters.safeParse(decoded(value, places));
    if (loose.success) return { value: loose.data };
  }
  return { faults: describeFaults(strict.error) };
}

/** @param places the fields that are not as they should be */
function decoded(value: JsonObject, places: ReadonlySet<PropertyKey | undefined>): JsonObject {
  const fields = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    if (field === null) return [];
    const encoded = places.has(name) && typeof field === 'string' ? parsed(field) : undefined;
    return [[name, encoded ?? field]];
  });
  return Object.fromEntries(fields);
}
