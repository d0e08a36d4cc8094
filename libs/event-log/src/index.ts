/** The public names of the event-log library. */
export { guardBroker } from './broker-guard.js';
export type { BrokerDemand, BrokerFacts, BrokerProfile } from './broker-guard.js';
export { ensureTopology } from './topology.js';
export type { TopologyOptions } from './topology.js';
export { JetStreamLog } from './jetstream-log.js';
export type { JetStreamLogOptions } from './jetstream-log.js';
export { JetStreamLeases } from './jetstream-leases.js';
export { KvAgentStore } from './kv-agent-store.js';
export { KvContextStore } from './kv-context-store.js';
export { KvGovernorStore } from './kv-governor-store.js';
export { WorkflowStore } from './workflow-store.js';
export { KvMemoryStore } from './kv-memory-store.js';
export { KvResultCache } from './kv-result-cache.js';
export { JetStreamBlobs, MAX_BLOB_BYTES } from './jetstream-blobs.js';
