/** What `decide` answers. Expected outcomes only: a broken invariant throws. */
import type { Json, Rejection, RunEvent } from '@cadre/contracts';
import type { RunDraft } from './run-draft.js';

/**
 * `accepted` events are one commit; its `at` must be the context's `now`. `run`: what folding them comes to, at hand already; whoever
 * changes the events, or had another state decided on, leaves it out. `duplicate`: already applied; nothing to store.
 */
export type Decision =
  | { outcome: 'accepted'; events: RunEvent[]; run?: RunDraft | undefined; result?: Json }
  | { outcome: 'duplicate'; result?: Json }
  | { outcome: 'rejected'; code: Rejection; message: string };

/** Time and chance come in with the command. `now`: milliseconds since 1970 UTC; `random`: from 0 up to, not with, 1. */
export interface DecideContext {
  now: number;
  random: number;
  /** How much more of the tenant's money may be bound at this moment, beyond what its runs have bound. Undefined: there is no cap. */
  tenantRoomMicros?: number | undefined;
  /**
   * Whether the tenant has a cap: a shard that spends from an allowance has a room without one, too. Left out: it has if there is a room.
   */
  tenantCapped?: boolean | undefined;
  /** More of it may be drawn: a call that does not fit into the room is not to make do with less. */
  tenantMayDraw?: boolean | undefined;
}

export function rejected(code: Rejection, message: string): Decision {
  return { outcome: 'rejected', code, message };
}

export function duplicate(result?: Json): Decision {
  return result === undefined ? { outcome: 'duplicate' } : { outcome: 'duplicate', result };
}

/** What a draft has come to: its events, and the draft itself, so that nobody folds them again. */
export function accepted(draft: RunDraft & { readonly events: RunEvent[] }, result?: Json): Decision {
  const { events } = draft;
  return result === undefined ? { outcome: 'accepted', events, run: draft } : { outcome: 'accepted', events, run: draft, result };
}

/** Its events alone: for a log of decisions, and for who has changed what it rests on. */
export function withoutDraft(decision: Decision): Decision {
  return decision.outcome === 'accepted' ? { ...decision, run: undefined } : decision;
}
