/** What the shared context needs of a store: records that change only from the state that was looked at. */
import type { AgentName, ContextGrants, ContextName, ContextRecord, TenantId } from '@cadre/contracts';

export interface StoredContext {
  /** Changes with each write of that name; 0: there is none. */
  revision: number;
  record?: ContextRecord;
}

/** Everything is within one tenant; there is no way from one to another. Errors: `CadreError` `store-unavailable` (retriable). */
export interface ContextStore {
  /** As it was written last, by whomever. */
  read(tenant: TenantId, name: ContextName): Promise<StoredContext>;
  /**
   * Writes the record if the one of that name still has the revision. `changed`: it has another one, which may be this very write if an
   * acknowledgement got lost.
   * @param forgetAfterMs from then on, give or take a second, it need not be there any more; undefined: it stays
   */
  write(tenant: TenantId, record: ContextRecord, afterRevision: number, forgetAfterMs?: number): Promise<'written' | 'changed'>;
  /** Of all records whose names begin so, sorted. */
  names(tenant: TenantId, prefix: string): Promise<ContextName[]>;
  /** Undefined: nothing was ever granted. */
  readGrants(tenant: TenantId, agent: AgentName): Promise<ContextGrants | undefined>;
  /** In the place of all that the agent had. */
  writeGrants(tenant: TenantId, grants: ContextGrants): Promise<void>;
  /** By the agents' names. */
  listGrants(tenant: TenantId): Promise<ContextGrants[]>;
}
