/**
 * Recorded calls. Each model or tool call of an attempt is reserved in the log before it is made and settled when its outcome is known; a
 * later attempt that comes to the same call is given the record instead of making it again.
 */
import { z } from 'zod';
import { ArtifactRef, BlobRef, Micros, Timestamp } from './values.js';
import type { Usage } from './values.js';

/** Digest of run, task, step path and input: the same call of any attempt has the same key. The tool gets it, to recognise a repetition. */
export const CallKey = z.string().regex(/^[0-9a-f]{32}$/);
export type CallKey = z.infer<typeof CallKey>;

export const AnyToolName = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'a tool name is lower-case letters, digits and _');

/** Tools of one agent: as many as model servers commonly take in one request. */
export const MOST_TOOLS = 128;

/** What a tool call does to the world: nothing; the same however often it is repeated under one key; or something that must happen once. */
export const ToolEffect = z.enum(['none', 'idempotent', 'once']);
export type ToolEffect = z.infer<typeof ToolEffect>;

export const CallKind = z.enum(['model', 'tool']);
export type CallKind = z.infer<typeof CallKind>;

/** Longest body of a call that the log holds itself, in bytes of UTF-8. */
export const CALL_INLINE_BYTES = 1024;

/** What a call answered: inline when short, else in the object store. */
export const CallBody = z.union([z.strictObject({ text: z.string() }), z.strictObject({ ref: BlobRef })]);
export type CallBody = z.infer<typeof CallBody>;

const call = {
  key: CallKey,
  /** 1, or one more than the last try of this key. */
  try: z.int().min(1).max(10_000),
};

/** A call about to be made. */
export const CallReservation = z.strictObject({
  ...call,
  kind: CallKind,
  /** Model or tool name. */
  name: z.string().min(1).max(200),
  /** Left out: none. */
  effect: ToolEffect.optional(),
  /** Upper bound of what it can cost. */
  maxCostMicros: Micros,
  /**
   * What it takes at the least: with fewer output tokens the call is of no use. Left out: it is made whole, or not at all. Not part of what
   * is recorded.
   */
  minCostMicros: Micros.optional(),
  /** The model has no known price. */
  unpriced: z.literal(true).optional(),
  /** The attempt can do without: when it does not fit under a cap it is not made, and nothing else follows. */
  optional: z.literal(true).optional(),
});
export type CallReservation = z.infer<typeof CallReservation>;

/** `failed`: surely not billed and without effect. `unknown`: it may have happened; billed at the reservation. */
export const CallOutcome = z.enum(['done', 'failed', 'unknown']);
export type CallOutcome = z.infer<typeof CallOutcome>;

/** How a call ended. */
export const CallSettlement = z.strictObject({
  ...call,
  outcome: CallOutcome,
  /** False also when a tool answered with an error. */
  ok: z.boolean(),
  /** A short line for people: what was asked, or why it failed. */
  note: z.string().max(300),
  at: Timestamp,
  durationMs: z.int().nonnegative(),
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  costMicros: Micros,
  /** Cost beyond the reservation; set by the engine when a server charged more than was possible. */
  overrunMicros: Micros.optional(),
  /** What it cost is not known, because the price of its model is not; set by the engine. */
  unpriced: z.literal(true).optional(),
  body: CallBody.optional(),
  /** Files of the workspace that the call wrote. */
  files: z.array(ArtifactRef).max(200).optional(),
});
export type CallSettlement = z.infer<typeof CallSettlement>;

/** What a call that has ended adds to the usage of its task and its run. */
export function usageOfCall(kind: CallKind, said: CallSettlement): Usage {
  const { inputTokens, outputTokens, costMicros, unpriced, overrunMicros } = said;
  return {
    modelCalls: kind === 'model' ? 1 : 0,
    toolCalls: kind === 'tool' ? 1 : 0,
    ...{ inputTokens, outputTokens, costMicros },
    ...(unpriced ? { unpricedCalls: 1 } : {}),
    ...(overrunMicros === undefined ? {} : { overrunMicros }),
  };
}

/** Answer to one reservation. */
export const CallGrant = z.discriminatedUnion('grant', [
  /** `maxCostMicros`: the caps have room for so much only, and that is set aside. The call must not be able to cost more. */
  z.strictObject({ key: CallKey, grant: z.literal('granted'), maxCostMicros: Micros.optional() }),
  /** There is no room while other calls are under way: ask again after a while. Nothing is reserved. */
  z.strictObject({ key: CallKey, grant: z.literal('later') }),
  /** Done before: this is what it answered. */
  z.strictObject({
    key: CallKey,
    grant: z.literal('recorded'),
    ok: z.boolean(),
    body: CallBody.optional(),
    files: z.array(ArtifactRef).optional(),
  }),
  /** An earlier try came to nothing: reserve again, as this try. */
  z.strictObject({ key: CallKey, grant: z.literal('retry'), try: z.int().min(1) }),
  /** The budget allows only this model: ask again with it. */
  z.strictObject({ key: CallKey, grant: z.literal('degrade'), model: z.string() }),
  /** The budget does not allow this optional call. */
  z.strictObject({ key: CallKey, grant: z.literal('unaffordable') }),
]);
export type CallGrant = z.infer<typeof CallGrant>;

/** Answer to `RecordCalls`, grants in the order of its reservations. `ended`: the attempt was closed by the same commit. */
export const CallGrants = z.strictObject({
  grants: z.array(CallGrant),
  ended: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});
export type CallGrants = z.infer<typeof CallGrants>;

/** Which cap a call did not fit under. `price`: its model has no known price. */
export const SpendLimit = z.enum(['run', 'task', 'agent', 'tenant', 'price']);
export type SpendLimit = z.infer<typeof SpendLimit>;
