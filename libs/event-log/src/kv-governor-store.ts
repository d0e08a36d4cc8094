/** The lines of model servers as entries of the bucket of leases, each with a time to live. */
import { hash } from 'node:crypto';
import { BUCKETS } from '@cadre/contracts';
import type { GovernorEntry, GovernorRecord, GovernorStore, GovernorWrite } from '@cadre/scheduling';
import { jetstreamManager, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { isConflict, StreamPublisher, ttlHeader } from './stream-publisher.js';

const REQUEST_MS = 600;

export class KvGovernorStore implements GovernorStore {
  readonly #jsm: JetStreamManager;
  readonly #publisher: StreamPublisher;

  private constructor(nats: NatsConnection, jsm: JetStreamManager) {
    this.#jsm = jsm;
    this.#publisher = new StreamPublisher(nats, REQUEST_MS);
  }

  /** The bucket must exist: see `ensureTopology`. */
  static async open(nats: NatsConnection): Promise<KvGovernorStore> {
    return new KvGovernorStore(nats, await jetstreamManager(nats, { timeout: REQUEST_MS, checkAPI: false }));
  }

  /** From the stream's leader. Rejects when there is no answer. */
  async read(line: string): Promise<GovernorEntry> {
    const message = await this.#jsm.streams.getMessage(`KV_${BUCKETS.leases}`, { last_by_subj: subjectOf(line) });
    if (message === null) return { revision: 0 };
    const record = recordOf(message);
    return { revision: message.seq, ...(record && { record }) };
  }

  async write(line: string, record: GovernorRecord, afterRevision: number, ttlMs: number): Promise<GovernorWrite> {
    const reply = await this.#publisher.send(subjectOf(line), Buffer.from(JSON.stringify(record)), [
      ['Nats-Expected-Last-Subject-Sequence', String(afterRevision)],
      ttlHeader(ttlMs),
    ]);
    if (reply.kind === 'stored') return { written: true, revision: reply.seq };
    return { written: false, reason: isConflict(reply) ? 'conflict' : 'unknown' };
  }

  close(): void {
    this.#publisher.close();
  }
}

/** Names of servers and models may hold what a subject may not. */
function subjectOf(line: string): string {
  return `$KV.${BUCKETS.leases}.governor.${hash('sha256', line, 'hex').slice(0, 32)}`;
}

/** Markers of the server stand for an entry whose time was up. */
function recordOf(message: StoredMsg): GovernorRecord | undefined {
  if (message.header?.has('KV-Operation') || message.header?.has('Nats-Marker-Reason')) return undefined;
  return message.json<GovernorRecord>();
}
