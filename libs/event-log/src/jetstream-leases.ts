/**
 * Leases as entries with a time to live. The server drops an entry that is not renewed; the holder stops believing in it no later,
 * because it counts from the moment at which it sent the last renewal that was confirmed, and the server from when that arrived.
 */
import { randomUUID } from 'node:crypto';
import type { Lease, Leases } from '@cadre/engine';
import type { NatsConnection } from '@nats-io/transport-node';
import { pause } from './connection.js';
import { leaseAborted, leaseLost, leaseReleased } from './errors.js';
import { LeaseStore } from './lease-store.js';

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

export class JetStreamLeases implements Leases {
  readonly #store: LeaseStore;
  readonly #timing: LeaseTiming;

  private constructor(store: LeaseStore, timing: LeaseTiming) {
    this.#store = store;
    this.#timing = timing;
  }

  /** The bucket must exist: see `ensureTopology`. */
  static async open(nats: NatsConnection, timing: Partial<LeaseTiming> = {}): Promise<JetStreamLeases> {
    return new JetStreamLeases(await LeaseStore.open(nats), { ...LEASE_TIMING, ...timing });
  }

  /**
   * Goes on asking while the server is away.
   * @param name one or more tokens of letters, digits, `-`, `_` with dots between
   * @throws CadreError `aborted`
   */
  async acquire(name: string, holder: string, signal: AbortSignal): Promise<Lease> {
    if (!/^[\w-]+(\.[\w-]+)*$/.test(name)) throw new TypeError(`not a lease name: ${name}`);
    const token = randomUUID();
    const waiting = new Wakeable();
    const wake = (): void => waiting.wake();
    const stopHints = this.#store.onFreed(name, wake);
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        const lease = await this.#tryAcquire(name, holder, token).catch(() => undefined); // the server is away: ask again
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

  /** Leases that are held are no longer renewed; release them first. */
  close(): void {
    this.#store.close();
  }

  async #tryAcquire(name: string, holder: string, token: string): Promise<HeldLease | undefined> {
    const entry = await this.#store.read(name);
    if (entry.token !== undefined) return undefined;
    const sentAt = performance.now();
    const outcome = await this.#store.write(name, holder, token, entry.revision, this.#timing.ttlMs);
    let revision = outcome.written ? outcome.revision : 0;
    if (!outcome.written) {
      const after = await this.#store.read(name);
      if (after.token !== token) return undefined;
      revision = after.revision; // ours, only the answer was lost
    }
    return new HeldLease(this.#store, this.#timing, { name, holder, token, epoch: revision, confirmedAt: sentAt });
  }
}

/** A pause that can be cut short. After a hint the next pauses are short: the hint may be ahead of what it is about. */
class Wakeable {
  #short = 0;
  #cut = new AbortController();

  wake(): void {
    this.#short = HINT_RETRIES;
    this.#cut.abort();
  }

  async wait(ms: number): Promise<void> {
    await pause(this.#short > 0 ? HINT_RETRY_MS : ms, this.#cut.signal);
    this.#short = Math.max(0, this.#short - 1);
    if (this.#cut.signal.aborted) this.#cut = new AbortController();
  }
}

class HeldLease implements Lease {
  readonly name: string;
  readonly holder: string;
  readonly epoch: number;
  readonly #store: LeaseStore;
  readonly #timing: LeaseTiming;
  readonly #token: string;
  readonly #ending = new AbortController();
  readonly #renewals: Promise<void>;
  #revision: number;
  #confirmedAt: number;
  #deadline: NodeJS.Timeout | undefined;

  constructor(
    store: LeaseStore,
    timing: LeaseTiming,
    taken: { name: string; holder: string; token: string; epoch: number; confirmedAt: number },
  ) {
    this.#store = store;
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
    return !this.lost.aborted && performance.now() - this.#confirmedAt < this.#timing.ttlMs;
  }

  async release(): Promise<void> {
    const held = this.isHeld();
    this.#end(leaseReleased(this.name));
    await this.#renewals;
    if (!held) return;
    const until = this.#confirmedAt + this.#timing.ttlMs; // after that it has expired anyway
    while (performance.now() < until) {
      const outcome = await this.#store.free(this.name, this.#revision);
      if (outcome.written) return;
      if (!(await this.#stillOurs())) return;
      await pause(RETRY_MS);
    }
  }

  async #keepRenewing(): Promise<void> {
    let delayMs = this.#timing.renewMs;
    for (;;) {
      await pause(delayMs, this.lost);
      if (this.lost.aborted) return;
      const sentAt = performance.now();
      const outcome = await this.#store.write(this.name, this.holder, this.#token, this.#revision, this.#timing.ttlMs);
      if (outcome.written) {
        this.#revision = outcome.revision;
        this.#confirm(sentAt);
        delayMs = Math.max(0, this.#timing.renewMs - (performance.now() - sentAt));
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
      await pause(RETRY_MS, this.lost);
    }
    return true;
  }

  #confirm(sentAt: number): void {
    if (this.lost.aborted) return;
    this.#confirmedAt = sentAt;
    this.#armDeadline();
  }

  #armDeadline(): void {
    clearTimeout(this.#deadline);
    const leftMs = this.#confirmedAt + this.#timing.ttlMs - performance.now();
    this.#deadline = setTimeout(() => this.#end(leaseLost(this.name)), Math.max(0, leftMs));
  }

  #end(reason: Error): void {
    clearTimeout(this.#deadline);
    if (!this.lost.aborted) this.#ending.abort(reason);
  }
}
