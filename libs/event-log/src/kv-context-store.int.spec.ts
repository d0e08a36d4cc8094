import { setTimeout as sleep } from 'node:timers/promises';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { KvContextStore } from './kv-context-store.js';
import { KvMemoryStore } from './kv-memory-store.js';
import { contextStoreContract } from './testing/context-store-contract.js';
import { memoryStoreContract } from './testing/memory-store-contract.js';
import { startTcpProxy } from './testing/tcp-proxy.js';
import { ensureTopology } from './topology.js';

let server: RunningNatsServer;
beforeAll(async () => {
  server = await startNatsServer({ syncAlways: false });
});
afterAll(() => server.stop());

contextStoreContract('KvContextStore', async () => {
  const connections: NatsConnection[] = [];
  const stores: KvContextStore[] = [];
  const open = async () => {
    const nats = await connect({ servers: server.url });
    connections.push(nats);
    if (connections.length === 1) await ensureTopology(nats, { shards: 1 });
    const store = await KvContextStore.open(nats);
    stores.push(store);
    return store;
  };
  const close = async () => {
    for (const store of stores) store.close();
    await Promise.all(connections.map((nats) => nats.close()));
  };
  return { open, close };
});

// In the same bucket as the context store: neither comes upon what is the other's.
memoryStoreContract('KvMemoryStore', async () => {
  const connections: NatsConnection[] = [];
  const stores: KvMemoryStore[] = [];
  const open = async () => {
    const nats = await connect({ servers: server.url });
    connections.push(nats);
    await ensureTopology(nats, { shards: 1 });
    const store = await KvMemoryStore.open(nats);
    stores.push(store);
    return store;
  };
  const close = async () => {
    const context = await KvContextStore.open(connections[0]!);
    expect((await context.names('acme', '')).filter((name) => name.includes('busy'))).toEqual([]);
    context.close();
    for (const store of stores) store.close();
    await Promise.all(connections.map((nats) => nats.close()));
  };
  return { open, close };
});

test('a write whose acknowledgement is lost is recognised as written', async () => {
  const proxy = await startTcpProxy(server.port);
  const shaky = await connect({ servers: proxy.url, reconnectTimeWait: 20, maxReconnectAttempts: -1 });
  const store = await KvContextStore.open(shaky);
  try {
    let revision = 0;
    for (let last = 1; last <= 30; last += 1) {
      setTimeout(() => proxy.cut(), last % 4);
      expect(await store.write('acme', { name: 'shaky', last, keep: 1, versions: [], past: [] }, revision)).toBe('written');
      await sleep(1);
      revision = (await store.read('acme', 'shaky')).revision;
    }
    expect((await store.read('acme', 'shaky')).record?.last).toBe(30);
  } finally {
    store.close();
    await shaky.close();
    await proxy.close();
  }
});
