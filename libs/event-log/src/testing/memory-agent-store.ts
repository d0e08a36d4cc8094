/** The store of agents that are defined at run time, in memory: any number of processes of a spec may share one. */
import type { AgentName, AgentRecord } from '@cadre/contracts';
import type { AgentStore, FoundAgent, StoredAgent } from '@cadre/engine';

export class MemoryAgentStore implements AgentStore {
  private readonly stored = new Map<AgentName, { revision: number; json: string; forgottenAt: number }>();
  private readonly watchers = new Set<(stored: StoredAgent) => void>();
  private revision = 0;

  async read(name: AgentName): Promise<FoundAgent> {
    return this.kept(name) ?? { revision: 0 };
  }

  async write(record: AgentRecord, afterRevision: number, forgetAfterMs = Infinity): Promise<'written' | 'changed'> {
    if ((this.kept(record.name)?.revision ?? 0) !== afterRevision) return 'changed';
    this.revision += 1;
    // A name that is written anew has a later revision than the others.
    this.stored.delete(record.name);
    this.stored.set(record.name, { revision: this.revision, json: JSON.stringify(record), forgottenAt: performance.now() + forgetAfterMs });
    for (const take of this.watchers) this.tell(record.name, take);
    return 'written';
  }

  async list(): Promise<StoredAgent[]> {
    return [...this.stored.keys()].sort().flatMap((name) => this.kept(name) ?? []);
  }

  watch(take: (stored: StoredAgent) => void): () => void {
    for (const name of this.stored.keys()) this.tell(name, take);
    this.watchers.add(take);
    return () => void this.watchers.delete(take);
  }

  private tell(name: AgentName, take: (stored: StoredAgent) => void): void {
    const stored = this.kept(name);
    if (stored) queueMicrotask(() => take(stored));
  }

  private kept(name: AgentName): StoredAgent | undefined {
    const kept = this.stored.get(name);
    if (kept === undefined || kept.forgottenAt <= performance.now()) return undefined;
    return { revision: kept.revision, record: JSON.parse(kept.json) as AgentRecord };
  }
}
