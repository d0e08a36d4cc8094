/** Aggregations: what finished runs have come to, put together in a run of its own. */
import { z } from 'zod';
import { AgentName, RunId } from './ids.js';
import { Goal, RunOptions } from './plan.js';
import { COMBINE_RULES, Gate, Need } from './scopes.js';

/** Aggregations of aggregations go on from there. */
export const MAX_AGGREGATED_RUNS = 100;

const instructions = { instructions: z.string().min(1).max(8000).optional() };

/**
 * The engine's own rules, as in a scope; `summary`: the agent that writes answers makes one of all; `custom`: an agent of your own does.
 */
export const AggregationRule = z.discriminatedUnion('by', [
  ...COMBINE_RULES,
  z.strictObject({ by: z.literal('summary'), ...instructions }),
  z.strictObject({ by: z.literal('custom'), agent: AgentName, ...instructions }),
]);
export type AggregationRule = z.infer<typeof AggregationRule>;

/** Body of `POST /v1/aggregations`. */
export const AggregationRequest = z.strictObject({
  /** Whose results, in this order; each once. They are named by their ids. */
  runs: z.array(RunId).min(1).max(MAX_AGGREGATED_RUNS),
  combine: AggregationRule,
  /** What a result must be to count. */
  gate: Gate.optional(),
  /** How many results must count. Default: all; with `partial` or a gate any. */
  need: Need.optional(),
  /** Runs that failed, were cancelled or have not ended are left out, and the result is marked as partial. Without it they are an error. */
  partial: z.boolean().default(false),
  /** Default: says how many runs there are. */
  goal: Goal.optional(),
  options: RunOptions.prefault({}),
});
export type AggregationRequest = z.infer<typeof AggregationRequest>;
