/**
 * What channels need from a broker: a place for definitions, and a way for messages. Errors of all methods: `store-unavailable`
 * (retriable).
 */
import type { Channel, ChannelName, KeptChannel, Message, PlacedMessage, TenantId } from '@cadre/contracts';

/** `conflict`: what cannot be changed in a channel that is there. `full`: the tenant has as many channels as it may. */
export type PutChannel =
  { outcome: 'kept'; kept: KeptChannel; isNew: boolean } | { outcome: 'conflict'; kept: KeptChannel } | { outcome: 'full' };

export interface ChannelStore {
  /** Makes a channel, or changes one: all but its kind and whether it is durable. */
  put(tenant: TenantId, channel: Channel, now: number): Promise<PutChannel>;
  get(tenant: TenantId, name: ChannelName): Promise<KeptChannel | undefined>;
  /** By name. */
  list(tenant: TenantId): Promise<KeptChannel[]>;
  /** @returns what was there */
  remove(tenant: TenantId, name: ChannelName): Promise<KeptChannel | undefined>;
  /** Calls back after each change from now on, whoever makes it. @returns what ends it */
  watch(changed: (tenant: TenantId, name: ChannelName) => void): Promise<() => void>;
}

/** Where a message went. `position`: in a durable channel. `repeated`: its id was there already, and nothing was sent. */
export interface Published {
  position?: number;
  repeated: boolean;
}

export interface MessageCarrier {
  /** A durable channel keeps the message when this resolves. After an error it may have been sent or not. */
  publish(kept: KeptChannel, message: Message): Promise<Published>;
  /** What a durable channel keeps after a position, oldest first, at most `limit`. */
  read(kept: KeptChannel, after: number, limit: number): Promise<PlacedMessage[]>;
  /** The position after which only what is sent later comes. */
  end(kept: KeptChannel): Promise<number>;
  /**
   * Tells of each message as it is sent, when this has resolved. Of a durable channel it is only a hint that there is something to read,
   * which may be early and may be lost. @returns what ends it
   */
  subscribe(kept: KeptChannel, heard: (message: Message) => void): Promise<() => void>;
  /** Removes what a channel keeps. */
  drop(kept: KeptChannel): Promise<void>;
}

/** What messages need from outside, beside the broker. */
export interface MessageSurroundings {
  store: ChannelStore;
  carrier: MessageCarrier;
  /** Milliseconds since 1970. */
  now(): number;
  newId(): string;
}
