import { z } from 'zod';
import { Micros } from './values.js';

/** What the system knows of an agent that bids: from the heartbeats and the logs, never from the agent. */
export const BidderFigures = z.strictObject({
  /** Share of the slots of all who have the agent that were taken when the bid was asked for. */
  load: z.number().min(0).max(1),
  /** How its attempts have ended of late, as far as the scheduler has read. */
  succeeded: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  /** What an attempt of it has cost on average; left out: none has ended yet. */
  costMicros: Micros.optional(),
});
export type BidderFigures = z.infer<typeof BidderFigures>;
