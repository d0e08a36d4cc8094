/** Public names for tests of others. */
export { callKey, EngineRig, reservation, result, RUN_ID, settlement, startBody, task, toolCall } from './engine-rig.js';
export { MemoryMemories } from './memory-memories.js';
export { MemoryResultCache } from './memory-result-cache.js';
