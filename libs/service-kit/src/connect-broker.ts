/** The connection to NATS, and the look at the broker before a service trusts it. */
import { guardBroker } from '@cadre/event-log';
import { connectNats, MIN_NATS_VERSION } from '@cadre/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { BaseConfig } from './base-config.js';

/**
 * The configuration comes back with the number of replicas settled. Errors: those of `connectNats` and `guardBroker`; nothing stays open
 * then.
 */
export async function connectBroker<C extends BaseConfig>(
  config: C,
  name: string,
  log: Logger,
): Promise<{ nats: NatsConnection; config: C }> {
  const nats = await connectNats({ url: config.NATS_URL, name, log, waitMs: config.NATS_WAIT_MS });
  try {
    const { replicas, servers, warnings } = await guardBroker(nats, {
      profile: config.CADRE_PROFILE,
      shards: config.CADRE_SHARDS,
      replicas: config.CADRE_REPLICAS,
      acceptUnverified: config.CADRE_UNVERIFIED_BROKER === 'accept',
      monitors: config.CADRE_NATS_MONITOR,
      minVersion: MIN_NATS_VERSION,
    });
    for (const warning of warnings) log.warn({ servers }, warning);
    log.debug({ profile: config.CADRE_PROFILE, replicas, servers }, 'the broker fits the profile');
    return { nats, config: { ...config, CADRE_REPLICAS: replicas } };
  } catch (error) {
    await nats.close();
    throw error;
  }
}
