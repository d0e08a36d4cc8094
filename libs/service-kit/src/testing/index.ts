/** What tests of services need. */
export { startProcess } from './service-process.js';
export type { ServiceProcess } from './service-process.js';
