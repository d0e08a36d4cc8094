/** Where the holder of the lines keeps what its successor must know. */
import type { SavedLine } from './governed-line.js';

export interface GovernorRecord extends SavedLine {
  /** The term that wrote it, and its number among that term's writes: what was written although the answer got lost is recognised. */
  by: string;
  write: number;
}

export interface GovernorEntry {
  /** Of the last message under that key, also of one that says that the entry is gone; 0 when there is none. */
  revision: number;
  /** Undefined when there is none, or its time was up. */
  record?: GovernorRecord;
}

/** `conflict`: another revision is there; `unknown`: no answer came, and it may or may not have been written, or still be. */
export type GovernorWrite = { written: true; revision: number } | { written: false; reason: 'conflict' | 'unknown' };

/** One entry for each line. Only the newest revision can be followed. */
export interface GovernorStore {
  /** Rejects when there is no answer. */
  read(line: string): Promise<GovernorEntry>;
  /** Never rejects. @param ttlMs the entry is dropped this long after it arrived, rounded up to whole seconds */
  write(line: string, record: GovernorRecord, afterRevision: number, ttlMs: number): Promise<GovernorWrite>;
}
