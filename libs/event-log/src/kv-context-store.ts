/**
 * The context store in a KV bucket: `<tenant>.artifact.<name>` holds an artifact's record, `<tenant>.grant.<agent>` what an agent may do.
 * Bodies are in the object store. What is read comes from the stream's leader: an agent that lost its grant must not go on with it.
 */
import { BUCKETS, ContextGrants, ContextRecord, type AgentName, type ContextName, type TenantId } from '@cadre/contracts';
import type { ContextStore, StoredContext } from '@cadre/engine';
import type { NatsConnection } from '@nats-io/transport-node';
import { KvEntries } from './kv-entries.js';

export class KvContextStore implements ContextStore {
  private constructor(private readonly entries: KvEntries) {}

  /** The bucket must exist by the first use: see `ensureTopology`. */
  static async open(nats: NatsConnection): Promise<KvContextStore> {
    return new KvContextStore(await KvEntries.open(nats, BUCKETS.context, 'The context store'));
  }

  close(): void {
    this.entries.close();
  }

  async read(tenant: TenantId, name: ContextName): Promise<StoredContext> {
    const message = await this.entries.last(artifactKey(tenant, name));
    return message === null ? { revision: 0 } : { revision: message.seq, record: ContextRecord.parse(message.json()) };
  }

  write(tenant: TenantId, record: ContextRecord, afterRevision: number, forgetAfterMs?: number): Promise<'written' | 'changed'> {
    return this.entries.write(artifactKey(tenant, record.name), JSON.stringify(record), { afterRevision, forgetAfterMs });
  }

  async names(tenant: TenantId, prefix: string): Promise<ContextName[]> {
    const lead = `${tenant}.artifact.`;
    const names = (await this.entries.keys(`${lead}*`)).map((key) => nameOf(key.slice(lead.length)));
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  async readGrants(tenant: TenantId, agent: AgentName): Promise<ContextGrants | undefined> {
    const message = await this.entries.last(grantKey(tenant, agent));
    return message === null ? undefined : ContextGrants.parse(message.json());
  }

  async writeGrants(tenant: TenantId, grants: ContextGrants): Promise<void> {
    await this.entries.write(grantKey(tenant, grants.agent), JSON.stringify(grants), {});
  }

  async listGrants(tenant: TenantId): Promise<ContextGrants[]> {
    const keys = (await this.entries.keys(`${tenant}.grant.*`)).sort();
    const messages = await Promise.all(keys.map((key) => this.entries.last(key)));
    return messages.flatMap((message) => (message === null ? [] : [ContextGrants.parse(message.json())]));
  }
}

const grantKey = (tenant: TenantId, agent: AgentName): string => `${tenant}.grant.${agent}`;

/** A dot would part the key; `=` is in no name. */
const artifactKey = (tenant: TenantId, name: ContextName): string => `${tenant}.artifact.${name.replaceAll('.', '=')}`;
const nameOf = (part: string): ContextName => part.replaceAll('=', '.');
