/** Entries of lines in memory, with every way in which a write may go wrong. */
import type { GovernorEntry, GovernorRecord, GovernorStore, GovernorWrite } from '../governor/governor-store.js';

export class MemoryGovernorStore implements GovernorStore {
  private readonly entries = new Map<string, { revision: number; record: GovernorRecord; until: number }>();
  private revision = 0;
  /** How the next write goes: as it should, stored with its answer lost, or lost. */
  fate: () => 'stored' | 'answer-lost' | 'lost' = () => 'stored';

  constructor(private readonly now: () => number) {}

  async read(line: string): Promise<GovernorEntry> {
    const entry = this.entries.get(line);
    if (!entry) return { revision: 0 };
    return { revision: entry.revision, ...(entry.until > this.now() && { record: structuredClone(entry.record) }) };
  }

  async write(line: string, record: GovernorRecord, afterRevision: number, ttlMs: number): Promise<GovernorWrite> {
    const fate = this.fate();
    if (fate === 'lost') return { written: false, reason: 'unknown' };
    if ((this.entries.get(line)?.revision ?? 0) !== afterRevision) return { written: false, reason: 'conflict' };
    this.revision += 1;
    const until = this.now() + Math.ceil(ttlMs / 1000) * 1000;
    this.entries.set(line, { revision: this.revision, record: structuredClone(record), until });
    return fate === 'stored' ? { written: true, revision: this.revision } : { written: false, reason: 'unknown' };
  }
}
