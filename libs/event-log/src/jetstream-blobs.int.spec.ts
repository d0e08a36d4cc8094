import { BUCKETS } from '@cadre/contracts';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { jetstreamManager } from '@nats-io/jetstream';
import { randomBytes } from 'node:crypto';
import { Objm } from '@nats-io/obj';
import { connect } from '@nats-io/transport-node';
import { JetStreamBlobs } from './jetstream-blobs.js';
import { blobsContract } from './testing/blobs-contract.js';
import { blobsFixture } from './testing/jetstream-fixtures.js';
import { startTcpProxy } from './testing/tcp-proxy.js';
import { ensureTopology } from './topology.js';

const stream = `OBJ_${BUCKETS.blobs}`;

async function open() {
  const server = await startNatsServer();
  const nats = await connect({ servers: server.url });
  await ensureTopology(nats, { shards: 1 });
  const jsm = await jetstreamManager(nats);
  const objects = await new Objm(nats).open(BUCKETS.blobs);
  const close = async (): Promise<void> => {
    await nats.close();
    await server.stop();
  };
  return { server, nats, jsm, objects, blobs: await JetStreamBlobs.open(nats), close };
}

let server: RunningNatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

blobsContract('JetStreamBlobs', () => blobsFixture({ servers: [server.url], replicas: 1 }));

test("bodies can be read and written by NATS's own tools, and one without its chunks is recognised", async () => {
  const { jsm, objects, blobs, close } = await open();
  try {
    const bytes = Buffer.alloc(1_300_000, 'abc');
    const ref = await blobs.put(bytes, 'text/plain');
    expect(Buffer.compare((await objects.getBlob(ref.sha256))!, bytes)).toBe(0);
    expect((await objects.list()).map((info) => info.name)).toEqual([ref.sha256]);
    await objects.delete(ref.sha256);
    await expect(blobs.get(ref)).rejects.toMatchObject({ code: 'blob-missing' });
    await objects.putBlob({ name: ref.sha256 }, bytes);
    expect(Buffer.compare(await blobs.get(ref), bytes)).toBe(0);
    await jsm.streams.purge(stream, { filter: `$O.${BUCKETS.blobs}.C.>` });
    await expect(blobs.get(ref)).rejects.toMatchObject({ code: 'blob-corrupt' });
  } finally {
    await close();
  }
});

test('bodies are stored and read although the connection breaks meanwhile', async () => {
  const { server, jsm, close } = await open();
  const proxy = await startTcpProxy(server.port);
  const shaky = await connect({ servers: proxy.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  try {
    const blobs = await JetStreamBlobs.open(shaky);
    for (let round = 0; round < 5; round += 1) {
      const bytes = randomBytes(3_000_000);
      setTimeout(() => proxy.cut(), 5 + round * 6);
      const ref = await blobs.put(bytes, 'text/plain');
      setTimeout(() => proxy.cut(), round * 4);
      expect(Buffer.compare(await blobs.get(ref), bytes)).toBe(0);
    }
    // What broke off was cleared away.
    expect((await jsm.streams.info(stream)).state.bytes).toBeLessThan(5 * 3_200_000);
  } finally {
    await shaky.close();
    await proxy.close();
    await close();
  }
});
