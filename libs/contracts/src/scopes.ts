/**
 * Work that the engine does by itself. Every way to coordinate is made of these few: a **scope** holds tasks and ends by a join rule; it is
 * done once, once per item of a list (fan-out), or round after round (a loop with a bound); and what its items brought is combined into one
 * result. A **wait** ends with time or with an event from outside.
 */
import { z } from 'zod';

/** CEL over `results`, `goal`, `params`, and within a scope `item`, `index`, `round` and `previous`. */
export const Expression = z.string().min(1).max(1000);

/** Items that one scope may have, and how deep scopes may stand within each other. */
export const SCOPE_LIMITS = { items: 10_000, depth: 8, itemBytes: 256 * 1024 } as const;

/** How many items must succeed: a number, or a fraction of them. */
export const Need = z.union([
  z.enum(['all', 'any']),
  z.int().min(0).max(SCOPE_LIMITS.items),
  z.strictObject({ share: z.number().gt(0).max(1) }),
]);
export type Need = z.infer<typeof Need>;

/**
 * When a scope ends. `enough`: as soon as what is needed has succeeded, or cannot any more; what is still at work is cancelled. `ended`:
 * when all its items have ended, and then it is seen whether that was enough. With a deadline it is seen then.
 */
export const Join = z.strictObject({
  need: Need.default('all'),
  until: z.enum(['enough', 'ended']).default('enough'),
  /** Longest time from the opening. */
  deadlineMs: z
    .int()
    .min(1)
    .max(7 * 86_400_000)
    .optional(),
});
export type Join = z.infer<typeof Join>;

/** Rounds: the next one begins when the last one has ended, until the expression holds or the bound is reached. */
export const Repeat = z.strictObject({
  max: z.int().min(1).max(1000),
  /** Sees the round's `results`, `round` (from 1) and `previous` (what the round before it brought). Left out: all rounds are done. */
  until: Expression.optional(),
  /** What the bound means: the last round counts, or the scope fails. */
  atBound: z.enum(['accept', 'fail']).default('accept'),
});
export type Repeat = z.infer<typeof Repeat>;

/** What a result of unknown confidence is to a least confidence that is asked for: below it, or not. */
export const UnknownConfidence = z.enum(['fail', 'pass']);
export type UnknownConfidence = z.infer<typeof UnknownConfidence>;

/**
 * What the result of an item must be to count; an item whose result is not so has failed. `where` is an expression over its `value`,
 * `confidence`, `answer` and `index`, beside what the scope itself may look at. A confidence that is not known is -1 to expressions.
 */
export const Gate = z.strictObject({
  minConfidence: z.number().min(0).max(1).default(0),
  /** Left out: it fails where a least confidence is asked for. */
  unknownConfidence: UnknownConfidence.optional(),
  where: Expression.optional(),
});
export type Gate = z.infer<typeof Gate>;

/** Rules by which the engine itself combines. */
export const COMBINE_RULES = [
  z.strictObject({ by: z.literal('list') }),
  z.strictObject({ by: z.literal('object') }),
  z.strictObject({ by: z.literal('concat') }),
  z.strictObject({ by: z.literal('last') }),
  z.strictObject({ by: z.literal('first') }),
  z.strictObject({ by: z.literal('best'), score: Expression.optional() }),
  z.strictObject({ by: z.literal('rank'), score: Expression.optional() }),
  z.strictObject({
    by: z.literal('vote'),
    /** By the confidence of each vote instead of one each; a vote without one counts as the median of the others. */
    weighted: z.boolean().default(false),
    /** Fraction of all voters (not only of those who voted) that must have voted. */
    quorum: z.number().min(0).max(1).default(0),
    /** Fraction of the votes' weight that the winner must pass or reach. Left out: the most votes win. */
    threshold: z.number().gt(0).max(1).optional(),
    /** When the first two are equal: the one that was named first, or no decision. */
    tie: z.enum(['first', 'fail']).default('first'),
  }),
  z.strictObject({ by: z.literal('merge'), onConflict: z.enum(['confidence', 'first', 'last', 'fail']).default('confidence') }),
] as const;

/**
 * How the results of the items become the result of the scope. `list`: a JSON array of the answers. `object`: a JSON object of the answers
 * by the names of the branches. `concat`: one after the other, under their titles. `last` and
 * `first`: that of the item last or first in order. `best`: the one with the highest score (the confidence, or an expression over `value`,
 * `confidence` and `answer`). `rank`: a JSON array of all, the best first. `vote`: what most say. `merge`: JSON objects put together,
 * conflicts listed with their sources. `auction`: a JSON array of all, the best bid first, by the bidder's confidence and what the system
 * knows of it. `custom`: the scope's own task is given to an agent, with the results of the items; what the agent brings is the result.
 */
export const Combine = z.discriminatedUnion('by', [
  ...COMBINE_RULES,
  z.strictObject({ by: z.literal('auction') }),
  z.strictObject({ by: z.literal('custom') }),
]);
export type Combine = z.infer<typeof Combine>;

/** Of an event from outside; dots part it into words, as in `order.paid`. */
export const EventType = z
  .string()
  .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, 'an event type is words of letters, digits, - and _ with dots between them')
  .max(100);

/** Waits for some time, or for an event of a type; `where` is an expression over `event`. */
export const Wait = z.union([
  z.strictObject({
    delayMs: z
      .int()
      .min(1)
      .max(7 * 86_400_000),
  }),
  z.strictObject({
    event: EventType,
    where: Expression.optional(),
    timeoutMs: z
      .int()
      .min(1)
      .max(7 * 86_400_000)
      .optional(),
  }),
]);
export type Wait = z.infer<typeof Wait>;
