/**
 * Agents that are defined at run time, in a KV bucket: a key for each name. A record is published to its key's own subject, with the revision that it must follow
 * and its time to live, since the client's KV cannot do both. Nothing is asked of the server at the start: a worker may be there before the bucket is.
 */
import { AgentRecord, BUCKETS, type AgentName } from '@cadre/contracts';
import type { AgentStore, FoundAgent, StoredAgent } from '@cadre/engine';
import { jetstreamManager, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import { Kvm, type KvWatchEntry } from '@nats-io/kv';
import type { NatsConnection, QueuedIterator } from '@nats-io/transport-node';
import { backoffMs, ConnectionState, pause, watchConnection } from './connection.js';
import { storeUnavailable } from './errors.js';
import { isConflict, StreamPublisher, ttlHeader } from './stream-publisher.js';

const REQUEST_MS = 3000;
const TRIES = 4;
const STREAM = `KV_${BUCKETS.agents}`;

export class KvAgentStore implements AgentStore {
  readonly #nats: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #connection: ConnectionState;
  readonly #publisher: StreamPublisher;
  readonly #watches = new Set<() => void>();

  private constructor(nats: NatsConnection, jsm: JetStreamManager) {
    this.#nats = nats;
    this.#jsm = jsm;
    this.#connection = new ConnectionState(nats);
    this.#publisher = new StreamPublisher(nats, REQUEST_MS);
  }

  /** The bucket must exist by the first reading or writing: see `ensureTopology`. */
  static async open(nats: NatsConnection): Promise<KvAgentStore> {
    return new KvAgentStore(nats, await jetstreamManager(nats, { timeout: REQUEST_MS, checkAPI: false }));
  }

  close(): void {
    for (const stop of this.#watches) stop();
    this.#publisher.close();
    this.#connection.close();
  }

  async read(name: AgentName): Promise<FoundAgent> {
    const message = await this.#last(name);
    return message === null ? { revision: 0 } : storedOf(message);
  }

  async write(record: AgentRecord, afterRevision: number, forgetAfterMs?: number): Promise<'written' | 'changed'> {
    const headers: [string, string][] = [['Nats-Expected-Last-Subject-Sequence', String(afterRevision)]];
    if (forgetAfterMs !== undefined) headers.push(ttlHeader(forgetAfterMs));
    const json = JSON.stringify(record);
    for (let tries = 0; tries < TRIES; tries += 1) {
      await this.#connection.whenUp(REQUEST_MS);
      const reply = await this.#publisher.send(subjectOf(record.name), Buffer.from(json), headers);
      if (reply.kind === 'stored') return 'written';
      if (reply.kind === 'refused' && !isConflict(reply)) throw unavailable(new Error(`${reply.description} (${reply.code})`));
      // Ours may be there with its answer lost. A conflict while the revision is the same passes: the server is about to store something.
      const there = await this.#last(record.name);
      if (there?.string() === json) return 'written';
      if ((there?.seq ?? 0) !== afterRevision) return 'changed';
      await pause(backoffMs(tries));
    }
    throw unavailable();
  }

  async list(): Promise<StoredAgent[]> {
    const query = { subjects_filter: subjectOf('*'), deleted_details: false, offset: 0 };
    const { state } = await this.#asked(() => this.#jsm.streams.info(STREAM, query));
    const names = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(subjectOf('').length));
    const messages = await Promise.all(names.sort().map((name) => this.#last(name)));
    return messages.flatMap((message) => (message === null ? [] : [storedOf(message)]));
  }

  watch(take: (stored: StoredAgent) => void): () => void {
    let stopped = false;
    let entries: QueuedIterator<KvWatchEntry> | undefined;
    // A consumer may be gone with the server that it was on, which would be noticed late.
    const unwatch = watchConnection(this.#nats, (type) => void (type === 'reconnect' && entries?.stop()));
    const stop = (): void => {
      stopped = true;
      unwatch();
      entries?.stop();
      this.#watches.delete(stop);
    };
    this.#watches.add(stop);
    const follow = async (): Promise<void> => {
      const kv = await new Kvm(this.#nats).open(BUCKETS.agents);
      entries = await kv.watch();
      if (stopped) return entries.stop();
      for await (const entry of entries) tell(entry, take);
    };
    void (async () => {
      for (let tries = 0; !stopped && !this.#nats.isClosed(); tries += 1) {
        const began = performance.now();
        await follow().catch(() => undefined); // no bucket yet, or trouble that passes
        if (performance.now() - began > REQUEST_MS) tries = 0;
        if (!stopped) await pause(backoffMs(tries));
      }
    })();
    return stop;
  }

  /** From the stream's leader: a replica may lag behind. */
  #last(name: AgentName): Promise<StoredMsg | null> {
    return this.#asked(() => this.#jsm.streams.getMessage(STREAM, { last_by_subj: subjectOf(name) }));
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

const unavailable = (cause?: unknown): Error => storeUnavailable('The store of agents', cause);
const subjectOf = (name: string): string => `$KV.${BUCKETS.agents}.${name}`;
const storedOf = (message: StoredMsg): StoredAgent => ({ revision: message.seq, record: AgentRecord.parse(message.json()) });

/** What is no record is passed over: it may be of another release. */
function tell(entry: KvWatchEntry, take: (stored: StoredAgent) => void): void {
  if (entry.operation !== 'PUT') return;
  const record = AgentRecord.safeParse(jsonOf(entry));
  if (record.success) take({ revision: entry.revision, record: record.data });
}

function jsonOf(entry: KvWatchEntry): unknown {
  try {
    return entry.json();
  } catch {
    return undefined;
  }
}
