import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { governorStoreContract } from '@cadre/scheduling/testing';
import { connect } from '@nats-io/transport-node';
import { JetStreamLeases } from './jetstream-leases.js';
import { KvGovernorStore } from './kv-governor-store.js';
import { leasesFixture } from './testing/jetstream-fixtures.js';
import { leasesContract } from './testing/leases-contract.js';
import { startTcpProxy } from './testing/tcp-proxy.js';
import { ensureTopology } from './topology.js';

const never = new AbortController().signal;
let server: RunningNatsServer;
beforeAll(async () => {
  server = await startNatsServer();
  const nats = await connect({ servers: server.url });
  await ensureTopology(nats, { shards: 1 });
  await nats.close();
});
afterAll(() => server.stop());

const storeConnections: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(storeConnections.map((nats) => nats.close())));
governorStoreContract('KvGovernorStore', async () => {
  const nats = await connect({ servers: server.url });
  storeConnections.push(nats);
  return KvGovernorStore.open(nats);
});

leasesContract('JetStreamLeases', () => leasesFixture({ servers: [server.url], replicas: 1 }));

test('a holder that the server does not answer stops believing before a standby may have the lease', async () => {
  const proxy = await startTcpProxy(server.port);
  const cutOff = await connect({ servers: proxy.url, reconnectTimeWait: 100, maxReconnectAttempts: -1 });
  const direct = await connect({ servers: server.url });
  const lease = await (await JetStreamLeases.open(cutOff)).acquire('cut-off', 'a', never);
  const waiting = (await JetStreamLeases.open(direct)).acquire('cut-off', 'b', never);
  proxy.hold();
  await new Promise((resolve) => lease.lost.addEventListener('abort', resolve));
  const lostAt = performance.now();
  expect(lease.isHeld()).toBe(false);
  expect(lease.lost.reason).toMatchObject({ code: 'lease-lost' });
  const next = await waiting;
  expect(performance.now()).toBeGreaterThanOrEqual(lostAt);
  expect(next.epoch).toBeGreaterThan(lease.epoch);
  await next.release();
  proxy.release();
  await Promise.all([cutOff.close(), direct.close()]);
  await proxy.close();
});

test('short breaks of the connection do not cost the lease, though they go on for longer than it lives unrenewed', async () => {
  const proxy = await startTcpProxy(server.port);
  const nats = await connect({ servers: proxy.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  // Long enough for a machine that is slow to connect again several times in a row.
  const ttlMs = 5000;
  const lease = await (await JetStreamLeases.open(nats, { ttlMs })).acquire('broken', 'a', never);
  const until = performance.now() + ttlMs + 1000;
  while (performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    proxy.cut();
  }
  expect(lease.isHeld()).toBe(true);
  await lease.release();
  await nats.close();
  await proxy.close();
});

test('while the server is away acquiring goes on, and a lease is lost; epochs grow over its restart', async () => {
  const first = await startNatsServer();
  const nats = await connect({ servers: first.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  await ensureTopology(nats, { shards: 1 });
  const leases = await JetStreamLeases.open(nats);
  const lease = await leases.acquire('shard-00', 'a', never);
  await first.kill();
  const waiting = leases.acquire('shard-00', 'b', never);
  await new Promise((resolve) => lease.lost.addEventListener('abort', resolve));
  const second = await startNatsServer({ dataDir: first.dataDir, port: first.port });
  const next = await waiting;
  expect(next.epoch).toBeGreaterThan(lease.epoch);
  await next.release();
  await nats.close();
  await second.stop();
  await first.stop();
});
