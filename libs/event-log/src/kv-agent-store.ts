/** Agents that are defined at run time, in a KV bucket: a key for each name. */
import { AgentRecord, BUCKETS, type AgentName } from '@cadre/contracts';
import type { AgentStore, FoundAgent, StoredAgent } from '@cadre/engine';
import type { StoredMsg } from '@nats-io/jetstream';
import { Kvm, type KvWatchEntry } from '@nats-io/kv';
import type { NatsConnection, QueuedIterator } from '@nats-io/transport-node';
import { backoffMs, pause, watchConnection } from './connection.js';
import { KvEntries } from './kv-entries.js';

/** Following that went well for so long begins its pauses anew. */
const SOUND_MS = 3000;

export class KvAgentStore implements AgentStore {
  readonly #watches = new Set<() => void>();

  private constructor(
    private readonly nats: NatsConnection,
    private readonly entries: KvEntries,
  ) {}

  /** The bucket must exist by the first reading or writing: see `ensureTopology`. */
  static async open(nats: NatsConnection): Promise<KvAgentStore> {
    return new KvAgentStore(nats, await KvEntries.open(nats, BUCKETS.agents, 'The store of agents'));
  }

  close(): void {
    for (const stop of this.#watches) stop();
    this.entries.close();
  }

  async read(name: AgentName): Promise<FoundAgent> {
    const message = await this.entries.last(name);
    return message === null ? { revision: 0 } : storedOf(message);
  }

  write(record: AgentRecord, afterRevision: number, forgetAfterMs?: number): Promise<'written' | 'changed'> {
    return this.entries.write(record.name, JSON.stringify(record), { afterRevision, forgetAfterMs });
  }

  async list(): Promise<StoredAgent[]> {
    const names = await this.entries.keys('*');
    const messages = await Promise.all(names.sort().map((name) => this.entries.last(name)));
    return messages.flatMap((message) => (message === null ? [] : [storedOf(message)]));
  }

  watch(take: (stored: StoredAgent) => void): () => void {
    let stopped = false;
    let entries: QueuedIterator<KvWatchEntry> | undefined;
    // A consumer may be gone with the server that it was on, which would be noticed late.
    const unwatch = watchConnection(this.nats, (type) => void (type === 'reconnect' && entries?.stop()));
    const stop = (): void => {
      stopped = true;
      unwatch();
      entries?.stop();
      this.#watches.delete(stop);
    };
    this.#watches.add(stop);
    const follow = async (): Promise<void> => {
      const kv = await new Kvm(this.nats).open(BUCKETS.agents);
      entries = await kv.watch();
      if (stopped) return entries.stop();
      for await (const entry of entries) tell(entry, take);
    };
    void (async () => {
      for (let tries = 0; !stopped && !this.nats.isClosed(); tries += 1) {
        const began = performance.now();
        await follow().catch(() => undefined); // no bucket yet, or trouble that passes
        if (performance.now() - began > SOUND_MS) tries = 0;
        if (!stopped) await pause(backoffMs(tries));
      }
    })();
    return stop;
  }
}

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
