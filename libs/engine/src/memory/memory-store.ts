/** What the memories of agents need of a store: records that change only from the state that was looked at. */
import type { AgentName, MemoryRecord, RunId, TenantId } from '@cadre/contracts';

export interface StoredMemory {
  /** Changes with each write of that memory; 0: there is none. */
  revision: number;
  record?: MemoryRecord;
}

/** Everything is within one tenant; there is no way from one to another. Errors: `CadreError` `store-unavailable` (retriable). */
export interface MemoryStore {
  /** As it was written last, by whomever. @param runId left out: the memory of all runs */
  read(tenant: TenantId, agent: AgentName, runId?: RunId): Promise<StoredMemory>;
  /**
   * Writes the record if the one of its agent and run still has the revision. `changed`: it has another one.
   * @param forgetAfterMs from then on, give or take a second, it need not be there any more; undefined: it stays
   */
  write(tenant: TenantId, record: MemoryRecord, afterRevision: number, forgetAfterMs?: number): Promise<'written' | 'changed'>;
}
