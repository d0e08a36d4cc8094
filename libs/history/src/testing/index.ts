/** For tests of this library and of services that use it. */
export { historyContract } from './history-contract.js';
export type { HistoryUnderTest } from './history-contract.js';
export { sampleRun, askingRun, cancelledRun, openRun, sampleRunId, toBlocks } from './sample-log.js';
export type { SampleRun } from './sample-log.js';
export { findPostgres, startPostgres } from './start-postgres.js';
export type { TestPostgres } from './start-postgres.js';
