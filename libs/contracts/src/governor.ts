/** What a model server allows, and how workers ask the leading scheduler for their part of it. */
import { z } from 'zod';
import { TenantId } from './ids.js';

/** Of one model server, or of one model of it. */
export const ModelLimits = z
  .strictObject({
    requestsPerMinute: z.int().min(1).max(10_000_000).optional(),
    /** Input and output together. */
    tokensPerMinute: z.int().min(1).max(10_000_000_000).optional(),
    /** Requests on their way at once. */
    concurrent: z.int().min(1).max(1000).optional(),
  })
  .refine((limits) => Object.values(limits).some((limit) => limit !== undefined), {
    error: 'must have requestsPerMinute, tokensPerMinute or concurrent',
  });
export type ModelLimits = z.infer<typeof ModelLimits>;

/** By model name; `*` is all models of the server that have no entry of their own, together. */
export const ModelLimitTable = z.record(z.string().min(1).max(200), ModelLimits);
export type ModelLimitTable = z.infer<typeof ModelLimitTable>;

/** How long after it was granted a pass may be used, and for how long an ask is kept back while nothing is left, in milliseconds. */
export const GOVERNOR_TIMING = { useMs: 1000, holdMs: 250 } as const;
export const GOVERNOR_BATCH = { calls: 100, ended: 1000 } as const;

const Pass = z.string().regex(/^[A-Za-z0-9-]{1,60}$/);

/** A worker's part in one line of calls: what waits there, what has ended since it was last answered. At most one is unanswered. */
export const GovernorAsk = z.strictObject({
  /** One life of a worker. */
  worker: z.string().regex(/^[A-Za-z0-9_.-]{1,140}$/),
  /** Base URL of the model server, and the entry of the table. */
  server: z.string().min(1).max(2000),
  model: z.string().min(1).max(200),
  limits: ModelLimits,
  /** Those that come first of each tenant. `call` is the worker's own number for it; `tokens` are an upper bound. */
  calls: z
    .array(
      z.strictObject({
        call: z.int().nonnegative(),
        tenant: TenantId,
        tokens: z.int().nonnegative(),
        waitedMs: z.number().nonnegative(),
      }),
    )
    .max(GOVERNOR_BATCH.calls),
  /** Passes whose calls are over, with what they really used; told again until it is answered. `unused`: nothing was sent. */
  ended: z
    .array(z.strictObject({ pass: Pass, tokens: z.int().nonnegative().optional(), unused: z.literal(true).optional() }))
    .max(GOVERNOR_BATCH.ended),
  /** Passes whose calls are on their way; told where there is a limit `concurrent`. */
  running: z.array(Pass).max(2000).optional(),
  /** The server has refused a call for now and named this time. */
  pauseMs: z.int().nonnegative().optional(),
});
export type GovernorAsk = z.infer<typeof GovernorAsk>;

export const GovernorAnswer = z.strictObject({
  grants: z.array(z.strictObject({ call: z.int().nonnegative(), pass: Pass })).max(GOVERNOR_BATCH.calls),
  /** From the coming of the ask until the grants were decided. A pass may be used until `useMs` after that. */
  heldMs: z.number().nonnegative(),
});
export type GovernorAnswer = z.infer<typeof GovernorAnswer>;
