/** `LeaseStore` of one life, over its wire. */
import type { LeaseEntry, LeaseStore, LeaseWrite } from '@cadre/engine';
import type { LeaseTable } from '../broker/lease-table.js';
import type { Wire } from '../wire.js';

const UNKNOWN: LeaseWrite = { written: false, reason: 'unknown' };

export class SimLeaseStore implements LeaseStore {
  constructor(
    private readonly wire: Wire,
    private readonly table: LeaseTable,
    private readonly now: () => number,
  ) {}

  read(name: string): Promise<LeaseEntry> {
    return this.wire.ask('lease-read', () => this.table.read(name, this.now()));
  }

  write(name: string, _holder: string, token: string, afterRevision: number, ttlMs: number): Promise<LeaseWrite> {
    return this.wire.ask('lease-write', () => this.table.write(name, token, afterRevision, ttlMs, this.now())).catch(() => UNKNOWN);
  }

  free(name: string, afterRevision: number): Promise<LeaseWrite> {
    return this.wire.ask('lease-free', () => this.table.free(name, afterRevision, this.now())).catch(() => UNKNOWN);
  }

  onFreed(name: string, callback: () => void): () => void {
    return this.table.onFreed(name, () => this.wire.toListener(this.wire.life, callback));
  }
}
