/** Leases in memory: one object stands for the server, its leases for the holders. */
import { leaseAborted, leaseLost, leaseReleased, type Lease, type Leases } from '@cadre/engine';

interface Entry {
  lease: MemoryLease;
  /** Runs once the holder has died. */
  expiry?: NodeJS.Timeout;
}

export class MemoryLeases implements Leases {
  readonly #ttlMs: number;
  readonly #held = new Map<string, Entry>();
  readonly #waiting = new Map<string, (() => void)[]>();
  #lastEpoch = 0;

  /** @param ttlMs after how long the lease of a holder that died is free */
  constructor(ttlMs = 2000) {
    this.#ttlMs = ttlMs;
  }

  async acquire(name: string, holder: string, signal: AbortSignal): Promise<Lease> {
    while (this.#held.has(name) && !signal.aborted) await this.#freed(name, signal);
    if (signal.aborted) throw leaseAborted(name);
    this.#lastEpoch += 1;
    const lease = new MemoryLease(name, holder, this.#lastEpoch, () => this.#free(name, lease));
    this.#held.set(name, { lease });
    return lease;
  }

  /** The holder dies: it renews no more, and does not know. */
  die(lease: Lease): void {
    const entry = this.#held.get(lease.name);
    if (entry?.lease !== lease) return;
    entry.lease.expireAt(performance.now() + this.#ttlMs);
    entry.expiry = setTimeout(() => {
      entry.lease.end(leaseLost(lease.name));
      this.#free(lease.name, entry.lease);
    }, this.#ttlMs);
  }

  /** The server takes it away at once. */
  revoke(lease: Lease): void {
    const entry = this.#held.get(lease.name);
    if (entry?.lease !== lease) return;
    entry.lease.end(leaseLost(lease.name));
    this.#free(lease.name, entry.lease);
  }

  #free(name: string, lease: MemoryLease): void {
    const entry = this.#held.get(name);
    if (entry?.lease !== lease) return;
    clearTimeout(entry.expiry);
    this.#held.delete(name);
    const waiting = this.#waiting.get(name) ?? [];
    this.#waiting.delete(name);
    for (const wake of waiting) wake();
  }

  #freed(name: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(name) ?? [];
      this.#waiting.set(name, [...waiting, resolve]);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

class MemoryLease implements Lease {
  readonly name: string;
  readonly holder: string;
  readonly epoch: number;
  readonly #ending = new AbortController();
  readonly #free: () => void;
  #expiresAt = Infinity;

  constructor(name: string, holder: string, epoch: number, free: () => void) {
    this.name = name;
    this.holder = holder;
    this.epoch = epoch;
    this.#free = free;
  }

  get lost(): AbortSignal {
    return this.#ending.signal;
  }

  isHeld(): boolean {
    return !this.lost.aborted && performance.now() < this.#expiresAt;
  }

  async release(): Promise<void> {
    this.end(leaseReleased(this.name));
    this.#free();
  }

  expireAt(time: number): void {
    this.#expiresAt = time;
  }

  end(reason: Error): void {
    if (!this.lost.aborted) this.#ending.abort(reason);
  }
}
