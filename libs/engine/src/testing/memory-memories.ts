/** What agents remember, in memory. */
import type { AgentName, MemoryRecord, RunId, TenantId } from '@cadre/contracts';
import type { MemoryStore, StoredMemory } from '../memory/memory-store.js';

export class MemoryMemories implements MemoryStore {
  readonly #entries = new Map<string, { json: string; revision: number; forgottenAt: number }>();
  #revision = 0;

  /** @param now milliseconds of any clock */
  constructor(private readonly now: () => number) {}

  async read(tenant: TenantId, agent: AgentName, runId?: RunId): Promise<StoredMemory> {
    const entry = this.#entryOf(tenant, agent, runId);
    return entry === undefined ? { revision: 0 } : { revision: entry.revision, record: JSON.parse(entry.json) as MemoryRecord };
  }

  async write(tenant: TenantId, record: MemoryRecord, afterRevision: number, forgetAfterMs = Infinity): Promise<'written' | 'changed'> {
    const { agent, runId } = record;
    if ((this.#entryOf(tenant, agent, runId)?.revision ?? 0) !== afterRevision) return 'changed';
    this.#revision += 1;
    const entry = { json: JSON.stringify(record), revision: this.#revision, forgottenAt: this.now() + forgetAfterMs };
    this.#entries.set(keyOf(tenant, agent, runId), entry);
    return 'written';
  }

  #entryOf(tenant: TenantId, agent: AgentName, runId: RunId | undefined) {
    const entry = this.#entries.get(keyOf(tenant, agent, runId));
    return entry !== undefined && entry.forgottenAt > this.now() ? entry : undefined;
  }
}

function keyOf(tenant: TenantId, agent: AgentName, runId: RunId | undefined): string {
  return [tenant, agent, runId ?? ''].join(' ');
}
