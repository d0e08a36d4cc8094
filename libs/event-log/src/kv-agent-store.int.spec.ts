import { setTimeout as sleep } from 'node:timers/promises';
import { BUCKETS, type AgentRecord } from '@cadre/contracts';
import type { StoredAgent } from '@cadre/engine';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { KvAgentStore } from './kv-agent-store.js';
import { agentStoreContract } from './testing/agent-store-contract.js';
import { startTcpProxy } from './testing/tcp-proxy.js';
import { ensureTopology } from './topology.js';

let server: RunningNatsServer;
let nats: NatsConnection;
beforeAll(async () => {
  server = await startNatsServer({ syncAlways: false });
  nats = await connect({ servers: server.url });
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !what(); tries += 1) await sleep(10);
  expect(what()).toBe(true);
}

test('a watch begins before the bucket is there, survives a lost connection, and passes over what is no record', async () => {
  const proxy = await startTcpProxy(server.port);
  const shaky = await connect({ servers: proxy.url, reconnectTimeWait: 20, maxReconnectAttempts: -1 });
  const store = await KvAgentStore.open(shaky);
  const told: StoredAgent[] = [];
  const last = () => told.at(-1)?.record.version;
  store.watch((stored) => void told.push(stored));
  await sleep(50);
  await ensureTopology(nats, { shards: 1 });
  const writer = await KvAgentStore.open(nats);
  const record = (version: number): AgentRecord => ({ tenant: 'acme', name: 'shaky', version, changedAt: 1 });
  try {
    await writer.write(record(1), 0);
    await until(() => last() === 1);
    for (const body of ['', '{', '{"name":"x"}']) await nats.request(`$KV.${BUCKETS.agents}.odd`, body);
    await writer.write(record(2), (await writer.read('shaky')).revision);
    await until(() => last() === 2);
    proxy.cut();
    await writer.write(record(3), (await writer.read('shaky')).revision);
    await until(() => last() === 3);
  } finally {
    await nats.request(`$JS.API.STREAM.PURGE.KV_${BUCKETS.agents}`);
    store.close();
    writer.close();
    await shaky.close();
    await proxy.close();
  }
});

agentStoreContract('KvAgentStore', async () => {
  const stores: KvAgentStore[] = [];
  const open = async () => {
    const store = await KvAgentStore.open(nats);
    stores.push(store);
    return store;
  };
  return { open, close: async () => stores.forEach((store) => store.close()) };
});
