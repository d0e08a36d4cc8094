/**
 * What agents remember, beside the context store in its bucket: `<tenant>.memory.<agent>` of all runs, `<tenant>.memory.<agent>.<run>` of
 * one.
 */
import { BUCKETS, MemoryRecord, type AgentName, type RunId, type TenantId } from '@cadre/contracts';
import type { MemoryStore, StoredMemory } from '@cadre/engine';
import type { NatsConnection } from '@nats-io/transport-node';
import { KvEntries } from './kv-entries.js';

export class KvMemoryStore implements MemoryStore {
  private constructor(private readonly entries: KvEntries) {}

  /** The bucket must exist by the first use: see `ensureTopology`. */
  static async open(nats: NatsConnection): Promise<KvMemoryStore> {
    return new KvMemoryStore(await KvEntries.open(nats, BUCKETS.context, "The store of agents' memories"));
  }

  close(): void {
    this.entries.close();
  }

  async read(tenant: TenantId, agent: AgentName, runId?: RunId): Promise<StoredMemory> {
    const message = await this.entries.last(keyOf(tenant, agent, runId));
    return message === null ? { revision: 0 } : { revision: message.seq, record: MemoryRecord.parse(message.json()) };
  }

  write(tenant: TenantId, record: MemoryRecord, afterRevision: number, forgetAfterMs?: number): Promise<'written' | 'changed'> {
    return this.entries.write(keyOf(tenant, record.agent, record.runId), JSON.stringify(record), { afterRevision, forgetAfterMs });
  }
}

function keyOf(tenant: TenantId, agent: AgentName, runId: RunId | undefined): string {
  return `${tenant}.memory.${agent}${runId === undefined ? '' : `.${runId}`}`;
}
