/**
 * Who gets the work: the bidder's own confidence, times what the system knows of it. Nothing that a bidder says of its load, its price or
 * its past counts.
 *
 * `score = confidence · success · (1 − load / 2) · price`, with `success = (succeeded + 1) / (succeeded + failed + 2)`, so that one failure
 * does not rule out a newcomer, and `price = (1 + cheapest / own) / 2` from the mean cost of an attempt. What is not known counts as the
 * middle: load 0.5, price 0.75.
 */
import type { BidderFigures } from '@cadre/contracts';

export interface Bid {
  /** Left out: not known; it counts as even odds. */
  confidence?: number | undefined;
  figures?: BidderFigures | undefined;
}

const UNKNOWN = { confidence: 0.5, load: 0.5, price: 0.75 } as const;

/** The best first; of equal ones the earlier. A score has four digits, so that it says no more than it knows. */
export function rankedBids<B extends Bid>(bids: readonly B[]): (B & { score: number })[] {
  const costs = bids.flatMap(({ figures }) => (figures?.costMicros === undefined ? [] : [figures.costMicros]));
  const cheapest = Math.min(...costs);
  const scored = bids.map((bid) => ({ ...bid, score: Math.round(scoreOf(bid, cheapest) * 10_000) / 10_000 }));
  return scored.sort((a, b) => b.score - a.score);
}

function scoreOf({ confidence = UNKNOWN.confidence, figures }: Bid, cheapest: number): number {
  const { succeeded = 0, failed = 0, load = UNKNOWN.load, costMicros } = figures ?? {};
  const success = (succeeded + 1) / (succeeded + failed + 2);
  return confidence * success * (1 - load / 2) * priceFactor(costMicros, cheapest);
}

function priceFactor(own: number | undefined, cheapest: number): number {
  if (own === undefined) return UNKNOWN.price;
  return own === 0 ? 1 : (1 + cheapest / own) / 2;
}
