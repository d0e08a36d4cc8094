/** What end-to-end tests of the whole system need. */
export { LiveSystem } from './live-system.js';
export type { LiveOptions } from './live-system.js';
export { allGone, eventually, isRunning } from './processes.js';
