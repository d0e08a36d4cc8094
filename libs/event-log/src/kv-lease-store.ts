/**
 * The entry of a lease in the KV bucket. The client's KV can create an entry with a time to live but not renew it with one, so entries
 * are published to the key's own subject, each with its time to live and the revision that it must follow.
 */
import { BUCKETS } from '@cadre/contracts';
import type { LeaseEntry, LeaseStore, LeaseWrite } from '@cadre/engine';
import { jetstreamManager, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { isConflict, StreamPublisher, ttlHeader } from './stream-publisher.js';

const REQUEST_MS = 600;

export class KvLeaseStore implements LeaseStore {
  readonly #nats: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #publisher: StreamPublisher;

  private constructor(nats: NatsConnection, jsm: JetStreamManager) {
    this.#nats = nats;
    this.#jsm = jsm;
    this.#publisher = new StreamPublisher(nats, REQUEST_MS);
  }

  static async open(nats: NatsConnection): Promise<KvLeaseStore> {
    return new KvLeaseStore(nats, await jetstreamManager(nats, { timeout: REQUEST_MS, checkAPI: false }));
  }

  /** From the stream's leader. Rejects when there is no answer. */
  async read(name: string): Promise<LeaseEntry> {
    const message = await this.#jsm.streams.getMessage(`KV_${BUCKETS.leases}`, { last_by_subj: subjectOf(name) });
    if (message === null) return { revision: 0 };
    const token = tokenOf(message);
    return { revision: message.seq, ...(token !== undefined && { token }) };
  }

  /** @param ttlMs rounded up to whole seconds, the server's unit */
  write(name: string, holder: string, token: string, afterRevision: number, ttlMs: number): Promise<LeaseWrite> {
    const value = Buffer.from(JSON.stringify({ holder, token }));
    return this.#publish(name, value, afterRevision, ttlHeader(ttlMs));
  }

  free(name: string, afterRevision: number): Promise<LeaseWrite> {
    return this.#publish(name, new Uint8Array(0), afterRevision, ['KV-Operation', 'DEL']);
  }

  /**
   * Calls back when the holder frees the lease. A hint only: it may come before the entry is stored, and an entry that expires gives
   * none. A plain subscription to the key's subject does, and unlike a consumer it has nothing that could get lost with a server.
   */
  onFreed(name: string, callback: () => void): () => void {
    const subscription = this.#nats.subscribe(subjectOf(name), {
      callback: (error, message) => {
        if (!error && message.headers?.has('KV-Operation')) callback();
      },
    });
    return () => {
      if (!this.#nats.isClosed()) subscription.unsubscribe();
    };
  }

  close(): void {
    this.#publisher.close();
  }

  async #publish(name: string, value: Uint8Array, afterRevision: number, header: [string, string]): Promise<LeaseWrite> {
    const headers: [string, string][] = [['Nats-Expected-Last-Subject-Sequence', String(afterRevision)], header];
    const reply = await this.#publisher.send(subjectOf(name), value, headers);
    if (reply.kind === 'stored') return { written: true, revision: reply.seq };
    return { written: false, reason: isConflict(reply) ? 'conflict' : 'unknown' };
  }
}

function subjectOf(name: string): string {
  return `$KV.${BUCKETS.leases}.${name}`;
}

/** Markers of the server and deletions stand for a free lease. */
function tokenOf(message: StoredMsg): string | undefined {
  if (message.header?.has('KV-Operation') || message.header?.has('Nats-Marker-Reason')) return undefined;
  try {
    return message.json<{ token: string }>().token;
  } catch {
    return undefined;
  }
}
