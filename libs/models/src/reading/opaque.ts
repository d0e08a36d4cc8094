/** Fields that only their server understands: kept as they came, and given back to it with the conversation. */
import type { Extra } from '@cadre/agents';
import type { Json } from '@cadre/contracts';
import { parsedJson } from './json-spans.js';

/** A server that sends more than this with one turn does without. Signatures and encrypted thoughts have some ten thousand characters. */
const MAX_CHARACTERS = 400_000;

/** The fields of `given` that are not among `known` and say something; undefined: there are none. */
export function opaque(given: Record<string, unknown>, known: ReadonlySet<string>): Extra | undefined {
  const entries = Object.entries(given).filter(([field, value]) => !known.has(field) && saysSomething(value));
  if (entries.length === 0) return undefined;
  const text = JSON.stringify(Object.fromEntries(entries));
  return text.length > MAX_CHARACTERS ? undefined : (parsedJson(text) as Extra);
}

/** Lays `extra` under what is ours: a field that we know is never replaced by it. */
export function withOpaque<T extends object>(ours: T, extra: Extra | undefined): T {
  return extra === undefined ? ours : { ...(extra as { [field: string]: Json }), ...ours };
}

function saysSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
