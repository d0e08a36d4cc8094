import { channelsContract } from '../testing/channels-contract.js';
import { MemoryChannels } from '../testing/memory-channels.js';

channelsContract('memory', async () => {
  const shared = new MemoryChannels();
  return { open: async () => ({ store: shared, carrier: shared }), close: async () => undefined };
});
