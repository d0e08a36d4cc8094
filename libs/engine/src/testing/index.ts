/** Public names for tests of others. */
export { EngineRig, result, RUN_ID, startBody, task } from './engine-rig.js';
