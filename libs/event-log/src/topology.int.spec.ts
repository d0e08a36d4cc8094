import { BUCKETS, STREAMS } from '@cadre/contracts';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { jetstreamManager, RetentionPolicy, StorageType, type JetStreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { Objm } from '@nats-io/obj';
import { connect, nanos, type NatsConnection } from '@nats-io/transport-node';
import { JetStreamLog } from './jetstream-log.js';
import { ensureTopology } from './topology.js';

let server: RunningNatsServer;
let nats: NatsConnection;
let jsm: JetStreamManager;
beforeAll(async () => {
  server = await startNatsServer();
  nats = await connect({ servers: server.url });
  jsm = await jetstreamManager(nats);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});
beforeEach(async () => {
  for await (const { config } of jsm.streams.list()) await jsm.streams.delete(config.name);
});

test('all streams and buckets are there, whoever creates them at the same time and however often', async () => {
  await Promise.all([1, 2, 3].map(() => ensureTopology(nats, { shards: 2 })));
  await ensureTopology(nats, { shards: 2 });
  const names: string[] = [];
  for await (const { config } of jsm.streams.list()) names.push(config.name);
  expect(names.sort()).toEqual(
    [
      STREAMS.events,
      STREAMS.ingress,
      STREAMS.log(0),
      STREAMS.log(1),
      STREAMS.messages,
      `KV_${BUCKETS.agents}`,
      `KV_${BUCKETS.channels}`,
      `KV_${BUCKETS.leases}`,
      `KV_${BUCKETS.definitions}`,
      `KV_${BUCKETS.context}`,
      `KV_${BUCKETS.results}`,
      `OBJ_${BUCKETS.blobs}`,
    ].sort(),
  );
  const { config: log } = await jsm.streams.info(STREAMS.log(1));
  expect(log).toMatchObject({
    subjects: ['cadre.log.01'],
    storage: 'file',
    retention: 'limits',
    discard: 'new',
    allow_direct: true,
    max_age: 0,
  });
  const { config: events } = await jsm.streams.info(STREAMS.events);
  expect(events).toMatchObject({ max_age: nanos(7 * 86_400_000), duplicate_window: nanos(120_000), discard: 'old' });
  expect((await jsm.streams.info(STREAMS.ingress)).config).toMatchObject({ retention: 'workqueue', duplicate_window: nanos(120_000) });
});

test("the buckets are those of NATS's own clients", async () => {
  await ensureTopology(nats, { shards: 1 });
  const kv = await new Kvm(nats).open(BUCKETS.leases);
  await kv.put('some-key', 'value');
  expect((await kv.get('some-key'))!.string()).toBe('value');
  const objects = await new Objm(nats).open(BUCKETS.blobs);
  await objects.putBlob({ name: 'n' }, Buffer.from('body'));
  expect(Buffer.from((await objects.getBlob('n'))!).toString()).toBe('body');
});

test('what differs is brought into shape, what blocks are there stays', async () => {
  await jsm.streams.add({ name: STREAMS.log(0), subjects: ['cadre.log.00'], max_age: nanos(60_000), allow_direct: false });
  await nats.request('cadre.log.00', 'x', { timeout: 1000 });
  await ensureTopology(nats, { shards: 1 });
  const { config, state } = await jsm.streams.info(STREAMS.log(0));
  expect(config).toMatchObject({ max_age: 0, allow_direct: true, discard: 'new' });
  expect(state.messages).toBe(1);
});

test('what cannot be changed is a clear error', async () => {
  await jsm.streams.add({
    name: STREAMS.log(0),
    subjects: ['cadre.log.00'],
    storage: StorageType.Memory,
    retention: RetentionPolicy.Workqueue,
  });
  await expect(ensureTopology(nats, { shards: 1 })).rejects.toMatchObject({
    code: 'topology-mismatch',
    message: expect.stringMatching(/CADRE_LOG_00.*retention is workqueue instead of limits, storage is memory instead of file/),
  });
});

test('more replicas than servers, and a log without its stream, are clear errors', async () => {
  await expect(ensureTopology(nats, { shards: 1, replicas: 3 })).rejects.toMatchObject({ code: 'topology-failed' });
  await expect(JetStreamLog.open(nats, 42)).rejects.toMatchObject({
    code: 'log-missing',
    remedy: expect.stringContaining('ensureTopology'),
  });
});
