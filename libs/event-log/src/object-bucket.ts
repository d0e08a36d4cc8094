/**
 * Named bodies in a bucket of NATS's object store, readable with `nats object get`. Own writing and reading, because the client's `put`
 * deletes the chunks of a body whose last acknowledgement got lost although the body is complete, waits for each chunk, and its `get`
 * waits for ever when chunks are missing. A body is there when its entry (the "meta" message) is; chunks come before it.
 */
import { randomUUID } from 'node:crypto';
import { jetstreamManager, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { backoffMs, ConnectionState, pause } from './connection.js';
import { sha256 } from './digest.js';
import { storeUnavailable } from './errors.js';
import { isConflict, StreamPublisher, type PublishReply } from './stream-publisher.js';

const CHUNK_BYTES = 512 * 1024;
const ENVELOPE_BYTES = 1024;
const CHUNKS_IN_FLIGHT = 4;
const TRIES = 4;
const REQUEST_MS = 3000;

/** The entry of a body: where its chunks are and what they must amount to. */
export interface ObjectHead {
  /** Changes with each new entry of that name; 0 for none. */
  revision: number;
  chunksId: string;
  size: number;
  chunks: number;
  /** `SHA-256=` and the digest in base64url. */
  digest: string;
  metadata: Record<string, string>;
}

/** Why a body cannot be read although it has an entry. */
export class BodyDamaged extends Error {}

export class ObjectBucket {
  readonly #nats: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #connection: ConnectionState;
  readonly #publisher: StreamPublisher;
  readonly #bucket: string;
  readonly #stream: string;

  private constructor(nats: NatsConnection, jsm: JetStreamManager, bucket: string) {
    this.#nats = nats;
    this.#jsm = jsm;
    this.#connection = new ConnectionState(nats);
    this.#publisher = new StreamPublisher(nats, REQUEST_MS);
    this.#bucket = bucket;
    this.#stream = `OBJ_${bucket}`;
  }

  static async open(nats: NatsConnection, bucket: string): Promise<ObjectBucket> {
    return new ObjectBucket(nats, await jetstreamManager(nats, { timeout: REQUEST_MS, checkAPI: false }), bucket);
  }

  close(): void {
    this.#publisher.close();
    this.#connection.close();
  }

  /** The current entry of that name, from the stream's leader. */
  async head(name: string): Promise<ObjectHead | undefined> {
    const message = await this.#asked(() => this.#jsm.streams.getMessage(this.#stream, { last_by_subj: this.#metaSubject(name) }));
    return message === null ? undefined : parseHead(message);
  }

  /** Like `head`, but any replica may answer, so that a fresh entry may be missed. */
  async nearbyHead(name: string): Promise<ObjectHead | undefined> {
    const message = await this.#asked(() => this.#jsm.direct.getMessage(this.#stream, { last_by_subj: this.#metaSubject(name) }));
    return message === null ? undefined : parseHead(message);
  }

  /**
   * Stores a body under a name whose current entry has the revision `expected` (0: none). `changed`: somebody else was first.
   * The former body's chunks stay; see `dropChunks`.
   * @param options.chunksPrefix makes the chunks of a family of bodies findable by `chunksUnder`
   */
  async put(
    name: string,
    bytes: Uint8Array,
    options: { expected: number; digest: Buffer; chunksPrefix?: string; metadata?: Record<string, string> },
  ): Promise<'stored' | 'changed'> {
    const { chunksId, chunks } = await this.#putChunks(bytes, options.chunksPrefix);
    const head = { chunksId, size: bytes.length, chunks, digest: digestText(options.digest), metadata: options.metadata ?? {} };
    const outcome = await this.point(name, head, options.expected);
    if (outcome === 'changed') await this.dropChunks(chunksId);
    return outcome;
  }

  /** Makes the name stand for chunks that are stored already. `expected` undefined: whatever it stood for before. */
  async point(name: string, head: Omit<ObjectHead, 'revision'>, expected?: number): Promise<'stored' | 'changed'> {
    const entry = Buffer.from(JSON.stringify(this.#entry(name, head)));
    const headers: [string, string][] = [['Nats-Rollup', 'sub']];
    if (expected !== undefined) headers.push(['Nats-Expected-Last-Subject-Sequence', String(expected)]);
    for (let tries = 0; tries < TRIES; tries += 1) {
      const reply = await this.#publisher.send(this.#metaSubject(name), entry, headers);
      if (reply.kind === 'stored') return 'stored';
      if (reply.kind === 'refused' && !isConflict(reply)) throw this.#refused(reply.code, reply.description);
      // Ours may be there with its answer lost; else a conflict means another's entry, and silence means that nothing arrived.
      const there = await this.head(name);
      if (there?.chunksId === head.chunksId) return 'stored';
      if (expected !== undefined && (there?.revision ?? 0) !== expected) return 'changed';
      await pause(backoffMs(tries));
    }
    throw storeUnavailable('The object store');
  }

  /** @throws BodyDamaged when chunks are missing or the digest differs */
  async get(head: ObjectHead): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let seq = 1;
    for (let i = 0; i < head.chunks; i += 1) {
      const chunk = await this.#chunk(head.chunksId, seq);
      if (chunk === null) throw new BodyDamaged(`${head.chunks - i} of ${head.chunks} chunks are missing`);
      parts.push(chunk.data);
      seq = chunk.seq + 1;
    }
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    if (bytes.length !== head.size) throw new BodyDamaged(`it has ${bytes.length} bytes instead of ${head.size}`);
    if (digestText(await sha256(bytes)) !== head.digest) throw new BodyDamaged('its digest differs');
    return bytes;
  }

  async dropChunks(chunksId: string): Promise<void> {
    await this.#asked(() => this.#jsm.streams.purge(this.#stream, { filter: this.#chunkSubject(chunksId) }));
  }

  /** Ids of all chunks `<prefix>.<anything>`, whether or not an entry stands for them. */
  async chunksUnder(prefix: string): Promise<string[]> {
    const info = await this.#asked(() =>
      this.#jsm.streams.info(this.#stream, { subjects_filter: this.#chunkSubject(`${prefix}.*`), deleted_details: false, offset: 0 }),
    );
    const lead = this.#chunkSubject('');
    return Object.keys(info.state.subjects ?? {}).map((subject) => subject.slice(lead.length));
  }

  /** Each try has a subject of its own: a lost chunk spoils the order of the others, and a late one may come after the clean-up. */
  async #putChunks(bytes: Uint8Array, prefix: string | undefined): Promise<{ chunksId: string; chunks: number }> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      await this.#connection.whenUp(REQUEST_MS);
      const chunksId = prefix === undefined ? randomUUID() : `${prefix}.${randomUUID()}`;
      const replies = await this.#sendChunks(this.#chunkSubject(chunksId), bytes);
      const failed = replies.find((reply) => reply.kind !== 'stored');
      if (failed === undefined) return { chunksId, chunks: replies.length };
      await pause(backoffMs(tries + 3));
      await this.dropChunks(chunksId);
      if (failed.kind === 'refused') throw this.#refused(failed.code, failed.description);
    }
    throw storeUnavailable('The object store');
  }

  /** Sends all chunks, or stops early after one that was not stored. Their order is that of one connection. */
  async #sendChunks(subject: string, bytes: Uint8Array): Promise<PublishReply[]> {
    const size = Math.min(CHUNK_BYTES, (this.#nats.info?.max_payload ?? CHUNK_BYTES + ENVELOPE_BYTES) - ENVELOPE_BYTES);
    const underway: Promise<PublishReply>[] = [];
    for (let offset = 0; offset < bytes.length; offset += size) {
      const earlier = underway[underway.length - CHUNKS_IN_FLIGHT];
      if (earlier !== undefined && (await earlier).kind !== 'stored') break;
      underway.push(this.#publisher.send(subject, bytes.subarray(offset, offset + size), []));
    }
    return Promise.all(underway);
  }

  /** The next chunk from a stream sequence on. A replica that lags behind may not have it yet; the leader decides. */
  async #chunk(chunksId: string, seq: number): Promise<StoredMsg | null> {
    const query = { seq, next_by_subj: this.#chunkSubject(chunksId) };
    const nearby = await this.#asked(() => this.#jsm.direct.getMessage(this.#stream, query));
    return nearby ?? (await this.#asked(() => this.#jsm.streams.getMessage(this.#stream, query as never)));
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      await this.#connection.whenUp(REQUEST_MS);
      try {
        return await this.#connection.whileUp(ask());
      } catch (cause) {
        if (tries + 1 >= TRIES || this.#nats.isClosed()) throw storeUnavailable('The object store', cause);
        await pause(backoffMs(tries));
      }
    }
  }

  #refused(code: number, description: string): Error {
    return storeUnavailable('The object store', new Error(`${description} (${code})`));
  }

  #entry(name: string, head: Omit<ObjectHead, 'revision'>): Record<string, unknown> {
    const { chunksId: nuid, size, chunks, digest, metadata } = head;
    const options = { max_chunk_size: CHUNK_BYTES };
    return {
      name,
      description: '',
      options,
      metadata,
      bucket: this.#bucket,
      nuid,
      size,
      chunks,
      mtime: new Date().toISOString(),
      digest,
      deleted: false,
    };
  }

  #metaSubject(name: string): string {
    return `$O.${this.#bucket}.M.${padded(Buffer.from(name))}`;
  }

  #chunkSubject(chunksId: string): string {
    return `$O.${this.#bucket}.C.${chunksId}`;
  }
}

function parseHead(message: StoredMsg): ObjectHead | undefined {
  const entry = message.json<{
    nuid: string;
    size: number;
    chunks: number;
    digest: string;
    metadata?: Record<string, string>;
    deleted?: boolean;
  }>();
  if (entry.deleted) return undefined;
  const { nuid: chunksId, size, chunks, digest, metadata = {} } = entry;
  return { revision: message.seq, chunksId, size, chunks, digest, metadata };
}

function digestText(digest: Buffer): string {
  return `SHA-256=${padded(digest)}`;
}

function padded(bytes: Buffer): string {
  const text = bytes.toString('base64url');
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}
