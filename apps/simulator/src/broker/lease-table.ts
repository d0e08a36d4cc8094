/** Entries of leases with their time to live, as the broker keeps them. */
import type { LeaseEntry, LeaseWrite } from '@cadre/engine';

/** A holder renews more often than this, or stops believing. */
const DOUBT_MS = 3000;

interface Entry {
  revision: number;
  token?: string;
  expiresAt: number;
}

export class LeaseTable {
  readonly #entries = new Map<string, Entry>();
  readonly #hints = new Set<{ name: string; call: () => void }>();
  #revision = 0;
  #takenBackAt = -Infinity;

  read(name: string, now: number): LeaseEntry {
    const entry = this.#current(name, now);
    return { revision: entry?.revision ?? 0, ...(entry?.token !== undefined && { token: entry.token }) };
  }

  write(name: string, token: string, afterRevision: number, ttlMs: number, now: number): LeaseWrite {
    if ((this.#current(name, now)?.revision ?? 0) !== afterRevision) return { written: false, reason: 'conflict' };
    this.#revision += 1;
    this.#entries.set(name, { revision: this.#revision, token, expiresAt: now + ttlMs });
    return { written: true, revision: this.#revision };
  }

  free(name: string, afterRevision: number, now: number): LeaseWrite {
    if ((this.#current(name, now)?.revision ?? 0) !== afterRevision) return { written: false, reason: 'conflict' };
    this.revoke(name);
    for (const hint of this.#hints) if (hint.name === name) hint.call();
    return { written: true, revision: this.#revision };
  }

  /** Takes a lease back before its time, which a broker should not do. */
  takeBack(name: string, now: number): void {
    this.#takenBackAt = now;
    this.revoke(name);
  }

  /** Whether a holder may not have heard yet that its lease was taken back. */
  isDoubtful(now: number): boolean {
    return now - this.#takenBackAt < DOUBT_MS;
  }

  /** The broker gives it to nobody, and no longer to its holder. */
  revoke(name: string): void {
    this.#revision += 1;
    this.#entries.set(name, { revision: this.#revision, expiresAt: Infinity });
  }

  names(): string[] {
    return [...this.#entries.keys()];
  }

  onFreed(name: string, call: () => void): () => void {
    const hint = { name, call };
    this.#hints.add(hint);
    return () => this.#hints.delete(hint);
  }

  #current(name: string, now: number): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry?.token !== undefined && now >= entry.expiresAt) this.revoke(name);
    return this.#entries.get(name);
  }
}
