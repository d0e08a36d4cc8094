/** Shapes that several messages share. */
import { z } from 'zod';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * Any JSON value, nested less than a thousand deep. Not `z.json()`: that refers to itself, and zod then keeps a record of what it has
 * visited in each parse of each schema that contains it, commands among them.
 */
export const Json: z.ZodType<Json> = z
  .unknown()
  .refine((value) => isJson(value, 1000), { error: 'not JSON', abort: true })
  .overwrite((value) => withoutProto(value)) as z.ZodType<Json>;

function isJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      if (depth === 0) return false;
      if (Array.isArray(value)) return value.every((item) => isJson(item, depth - 1));
      return isPlain(value) && Object.values(value).every((item) => isJson(item, depth - 1));
    default:
      return false;
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.getOwnPropertySymbols(value).length === 0;
}

/** Nobody shall merge a `__proto__` that came over the wire into an object of ours. Gives the value itself when there is none. */
function withoutProto(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(withoutProto);
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  const entries = Object.entries(value);
  const kept = entries.filter(([key]) => key !== '__proto__').map(([key, item]) => [key, withoutProto(item)] as const);
  const changed = kept.length < entries.length || kept.some(([key, item]) => item !== (value as Record<string, unknown>)[key]);
  return changed ? Object.fromEntries(kept) : value;
}

/** Above this many bytes of UTF-8 a text lives in the object store and messages hold its reference. */
export const INLINE_LIMIT_BYTES = 16 * 1024;

/** Length of a text in UTF-8, without an encoder (pure libraries have none). */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && i + 1 < text.length) {
      bytes += 4;
      i += 1;
    } else bytes += 3;
  }
  return bytes;
}

/** Whether a text takes at most so many bytes. Short ones are not counted: no unit takes more than three. */
export function fitsBytes(text: string, bytes: number): boolean {
  return text.length * 3 <= bytes || utf8Bytes(text) <= bytes;
}

/** A body in the object store, named by its content. */
export const BlobRef = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size: z.int().nonnegative(),
  mediaType: z.string().min(1).max(120),
});
export type BlobRef = z.infer<typeof BlobRef>;

/** A path inside a run's workspace: relative, `/` between parts, no `.` or `..` parts, at most 200 characters. */
export const WorkspacePath = z
  .string()
  .min(1)
  .max(200)
  .regex(
    /^[A-Za-z0-9_@ ()+,=-][A-Za-z0-9._@ ()+,=-]*(\/[A-Za-z0-9_@ ()+,=-][A-Za-z0-9._@ ()+,=-]*)*$/,
    'a path is relative, without . or .. parts',
  );
export type WorkspacePath = z.infer<typeof WorkspacePath>;

/** A named output (or input) of a run. */
export const ArtifactRef = BlobRef.extend({ name: WorkspacePath });
export type ArtifactRef = z.infer<typeof ArtifactRef>;

/** A text, inline when short, else by reference with its first 400 characters. */
export const Content = z.union([z.object({ text: z.string() }), z.object({ ref: BlobRef, preview: z.string().max(400) })]);
export type Content = z.infer<typeof Content>;

/** An amount of money: millionths of a US dollar. */
export const Micros = z.int().min(0).max(1_000_000_000_000_000);

/** What calls used. `costMicros` is millionths of a US dollar. */
export const Usage = z.object({
  modelCalls: z.int().nonnegative(),
  toolCalls: z.int().nonnegative(),
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  costMicros: z.int().nonnegative(),
  /** Calls of models without a known price: what they cost is in none of the sums. Left out: none. */
  unpricedCalls: z.int().nonnegative().optional(),
  /** Of the cost: what servers charged beyond what was set aside for their calls. Left out: nothing. */
  overrunMicros: z.int().nonnegative().optional(),
});
export type Usage = z.infer<typeof Usage>;

export const NO_USAGE: Usage = { modelCalls: 0, toolCalls: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 };

export function addUsage(a: Usage, b: Usage): Usage {
  const unpricedCalls = (a.unpricedCalls ?? 0) + (b.unpricedCalls ?? 0);
  const overrunMicros = (a.overrunMicros ?? 0) + (b.overrunMicros ?? 0);
  return {
    modelCalls: a.modelCalls + b.modelCalls,
    toolCalls: a.toolCalls + b.toolCalls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costMicros: a.costMicros + b.costMicros,
    ...(unpricedCalls > 0 ? { unpricedCalls } : {}),
    ...(overrunMicros > 0 ? { overrunMicros } : {}),
  };
}

/** Why something failed: a stable code, a sentence for people, and whether another try may help. */
export const Failure = z.object({
  code: z.string().regex(/^[a-z][a-z0-9-]{1,60}$/),
  message: z.string().max(4000),
  retriable: z.boolean(),
  /** Another try before this many milliseconds is pointless; the server said so. */
  retryAfterMs: z.int().min(0).max(3_600_000).optional(),
});
export type Failure = z.infer<typeof Failure>;

/** Milliseconds since 1970 UTC. */
export const Timestamp = z.int().nonnegative();

/** W3C trace context, version 00. */
export const Traceparent = z.string().regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
