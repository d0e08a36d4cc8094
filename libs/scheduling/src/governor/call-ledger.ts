/**
 * What was granted lately, in slots of a quarter of a second. A slot counts until its last pass can have reached the server more than a
 * minute ago: the window, the time for which a pass may be used, and the slot's own length.
 */
import { GOVERNOR_TIMING } from '@cadre/contracts';

const SLOT_MS = 250;
/** For so long a grant counts, in milliseconds. */
export const COUNTED_MS = 60_000 + GOVERNOR_TIMING.useMs + SLOT_MS;

/** Age in milliseconds, requests, tokens. */
export type SavedSlot = [ageMs: number, requests: number, tokens: number];

interface Slot {
  /** Its end: nothing in it is older than this says. */
  endsAt: number;
  requests: number;
  tokens: number;
}

export class CallLedger {
  private readonly slots: Slot[] = [];
  requests = 0;
  tokens = 0;

  /** @param saved counts as if it had been saved just now, which is never too early */
  constructor(saved: readonly SavedSlot[], now: number) {
    for (const [ageMs, requests, tokens] of saved) this.push({ endsAt: now - ageMs, requests, tokens });
  }

  /** @returns the slot, for corrections */
  add(tokens: number, now: number): Slot {
    this.expire(now);
    let slot = this.slots.at(-1);
    if (slot === undefined || slot.endsAt <= now) {
      slot = { endsAt: now + SLOT_MS, requests: 0, tokens: 0 };
      this.slots.push(slot);
    }
    this.correct(slot, 1, tokens);
    return slot;
  }

  /** What is known better now; of a slot that no longer counts it changes nothing. */
  correct(slot: Slot, requests: number, tokens: number): void {
    if (!this.counts(slot)) return;
    slot.requests += requests;
    slot.tokens += tokens;
    this.requests += requests;
    this.tokens += tokens;
  }

  counts(slot: Slot): boolean {
    const first = this.slots[0];
    return first !== undefined && slot.endsAt >= first.endsAt;
  }

  expire(now: number): void {
    let gone = 0;
    for (const slot of this.slots) {
      if (slot.endsAt - SLOT_MS + COUNTED_MS > now) break;
      this.requests -= slot.requests;
      this.tokens -= slot.tokens;
      gone += 1;
    }
    this.slots.splice(0, gone);
  }

  save(now: number): SavedSlot[] {
    this.expire(now);
    return this.slots.map(({ endsAt, requests, tokens }) => [Math.floor(now - endsAt), requests, tokens]);
  }

  private push(slot: Slot): void {
    this.slots.push(slot);
    this.requests += slot.requests;
    this.tokens += slot.tokens;
  }
}

export type LedgerSlot = Slot;
