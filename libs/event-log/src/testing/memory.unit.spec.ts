import { SharedContext, traceArtifacts } from '@cadre/engine';
import { MemoryMemories, MemoryResultCache } from '@cadre/engine/testing';
import { agentStoreContract } from './agent-store-contract.js';
import { blobsContract } from './blobs-contract.js';
import { contextStoreContract } from './context-store-contract.js';
import { leasesContract } from './leases-contract.js';
import { MemoryAgentStore } from './memory-agent-store.js';
import { MemoryBlobs } from './memory-blobs.js';
import { MemoryContextStore } from './memory-context-store.js';
import { MemoryLeases } from './memory-leases.js';
import { MemoryLogStore, MemoryShardLog } from './memory-shard-log.js';
import { memoryStoreContract } from './memory-store-contract.js';
import { resultCacheContract } from './result-cache-contract.js';
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

agentStoreContract('MemoryAgentStore', async () => {
  const store = new MemoryAgentStore();
  return { open: async () => store, close: async () => undefined };
});

contextStoreContract('MemoryContextStore', async () => {
  const store = new MemoryContextStore();
  return { open: async () => store, close: async () => undefined };
});

test('the way back from an artifact takes each version once, and ends after 200', async () => {
  const clock = { now: () => 0, after: () => () => undefined };
  const context = new SharedContext({ store: new MemoryContextStore(), blobs: new MemoryBlobs(), clock, chance: { random: () => 0 } });
  const caller = { tenant: 'acme', by: { kind: 'user' as const } };
  let last: { artifact: string; version: number; sha256: string }[] = [];
  for (let n = 0; n <= 200; n += 1) {
    const put = { name: `a${n}`, key: 'k', tags: [], from: [...last, ...last], bytes: Buffer.from(`${n}`), mediaType: 'text/plain' };
    const end = await context.put(caller, put);
    if (end.ok) last = [{ artifact: put.name, version: 1, sha256: end.sha256 }];
  }
  const whole = await traceArtifacts(context, caller, [{ ...last[0]!, artifact: 'a3' }, ...last]);
  expect([whole.steps.length, whole.more]).toEqual([200, true]);
  expect(whole.steps[0]).toEqual({ ...last[0]!, artifact: 'a3', gone: true });
  expect(whole.steps.slice(1, 4).map(({ artifact }) => artifact)).toEqual(['a200', 'a199', 'a198']);
  // Who may not read it learns no more than its name.
  const by = { kind: 'agent' as const, agent: 'ann', runId: 'r00-01890000-0000-7000-8000-000000000001', taskId: 'a', attempt: 1 };
  expect(await traceArtifacts(context, { ...caller, by }, last)).toEqual({ steps: [{ ...last[0]!, gone: true }], more: false });
});

resultCacheContract('MemoryResultCache', async () => {
  const cache = new MemoryResultCache(Date.now);
  return { cache, close: async () => undefined };
});

memoryStoreContract('MemoryMemories', async () => {
  const store = new MemoryMemories(() => performance.now());
  return { open: async () => store, close: async () => undefined };
});
