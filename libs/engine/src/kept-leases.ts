/**
 * Leases as entries with a time to live in a store. The store drops an entry that is not renewed; the holder stops believing in it no
 * later, because it counts from the moment at which it sent the last renewal that was confirmed, and the store from when that arrived.
 */
import { pause } from './pause.js';
import { leaseAborted, leaseLost, leaseReleased } from './lease-errors.js';
import type { Clock, Lease, Leases } from './ports.js';

export interface LeaseEntry {
  /** Of the last message under that key, also of one that says that the lease is free; 0 when there is none. */
  revision: number;
  /** The life of the holder that has the lease; undefined when it is free. */
  token?: string;
}

export type LeaseWrite = { written: true; revision: number } | { written: false; reason: 'conflict' | 'unknown' };

/** Entries of leases. Only the newest revision can be followed; `unknown`: no answer came, and it may or may not have been written. */
export interface LeaseStore {
  /** Rejects when there is no answer. */
  read(name: string): Promise<LeaseEntry>;
  /** Never rejects. @param ttlMs the entry is dropped this long after it arrived */
  write(name: string, holder: string, token: string, afterRevision: number, ttlMs: number): Promise<LeaseWrite>;
  /** Never rejects. */
  free(name: string, afterRevision: number): Promise<LeaseWrite>;
  /** Calls back when the holder frees the lease: a hint, which may come early or not at all. @returns what stops it */
  onFreed(name: string, callback: () => void): () => void;
}

export interface LeaseTiming {
  /** Whole seconds: the server's unit. */
  ttlMs: number;
  renewMs: number;
  /** How often a waiting standby looks; bounds its delay after the entry has expired. */
  pollMs: number;
}

export const LEASE_TIMING: LeaseTiming = { ttlMs: 2000, renewMs: 650, pollMs: 250 };
const RETRY_MS = 100;
const HINT_RETRIES = 10;
const HINT_RETRY_MS = 20;

/** What surrounds kept leases. The clock need not tell the time of day, but must not be set: a lease lives on durations. */
export interface LeaseSurroundings {
  store: LeaseStore;
  clock: Clock;
  /** A token that no other process or time gives. */
  newId(): string;
}

export class KeptLeases implements Leases {
  readonly #around: LeaseSurroundings;
  readonly #timing: LeaseTiming;

  constructor(around: LeaseSurroundings, timing: Partial<LeaseTiming> = {}) {
    this.#around = around;
    this.#timing = { ...LEASE_TIMING, ...timing };
  }

  /**
   * Goes on asking while the store is away.
   * @param name one or more tokens of letters, digits, `-`, `_` with dots between
   * @throws CadreError `aborted`
   */
  async acquire(name: string, holder: string, signal: AbortSignal): Promise<Lease> {
    if (!/^[\w-]+(\.[\w-]+)*$/.test(name)) throw new TypeError(`not a lease name: ${name}`);
    const { store, clock, newId } = this.#around;
    const token = newId();
    const waiting = new Wakeable(clock);
    const wake = (): void => waiting.wake();
    const stopHints = store.onFreed(name, wake);
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        const lease = await this.#tryAcquire(name, holder, token).catch(() => undefined); // the store is away: ask again
        if (lease !== undefined && signal.aborted) await lease.release();
        else if (lease !== undefined) return lease;
        if (!signal.aborted) await waiting.wait(this.#timing.pollMs);
      }
      throw leaseAborted(name);
    } finally {
      signal.removeEventListener('abort', wake);
      stopHints();
    }
  }

  async #tryAcquire(name: string, holder: string, token: string): Promise<HeldLease | undefined> {
    const { store, clock } = this.#around;
    const entry = await store.read(name);
    if (entry.token !== undefined) return undefined;
    const sentAt = clock.now();
    const outcome = await store.write(name, holder, token, entry.revision, this.#timing.ttlMs);
    let revision = outcome.written ? outcome.revision : 0;
    if (!outcome.written) {
      const after = await store.read(name);
      if (after.token !== token) return undefined;
      revision = after.revision; // ours, only the answer was lost
    }
    return new HeldLease(store, clock, this.#timing, { name, holder, token, epoch: revision, confirmedAt: sentAt });
  }
}

/** A pause that can be cut short. After a hint the next pauses are short: the hint may be ahead of what it is about. */
class Wakeable {
  #short = 0;
  #cut = new AbortController();

  constructor(private readonly clock: Clock) {}

  wake(): void {
    this.#short = HINT_RETRIES;
    this.#cut.abort();
  }

  async wait(ms: number): Promise<void> {
    await pause(this.clock, this.#short > 0 ? HINT_RETRY_MS : ms, this.#cut.signal);
    this.#short = Math.max(0, this.#short - 1);
    if (this.#cut.signal.aborted) this.#cut = new AbortController();
  }
}

class HeldLease implements Lease {
  readonly name: string;
  readonly holder: string;
  readonly epoch: number;
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  readonly #timing: LeaseTiming;
  readonly #token: string;
  readonly #ending = new AbortController();
  readonly #renewals: Promise<void>;
  #revision: number;
  #confirmedAt: number;
  #cancelDeadline: () => void = () => undefined;

  constructor(
    store: LeaseStore,
    clock: Clock,
    timing: LeaseTiming,
    taken: { name: string; holder: string; token: string; epoch: number; confirmedAt: number },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#timing = timing;
    this.name = taken.name;
    this.holder = taken.holder;
    this.epoch = taken.epoch;
    this.#token = taken.token;
    this.#revision = taken.epoch;
    this.#confirmedAt = taken.confirmedAt;
    this.#armDeadline();
    this.#renewals = this.#keepRenewing();
  }

  get lost(): AbortSignal {
    return this.#ending.signal;
  }

  isHeld(): boolean {
    return !this.lost.aborted && this.#clock.now() - this.#confirmedAt < this.#timing.ttlMs;
  }

  async release(): Promise<void> {
    const held = this.isHeld();
    this.#end(leaseReleased(this.name));
    await this.#renewals;
    if (!held) return;
    const until = this.#confirmedAt + this.#timing.ttlMs; // after that it has expired anyway
    while (this.#clock.now() < until) {
      const outcome = await this.#store.free(this.name, this.#revision);
      if (outcome.written) return;
      if (!(await this.#stillOurs())) return;
      await pause(this.#clock, RETRY_MS);
    }
  }

  async #keepRenewing(): Promise<void> {
    let delayMs = this.#timing.renewMs;
    for (;;) {
      await pause(this.#clock, delayMs, this.lost);
      if (this.lost.aborted) return;
      const sentAt = this.#clock.now();
      const outcome = await this.#store.write(this.name, this.holder, this.#token, this.#revision, this.#timing.ttlMs);
      if (outcome.written) {
        this.#revision = outcome.revision;
        this.#confirm(sentAt);
        delayMs = Math.max(0, this.#timing.renewMs - (this.#clock.now() - sentAt));
        continue;
      }
      // An earlier renewal whose answer was lost moves the revision as well; it does not count as confirmed, the next one will.
      if (outcome.reason === 'conflict' && !(await this.#stillOurs())) return this.#end(leaseLost(this.name));
      delayMs = outcome.reason === 'conflict' ? 0 : RETRY_MS;
    }
  }

  /** False only when somebody else's entry, or none, is certainly there. Takes over the revision of our own. */
  async #stillOurs(): Promise<boolean> {
    try {
      const entry = await this.#store.read(this.name);
      if (entry.token !== this.#token) return false;
      this.#revision = entry.revision;
    } catch {
      await pause(this.#clock, RETRY_MS, this.lost);
    }
    return true;
  }

  #confirm(sentAt: number): void {
    if (this.lost.aborted) return;
    this.#confirmedAt = sentAt;
    this.#armDeadline();
  }

  #armDeadline(): void {
    this.#cancelDeadline();
    const leftMs = this.#confirmedAt + this.#timing.ttlMs - this.#clock.now();
    this.#cancelDeadline = this.#clock.after(Math.max(0, leftMs), () => this.#end(leaseLost(this.name)));
  }

  #end(reason: Error): void {
    this.#cancelDeadline();
    if (!this.lost.aborted) this.#ending.abort(reason);
  }
}
