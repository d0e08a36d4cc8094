/** Public names for tests of others. */
export { governorContract } from './governor-contract.js';
export { governorStoreContract } from './governor-store-contract.js';
export { MemoryGovernorStore } from './memory-governor-store.js';
