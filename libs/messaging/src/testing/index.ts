/** The memory form of channels, and the contract suite that it and the real form are held to. */
export { MemoryChannels } from './memory-channels.js';
export { channelsContract } from './channels-contract.js';
export type { ChannelsFixture } from './channels-contract.js';
