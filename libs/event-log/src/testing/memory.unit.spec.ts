import { blobsContract } from './blobs-contract.js';
import { contextStoreContract } from './context-store-contract.js';
import { leasesContract } from './leases-contract.js';
import { MemoryBlobs } from './memory-blobs.js';
import { MemoryContextStore } from './memory-context-store.js';
import { MemoryLeases } from './memory-leases.js';
import { MemoryLogStore, MemoryShardLog } from './memory-shard-log.js';
import { shardLogContract } from './shard-log-contract.js';

shardLogContract('MemoryShardLog', async () => {
  const store = new MemoryLogStore();
  return { open: async () => new MemoryShardLog(7, store), close: async () => undefined };
});

leasesContract('MemoryLeases', async () => {
  const leases = new MemoryLeases();
  return {
    open: async () => ({ leases, die: async (lease) => leases.die(lease) }),
    revoke: async (lease) => leases.revoke(lease),
    close: async () => undefined,
  };
});

blobsContract('MemoryBlobs', async () => {
  const blobs = new MemoryBlobs();
  return {
    blobs,
    storedBytes: async () => [...blobs.bodies.values()].reduce((sum, bytes) => sum + bytes.length, 0),
    damage: async (sha256) => {
      blobs.bodies.get(sha256)![0]! ^= 1;
    },
    close: async () => undefined,
  };
});

contextStoreContract('MemoryContextStore', async () => {
  const store = new MemoryContextStore();
  return { open: async () => store, close: async () => undefined };
});
