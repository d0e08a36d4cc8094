/** Makes, changes and removes channels, after a look at whether they can work. */
import { CHANNEL_LIMITS, utf8Bytes, type Channel, type ChannelName, type KeptChannel, type TenantId } from '@cadre/contracts';
import { channelConflict, invalidChannel, tooManyChannels, unknownChannel } from './channel-errors.js';
import type { MessageSurroundings } from './channel-ports.js';
import { expressionFaults } from './channel-rules.js';
import { schemaFaults } from './payload-schema.js';

export class ChannelRegistry {
  constructor(private readonly around: Pick<MessageSurroundings, 'store' | 'carrier' | 'now'>) {}

  /** Errors (all methods: `store-unavailable`): `invalid-channel`, `channel-conflict`, `channel-limit`. */
  async put(tenant: TenantId, channel: Channel): Promise<{ kept: KeptChannel; isNew: boolean }> {
    const bytes = utf8Bytes(JSON.stringify(channel));
    const faults = [
      ...expressionFaults('check', channel.check),
      ...(channel.schema === undefined ? [] : schemaFaults(channel.schema)),
      ...(bytes > CHANNEL_LIMITS.definitionBytes
        ? [{ path: '', message: `the definition takes ${bytes} bytes; ${CHANNEL_LIMITS.definitionBytes} are allowed` }]
        : []),
    ];
    if (faults.length > 0) throw invalidChannel(faults);
    const done = await this.around.store.put(tenant, channel, this.around.now());
    if (done.outcome === 'full') throw tooManyChannels(CHANNEL_LIMITS.channels);
    if (done.outcome === 'conflict') {
      const was = done.kept.channel;
      throw channelConflict(channel.name, was.kind === channel.kind ? 'whether it is durable' : `its kind, ${was.kind},`);
    }
    return done;
  }

  /** Error `unknown-channel`. */
  async get(tenant: TenantId, name: ChannelName): Promise<KeptChannel> {
    const kept = await this.around.store.get(tenant, name);
    if (kept === undefined) throw unknownChannel(name);
    return kept;
  }

  list(tenant: TenantId): Promise<KeptChannel[]> {
    return this.around.store.list(tenant);
  }

  /** With all that it keeps; who listens to it stops. Error `unknown-channel`. */
  async remove(tenant: TenantId, name: ChannelName): Promise<void> {
    const kept = await this.around.store.remove(tenant, name);
    if (kept === undefined) throw unknownChannel(name);
    if (kept.channel.durable) await this.around.carrier.drop(kept);
  }
}
