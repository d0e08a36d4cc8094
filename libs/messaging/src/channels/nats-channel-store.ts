/** Definitions of channels in a KV bucket, a key for each. The bucket must exist: see `ensureTopology` of the event log. */
import { randomBytes } from 'node:crypto';
import { BUCKETS, CHANNEL_LIMITS, KeptChannel, type Channel, type ChannelName, type TenantId } from '@cadre/contracts';
import { JetStreamApiError } from '@nats-io/jetstream';
import { Kvm, KvWatchInclude, type KV, type KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { channelsUnavailable } from './channel-errors.js';
import type { ChannelStore, PutChannel } from './channel-ports.js';

/** Others may write the same key at the same time. */
const TRIES = 20;
/** The key is at another revision than was expected; the second one while a write to it is on its way through the replicas. */
const CONFLICTS: ReadonlySet<number> = new Set([10_071, 10_164]);

export class NatsChannelStore implements ChannelStore {
  #opened: Promise<KV> | undefined;

  constructor(private readonly nats: NatsConnection) {}

  async put(tenant: TenantId, channel: Channel, now: number): Promise<PutChannel> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const entry = await this.#entry(tenant, channel.name);
      const done = entry === undefined ? await this.#create(tenant, channel, now) : await this.#update(entry, channel, now);
      if (done !== undefined) return done;
    }
    throw channelsUnavailable(new Error(`others change ${channel.name} all the time`));
  }

  async get(tenant: TenantId, name: ChannelName): Promise<KeptChannel | undefined> {
    const entry = await this.#entry(tenant, name);
    return entry && keptIn(entry);
  }

  async list(tenant: TenantId): Promise<KeptChannel[]> {
    const names = (await this.#names(tenant)).sort();
    const found = await Promise.all(names.map((name) => this.get(tenant, name)));
    return found.filter((kept) => kept !== undefined);
  }

  async remove(tenant: TenantId, name: ChannelName): Promise<KeptChannel | undefined> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const entry = await this.#entry(tenant, name);
      if (entry === undefined) return undefined;
      try {
        // All that the key held goes with it; only what was read is removed.
        await (await this.#kv()).purge(entry.key, { previousSeq: entry.revision });
        return keptIn(entry);
      } catch (cause) {
        await this.#mustBeOther(tenant, name, entry.revision, cause);
      }
    }
    throw channelsUnavailable(new Error(`others change ${name} all the time`));
  }

  async watch(changed: (tenant: TenantId, name: ChannelName) => void): Promise<() => void> {
    const entries = await this.#asked((kv) => kv.watch({ include: KvWatchInclude.UpdatesOnly }));
    void (async () => {
      for await (const { key } of entries) {
        const [tenant = '', name = ''] = key.split('.');
        changed(tenant, name);
      }
    })();
    return () => entries.stop();
  }

  async #create(tenant: TenantId, channel: Channel, now: number): Promise<PutChannel | undefined> {
    if ((await this.#names(tenant)).length >= CHANNEL_LIMITS.channels) return { outcome: 'full' };
    const kept = { tenant, generation: randomBytes(6).toString('hex'), createdAt: now, changedAt: now, channel };
    const written = await this.#write(tenant, channel.name, undefined, (kv, key) => kv.create(key, JSON.stringify(kept)));
    return written ? { outcome: 'kept', kept, isNew: true } : undefined;
  }

  async #update(entry: KvEntry, channel: Channel, now: number): Promise<PutChannel | undefined> {
    const known = keptIn(entry);
    if (known.channel.kind !== channel.kind || known.channel.durable !== channel.durable) return { outcome: 'conflict', kept: known };
    if (JSON.stringify(known.channel) === JSON.stringify(channel)) return { outcome: 'kept', kept: known, isNew: false };
    const kept = { ...known, changedAt: now, channel };
    const { revision } = entry;
    const written = await this.#write(known.tenant, channel.name, revision, (kv, key) => kv.update(key, JSON.stringify(kept), revision));
    return written ? { outcome: 'kept', kept, isNew: false } : undefined;
  }

  /** @param before the revision that was looked at @returns false when somebody else has written since */
  async #write(
    tenant: TenantId,
    name: ChannelName,
    before: number | undefined,
    write: (kv: KV, key: string) => Promise<number>,
  ): Promise<boolean> {
    try {
      await write(await this.#kv(), `${tenant}.${name}`);
      return true;
    } catch (cause) {
      await this.#mustBeOther(tenant, name, before, cause);
      return false;
    }
  }

  /** After a write that failed: throws unless it is for what another one has written, or ours has, whose answer was lost. */
  async #mustBeOther(tenant: TenantId, name: ChannelName, before: number | undefined, cause: unknown): Promise<void> {
    if (cause instanceof JetStreamApiError && CONFLICTS.has(cause.code)) return;
    if ((await this.#entry(tenant, name))?.revision === before) throw channelsUnavailable(cause);
  }

  async #names(tenant: TenantId): Promise<ChannelName[]> {
    return this.#asked(async (kv) => {
      const names: string[] = [];
      for await (const key of await kv.keys(`${tenant}.*`)) names.push(key.slice(tenant.length + 1));
      return names;
    });
  }

  async #entry(tenant: TenantId, name: ChannelName): Promise<KvEntry | undefined> {
    const entry = await this.#asked((kv) => kv.get(`${tenant}.${name}`));
    return entry?.operation === 'PUT' ? entry : undefined;
  }

  #kv(): Promise<KV> {
    this.#opened ??= new Kvm(this.nats).open(BUCKETS.channels).catch((cause: unknown) => {
      this.#opened = undefined;
      throw cause;
    });
    return this.#opened;
  }

  async #asked<T>(ask: (kv: KV) => Promise<T>): Promise<T> {
    try {
      return await ask(await this.#kv());
    } catch (cause) {
      throw channelsUnavailable(cause);
    }
  }
}

const keptIn = (entry: KvEntry): KeptChannel => KeptChannel.parse(entry.json());
