import { BUCKETS } from '@cadre/contracts';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { KvResultCache } from './kv-result-cache.js';
import { keptResult, resultCacheContract } from './testing/result-cache-contract.js';
import { ensureTopology } from './topology.js';

const KEY = '0'.repeat(64);
const STREAM = `KV_${BUCKETS.results}`;

let server: RunningNatsServer;
let nats: NatsConnection;
let cache: KvResultCache;
beforeAll(async () => {
  server = await startNatsServer({ syncAlways: false });
  nats = await connect({ servers: server.url });
  cache = await KvResultCache.open(nats);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});

test('without its bucket it says that it does not answer', async () => {
  const unavailable = { code: 'store-unavailable', retriable: true };
  await expect(cache.get('default', KEY)).rejects.toMatchObject(unavailable);
  await expect(cache.put('default', KEY, keptResult('one', 1000))).rejects.toMatchObject(unavailable);
  await ensureTopology(nats, { shards: 1 });
  expect(await cache.get('default', KEY)).toBeUndefined();
});

resultCacheContract('KvResultCache', async () => ({ cache, close: async () => undefined }));

test('the server removes what is over, and an entry of another shape is none', async () => {
  const jsm = await jetstreamManager(nats);
  await jsm.streams.purge(STREAM);
  await cache.put('default', KEY, keptResult('one', 900));
  expect((await jsm.streams.info(STREAM)).state.messages).toBe(1);
  for (let tries = 0; tries < 40 && (await jsm.streams.info(STREAM)).state.messages > 0; tries += 1) await sleep(100);
  expect((await jsm.streams.info(STREAM)).state.messages).toBe(0);
  for (const body of ['', '{', '{"result":{}}']) {
    await nats.request(`$KV.${BUCKETS.results}.default.${KEY}`, body);
    expect(await cache.get('default', KEY)).toBeUndefined();
  }
});
