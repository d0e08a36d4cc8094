/** The public names of the nats-server library. */
export { findNatsServer } from './find-nats-server.js';
export type { FindOptions, FoundServer } from './find-nats-server.js';
export { startNatsServer } from './start-nats-server.js';
export type { RunningNatsServer, StartOptions } from './start-nats-server.js';
export { startNatsCluster } from './start-nats-cluster.js';
export type { ClusterOptions, NatsCluster } from './start-nats-cluster.js';
export type { ClusterNode } from './cluster-node.js';
export { jetStreamAnswers } from './readiness.js';
export { unpackDebianPackages } from './debian-package.js';
export type { DebianPlace } from './debian-package.js';
export { cacheFolder } from './binary-cache.js';
export { storageFault } from './storage-fault.js';
export { MINIMUM_VERSION } from './errors.js';
export { compareVersions } from './versions.js';
