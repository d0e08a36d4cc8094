/** The public names of the nats-server library. */
export { findNatsServer } from './find-nats-server.js';
export type { FindOptions, FoundServer } from './find-nats-server.js';
export { startNatsServer } from './start-nats-server.js';
export type { RunningNatsServer, StartOptions } from './start-nats-server.js';
export { jetStreamAnswers } from './readiness.js';
export { MINIMUM_VERSION } from './errors.js';
export { compareVersions } from './versions.js';
