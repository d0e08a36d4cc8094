/** The context store in memory. */
import type { AgentName, ContextGrants, ContextName, ContextRecord, TenantId } from '@cadre/contracts';
import type { ContextStore, StoredContext } from '@cadre/engine';

export class MemoryContextStore implements ContextStore {
  private readonly records = new Map<string, { json: string; revision: number; forgottenAt: number }>();
  private readonly grants = new Map<string, ContextGrants>();
  private revision = 0;

  async read(tenant: TenantId, name: ContextName): Promise<StoredContext> {
    const kept = this.kept(tenant, name);
    return kept === undefined ? { revision: 0 } : { revision: kept.revision, record: JSON.parse(kept.json) as ContextRecord };
  }

  async write(tenant: TenantId, record: ContextRecord, afterRevision: number, forgetAfterMs = Infinity): Promise<'written' | 'changed'> {
    if ((this.kept(tenant, record.name)?.revision ?? 0) !== afterRevision) return 'changed';
    this.revision += 1;
    const forgottenAt = performance.now() + forgetAfterMs;
    this.records.set(`${tenant} ${record.name}`, { json: JSON.stringify(record), revision: this.revision, forgottenAt });
    return 'written';
  }

  async names(tenant: TenantId, prefix: string): Promise<ContextName[]> {
    const names = [...this.records.keys()]
      .filter((key) => key.startsWith(`${tenant} ${prefix}`))
      .map((key) => key.slice(tenant.length + 1));
    return names.filter((name) => this.kept(tenant, name) !== undefined).sort();
  }

  async readGrants(tenant: TenantId, agent: AgentName): Promise<ContextGrants | undefined> {
    return this.grants.get(`${tenant} ${agent}`);
  }

  async writeGrants(tenant: TenantId, grants: ContextGrants): Promise<void> {
    this.grants.set(`${tenant} ${grants.agent}`, grants);
  }

  async listGrants(tenant: TenantId): Promise<ContextGrants[]> {
    return [...this.grants]
      .filter(([key]) => key.startsWith(`${tenant} `))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, grants]) => grants);
  }

  private kept(tenant: TenantId, name: ContextName) {
    const kept = this.records.get(`${tenant} ${name}`);
    return kept !== undefined && kept.forgottenAt > performance.now() ? kept : undefined;
  }
}
