/**
 * What agents that are defined at run time need of a store: a record for each name, which changes only from the state that was looked at.
 */
import type { AgentName, AgentRecord } from '@cadre/contracts';

export interface StoredAgent {
  /** Grows with each write of any name. */
  revision: number;
  record: AgentRecord;
}

/** Revision 0: there is none. */
export type FoundAgent = StoredAgent | { revision: 0; record?: undefined };

/** Errors: `CadreError` `store-unavailable` (retriable). */
export interface AgentStore {
  /** As it was written last, by whomever. */
  read(name: AgentName): Promise<FoundAgent>;
  /**
   * Writes the record if the one of that name still has the revision. `changed`: it has another one.
   * @param forgetAfterMs from then on, give or take a second, it need not be there any more; undefined: it stays
   */
  write(record: AgentRecord, afterRevision: number, forgetAfterMs?: number): Promise<'written' | 'changed'>;
  /** Of all tenants, by name. */
  list(): Promise<StoredAgent[]>;
  /**
   * Tells of each record that is there, and from then on of each that is written, in the order of their revisions; after trouble some may
   * come again. What is forgotten is not told. Waits for a store that is not there yet, and goes on through trouble. @returns what ends it
   */
  watch(take: (stored: StoredAgent) => void): () => void;
}
