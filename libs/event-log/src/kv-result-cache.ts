/**
 * Results that stand for later ones, in a KV bucket. The client's KV puts nothing with a time to live, so entries are published to the
 * key's own subject, each with its time; and as the server counts whole seconds, the entry itself says to the millisecond until when it
 * counts.
 */
import { BUCKETS, KeptResult, type TenantId } from '@cadre/contracts';
import type { ResultCache } from '@cadre/engine';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { storeUnavailable } from './errors.js';
import { StreamPublisher, ttlHeader } from './stream-publisher.js';

const STREAM = `KV_${BUCKETS.results}`;
const STORE = 'The cache of results';
const REQUEST_MS = 600;

export class KvResultCache implements ResultCache {
  readonly #jsm: JetStreamManager;
  readonly #publisher: StreamPublisher;

  private constructor(nats: NatsConnection, jsm: JetStreamManager) {
    this.#jsm = jsm;
    this.#publisher = new StreamPublisher(nats, REQUEST_MS);
  }

  /** Asks nothing of the server, so it also opens where there is no bucket yet: see `ensureTopology`. */
  static async open(nats: NatsConnection): Promise<KvResultCache> {
    return new KvResultCache(nats, await jetstreamManager(nats, { timeout: REQUEST_MS, checkAPI: false }));
  }

  /** From any replica: an entry that one does not have yet is an entry that is not there yet. One that cannot be read counts as none. */
  async get(tenant: TenantId, key: string): Promise<KeptResult | undefined> {
    const message = await this.#jsm.direct.getMessage(STREAM, { last_by_subj: subjectOf(tenant, key) }).catch((cause: unknown) => {
      throw storeUnavailable(STORE, cause);
    });
    const kept = message === null ? undefined : parse(message.string());
    return kept !== undefined && kept.until > Date.now() ? kept : undefined;
  }

  async put(tenant: TenantId, key: string, kept: KeptResult): Promise<void> {
    const reply = await this.#publisher.send(subjectOf(tenant, key), Buffer.from(JSON.stringify(kept)), [
      ttlHeader(kept.until - Date.now()),
    ]);
    if (reply.kind === 'stored') return;
    throw storeUnavailable(STORE, new Error(reply.kind === 'refused' ? `${reply.description} (${reply.code})` : reply.reason));
  }

  close(): void {
    this.#publisher.close();
  }
}

function subjectOf(tenant: TenantId, key: string): string {
  return `$KV.${BUCKETS.results}.${tenant}.${key}`;
}

function parse(text: string): KeptResult | undefined {
  try {
    return KeptResult.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
