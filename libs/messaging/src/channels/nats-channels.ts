/** Channels over a connection to NATS. */
import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import { ChannelRegistry } from './channel-registry.js';
import { MessageDesk } from './message-desk.js';
import { NatsChannelStore } from './nats-channel-store.js';
import { NatsMessageCarrier } from './nats-message-carrier.js';

/** The stream and the bucket must exist when they are first used: see `ensureTopology` of the event log. */
export function natsChannels(nats: NatsConnection): { registry: ChannelRegistry; desk: MessageDesk } {
  const around = { store: new NatsChannelStore(nats), carrier: new NatsMessageCarrier(nats), now: Date.now, newId: randomUUID };
  return { registry: new ChannelRegistry(around), desk: new MessageDesk(around) };
}
