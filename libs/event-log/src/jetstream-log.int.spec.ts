import { BUCKETS, STREAMS } from '@cadre/contracts';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { JetStreamLog } from './jetstream-log.js';
import { shardLogContract } from './testing/shard-log-contract.js';
import { ensureTopology } from './topology.js';

let server: RunningNatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

shardLogContract('JetStreamLog', async () => {
  const connections: NatsConnection[] = [];
  const connectAgain = async (): Promise<NatsConnection> => {
    const nats = await connect({ servers: server.url, noAsyncTraces: true });
    connections.push(nats);
    return nats;
  };
  const admin = await connectAgain();
  const jsm = await jetstreamManager(admin);
  for (const stream of [STREAMS.log(7), `OBJ_${BUCKETS.blobs}`]) await jsm.streams.delete(stream).catch(() => undefined);
  await ensureTopology(admin, { shards: 8 });
  return {
    open: async () => JetStreamLog.open(await connectAgain(), 7),
    close: async () => {
      await Promise.all(connections.map((nats) => nats.close()));
    },
  };
});
