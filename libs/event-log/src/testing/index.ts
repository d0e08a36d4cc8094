/** Memory forms of the ports, and the contract suites that they and the real forms are held to. */
export { MemoryLogStore, MemoryShardLog } from './memory-shard-log.js';
export { MemoryLeases } from './memory-leases.js';
export { MemoryBlobs } from './memory-blobs.js';
export { MemoryContextStore } from './memory-context-store.js';
export { blockOf, shardLogContract } from './shard-log-contract.js';
export type { ShardLogFixture } from './shard-log-contract.js';
export { leasesContract } from './leases-contract.js';
export type { LeasesFixture } from './leases-contract.js';
export { blobsContract } from './blobs-contract.js';
export type { BlobsFixture } from './blobs-contract.js';
export { contextStoreContract } from './context-store-contract.js';
export type { ContextStoreFixture } from './context-store-contract.js';
export { memoryStoreContract } from './memory-store-contract.js';
export type { MemoryStoreFixture } from './memory-store-contract.js';
export { resultCacheContract } from './result-cache-contract.js';
export type { ResultCacheFixture } from './result-cache-contract.js';
export { startTcpProxy } from './tcp-proxy.js';
export type { TcpProxy } from './tcp-proxy.js';
