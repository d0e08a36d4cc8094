/**
 * Entries of a KV bucket that change only from the state that was looked at. An entry is published to its key's own subject, with the
 * revision that it must follow and its time to live, since the client's KV cannot do both. Nothing is asked of the server at the start: a
 * worker may be there before the bucket is.
 */
import { jetstreamManager, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { backoffMs, ConnectionState, pause } from './connection.js';
import { storeUnavailable } from './errors.js';
import { isConflict, StreamPublisher, ttlHeader } from './stream-publisher.js';

const REQUEST_MS = 3000;
const TRIES = 4;

/** Of an entry to be written. */
export interface EntryTerms {
  /** The revision of the entry to follow, 0: there must be none; left out: whatever is there. */
  afterRevision?: number;
  /** Then the server lets it go. */
  forgetAfterMs?: number | undefined;
}

export class KvEntries {
  readonly #bucket: string;
  readonly #what: string;
  readonly #jsm: JetStreamManager;
  readonly #connection: ConnectionState;
  readonly #publisher: StreamPublisher;

  private constructor(nats: NatsConnection, jsm: JetStreamManager, bucket: string, what: string) {
    this.#bucket = bucket;
    this.#what = what;
    this.#jsm = jsm;
    this.#connection = new ConnectionState(nats);
    this.#publisher = new StreamPublisher(nats, REQUEST_MS);
  }

  /** The bucket must exist by the first use: see `ensureTopology`. @param what names the store in errors */
  static async open(nats: NatsConnection, bucket: string, what: string): Promise<KvEntries> {
    return new KvEntries(nats, await jetstreamManager(nats, { timeout: REQUEST_MS, checkAPI: false }), bucket, what);
  }

  close(): void {
    this.#publisher.close();
    this.#connection.close();
  }

  /** From the stream's leader: a replica may lag behind. */
  last(key: string): Promise<StoredMsg | null> {
    return this.#asked(() => this.#jsm.streams.getMessage(`KV_${this.#bucket}`, { last_by_subj: this.#subjectOf(key) }));
  }

  async keys(filter: string): Promise<string[]> {
    const query = { subjects_filter: this.#subjectOf(filter), deleted_details: false, offset: 0 };
    const { state } = await this.#asked(() => this.#jsm.streams.info(`KV_${this.#bucket}`, query));
    return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(this.#subjectOf('').length));
  }

  async write(key: string, json: string, { afterRevision, forgetAfterMs }: EntryTerms): Promise<'written' | 'changed'> {
    const headers: [string, string][] = [];
    if (afterRevision !== undefined) headers.push(['Nats-Expected-Last-Subject-Sequence', String(afterRevision)]);
    if (forgetAfterMs !== undefined) headers.push(ttlHeader(forgetAfterMs));
    for (let tries = 0; tries < TRIES; tries += 1) {
      await this.#connection.whenUp(REQUEST_MS);
      const reply = await this.#publisher.send(this.#subjectOf(key), Buffer.from(json), headers);
      if (reply.kind === 'stored') return 'written';
      if (reply.kind === 'refused' && !isConflict(reply)) throw this.#unavailable(new Error(`${reply.description} (${reply.code})`));
      // Ours may be there with its answer lost. A conflict while the revision is the same passes: the server is about to store something.
      const there = await this.last(key);
      if (there?.string() === json) return 'written';
      if (afterRevision !== undefined && (there?.seq ?? 0) !== afterRevision) return 'changed';
      await pause(backoffMs(tries));
    }
    throw this.#unavailable();
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      await this.#connection.whenUp(REQUEST_MS);
      try {
        return await this.#connection.whileUp(ask());
      } catch (cause) {
        if (tries + 1 >= TRIES) throw this.#unavailable(cause);
        await pause(backoffMs(tries));
      }
    }
  }

  #subjectOf(key: string): string {
    return `$KV.${this.#bucket}.${key}`;
  }

  #unavailable(cause?: unknown): Error {
    return storeUnavailable(this.#what, cause);
  }
}
