/** What `decide` answers. Expected outcomes only: a broken invariant throws. */
import type { Json, Rejection, RunEvent } from '@cadre/contracts';
import type { Draft } from './run/draft.js';

/** `accepted` events are one commit; its `at` must be the context's `now`. `duplicate`: already applied; nothing to store. */
export type Decision =
  | { outcome: 'accepted'; events: RunEvent[]; result?: Json }
  | { outcome: 'duplicate'; result?: Json }
  | { outcome: 'rejected'; code: Rejection; message: string };

/** Time and chance come in with the command. `now`: milliseconds since 1970 UTC; `random`: from 0 up to, not with, 1. */
export interface DecideContext {
  now: number;
  random: number;
  /** How much more of the tenant's money may be bound at this moment, beyond what its runs have bound. Undefined: there is no cap. */
  tenantRoomMicros?: number | undefined;
  /** Whether the tenant has a cap: a shard that spends from an allowance has a room without one, too. Left out: it has if there is a room. */
  tenantCapped?: boolean | undefined;
  /** More of it may be drawn: a call that does not fit into the room is not to make do with less. */
  tenantMayDraw?: boolean | undefined;
  /** Told of the draft that the decision is made in, so that it need not be folded again. */
  onDraft?: (draft: Draft) => void;
}

export function rejected(code: Rejection, message: string): Decision {
  return { outcome: 'rejected', code, message };
}

export function duplicate(result?: Json): Decision {
  return result === undefined ? { outcome: 'duplicate' } : { outcome: 'duplicate', result };
}

export function accepted(events: RunEvent[], result?: Json): Decision {
  return result === undefined ? { outcome: 'accepted', events } : { outcome: 'accepted', events, result };
}
