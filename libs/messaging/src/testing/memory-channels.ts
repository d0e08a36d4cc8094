/** Channels in memory: any number of desks may share one. */
import { CHANNEL_LIMITS, type Channel, type KeptChannel, type Message, type PlacedMessage } from '@cadre/contracts';
import type { ChannelStore, MessageCarrier, Published, PutChannel } from '../channels/channel-ports.js';

export class MemoryChannels implements ChannelStore, MessageCarrier {
  readonly #kept = new Map<string, KeptChannel>();
  readonly #watchers = new Set<(tenant: string, name: string) => void>();
  readonly #stored = new Map<string, PlacedMessage[]>();
  readonly #subscribers = new Map<string, Set<(message: Message) => void>>();
  #position = 0;
  #generations = 0;

  async put(tenant: string, channel: Channel, now: number): Promise<PutChannel> {
    const key = `${tenant}.${channel.name}`;
    const known = this.#kept.get(key);
    if (!known && this.#of(tenant).length >= CHANNEL_LIMITS.channels) return { outcome: 'full' };
    if (known && (known.channel.kind !== channel.kind || known.channel.durable !== channel.durable))
      return { outcome: 'conflict', kept: known };
    if (known && JSON.stringify(known.channel) === JSON.stringify(channel)) return { outcome: 'kept', kept: known, isNew: false };
    this.#generations += known ? 0 : 1;
    const generation = this.#generations.toString(16).padStart(12, '0');
    const kept = known ? { ...known, changedAt: now, channel } : { tenant, generation, createdAt: now, changedAt: now, channel };
    this.#kept.set(key, kept);
    this.#tell(kept);
    return { outcome: 'kept', kept, isNew: !known };
  }

  async get(tenant: string, name: string): Promise<KeptChannel | undefined> {
    return this.#kept.get(`${tenant}.${name}`);
  }

  async list(tenant: string): Promise<KeptChannel[]> {
    return this.#of(tenant).sort((a, b) => (a.channel.name < b.channel.name ? -1 : 1));
  }

  async remove(tenant: string, name: string): Promise<KeptChannel | undefined> {
    const kept = this.#kept.get(`${tenant}.${name}`);
    if (kept) {
      this.#kept.delete(`${tenant}.${name}`);
      this.#tell(kept);
    }
    return kept;
  }

  async watch(changed: (tenant: string, name: string) => void): Promise<() => void> {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  }

  async publish(kept: KeptChannel, message: Message): Promise<Published> {
    const copy = structuredClone(message);
    if (!kept.channel.durable) {
      this.#pass(kept, copy);
      return { repeated: false };
    }
    const all = this.#all(kept);
    const before = all.find((each) => each.message.id === message.id);
    if (before) return { position: before.position, repeated: true };
    this.#position += 1;
    all.push({ position: this.#position, message: copy });
    all.splice(0, all.length - kept.channel.limits.messages);
    this.#pass(kept, copy);
    return { position: this.#position, repeated: false };
  }

  async read(kept: KeptChannel, after: number, limit: number): Promise<PlacedMessage[]> {
    return structuredClone(
      this.#all(kept)
        .filter(({ position }) => position > after)
        .slice(0, limit),
    );
  }

  async end(): Promise<number> {
    return this.#position;
  }

  async subscribe(kept: KeptChannel, heard: (message: Message) => void): Promise<() => void> {
    const all = this.#subscribers.get(kept.generation) ?? new Set();
    this.#subscribers.set(kept.generation, all.add(heard));
    return () => void all.delete(heard);
  }

  async drop({ generation }: KeptChannel): Promise<void> {
    this.#stored.delete(generation);
  }

  #of(tenant: string): KeptChannel[] {
    return [...this.#kept.values()].filter((kept) => kept.tenant === tenant);
  }

  #all({ generation }: KeptChannel): PlacedMessage[] {
    const all = this.#stored.get(generation) ?? [];
    this.#stored.set(generation, all);
    return all;
  }

  #pass({ generation }: KeptChannel, message: Message): void {
    for (const heard of this.#subscribers.get(generation) ?? []) heard(message);
  }

  #tell({ tenant, channel }: KeptChannel): void {
    for (const changed of this.#watchers) changed(tenant, channel.name);
  }
}
