/**
 * The context store in a KV bucket: `<tenant>.artifact.<name>` holds an artifact's record, `<tenant>.grant.<agent>` what an agent may do. A record is published to
 * its key's own subject, with the revision that it must follow and its time to live, since the client's KV cannot do both. Bodies are in the object store.
 * Nothing is asked of the server at the start: a worker may be there before the bucket is.
 */
import { BUCKETS, ContextGrants, ContextRecord, type AgentName, type ContextName, type TenantId } from '@cadre/contracts';
import type { ContextStore, StoredContext } from '@cadre/engine';
import { jetstreamManager, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { backoffMs, ConnectionState, pause } from './connection.js';
import { storeUnavailable } from './errors.js';
import { isConflict, StreamPublisher, ttlHeader } from './stream-publisher.js';

const REQUEST_MS = 3000;
const TRIES = 4;

export class KvContextStore implements ContextStore {
  readonly #jsm: JetStreamManager;
  readonly #connection: ConnectionState;
  readonly #publisher: StreamPublisher;

  private constructor(nats: NatsConnection, jsm: JetStreamManager) {
    this.#jsm = jsm;
    this.#connection = new ConnectionState(nats);
    this.#publisher = new StreamPublisher(nats, REQUEST_MS);
  }

  /** The bucket must exist by the first use: see `ensureTopology`. */
  static async open(nats: NatsConnection): Promise<KvContextStore> {
    return new KvContextStore(nats, await jetstreamManager(nats, { timeout: REQUEST_MS, checkAPI: false }));
  }

  close(): void {
    this.#publisher.close();
    this.#connection.close();
  }

  async read(tenant: TenantId, name: ContextName): Promise<StoredContext> {
    const message = await this.#last(artifactKey(tenant, name));
    return message === null ? { revision: 0 } : { revision: message.seq, record: ContextRecord.parse(message.json()) };
  }

  async write(tenant: TenantId, record: ContextRecord, afterRevision: number, forgetAfterMs?: number): Promise<'written' | 'changed'> {
    const headers: [string, string][] = [['Nats-Expected-Last-Subject-Sequence', String(afterRevision)]];
    if (forgetAfterMs !== undefined) headers.push(ttlHeader(forgetAfterMs));
    return this.#publish(artifactKey(tenant, record.name), JSON.stringify(record), headers, afterRevision);
  }

  async names(tenant: TenantId, prefix: string): Promise<ContextName[]> {
    const lead = `${tenant}.artifact.`;
    const names = (await this.#keys(`${lead}*`)).map((key) => nameOf(key.slice(lead.length)));
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  async readGrants(tenant: TenantId, agent: AgentName): Promise<ContextGrants | undefined> {
    const message = await this.#last(grantKey(tenant, agent));
    return message === null ? undefined : ContextGrants.parse(message.json());
  }

  async writeGrants(tenant: TenantId, grants: ContextGrants): Promise<void> {
    await this.#publish(grantKey(tenant, grants.agent), JSON.stringify(grants), []);
  }

  async listGrants(tenant: TenantId): Promise<ContextGrants[]> {
    const keys = (await this.#keys(`${tenant}.grant.*`)).sort();
    const messages = await Promise.all(keys.map((key) => this.#last(key)));
    return messages.flatMap((message) => (message === null ? [] : [ContextGrants.parse(message.json())]));
  }

  /** From the stream's leader: a replica may lag behind, and an agent that lost its grant must not go on with it. */
  #last(key: string): Promise<StoredMsg | null> {
    return this.#asked(() => this.#jsm.streams.getMessage(`KV_${BUCKETS.context}`, { last_by_subj: subjectOf(key) }));
  }

  async #keys(filter: string): Promise<string[]> {
    const query = { subjects_filter: subjectOf(filter), deleted_details: false, offset: 0 };
    const { state } = await this.#asked(() => this.#jsm.streams.info(`KV_${BUCKETS.context}`, query));
    return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(subjectOf('').length));
  }

  /** @param afterRevision that of the entry to follow; undefined: whatever is there */
  async #publish(key: string, json: string, headers: [string, string][], afterRevision?: number): Promise<'written' | 'changed'> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      await this.#connection.whenUp(REQUEST_MS);
      const reply = await this.#publisher.send(subjectOf(key), Buffer.from(json), headers);
      if (reply.kind === 'stored') return 'written';
      if (reply.kind === 'refused' && !isConflict(reply)) throw unavailable(new Error(`${reply.description} (${reply.code})`));
      // Ours may be there with its answer lost. A conflict while the revision is the same passes: the server is about to store something.
      const there = await this.#last(key);
      if (there?.string() === json) return 'written';
      if (afterRevision !== undefined && (there?.seq ?? 0) !== afterRevision) return 'changed';
      await pause(backoffMs(tries));
    }
    throw unavailable();
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      await this.#connection.whenUp(REQUEST_MS);
      try {
        return await this.#connection.whileUp(ask());
      } catch (cause) {
        if (tries + 1 >= TRIES) throw unavailable(cause);
        await pause(backoffMs(tries));
      }
    }
  }
}

const unavailable = (cause?: unknown): Error => storeUnavailable('The context store', cause);
const subjectOf = (key: string): string => `$KV.${BUCKETS.context}.${key}`;
const grantKey = (tenant: TenantId, agent: AgentName): string => `${tenant}.grant.${agent}`;

/** A dot would part the key; `=` is in no name. */
const artifactKey = (tenant: TenantId, name: ContextName): string => `${tenant}.artifact.${name.replaceAll('.', '=')}`;
const nameOf = (part: string): ContextName => part.replaceAll('=', '.');
