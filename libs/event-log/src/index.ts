/** The public names of the event-log library. */
export { ensureTopology } from './topology.js';
export type { TopologyOptions } from './topology.js';
export { JetStreamLog } from './jetstream-log.js';
export type { JetStreamLogOptions } from './jetstream-log.js';
export { JetStreamLeases, LEASE_TIMING } from './jetstream-leases.js';
export type { LeaseTiming } from './jetstream-leases.js';
export { JetStreamBlobs, MAX_BLOB_BYTES } from './jetstream-blobs.js';
