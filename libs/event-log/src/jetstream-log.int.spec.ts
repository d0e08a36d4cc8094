import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { logFixture } from './testing/jetstream-fixtures.js';
import { shardLogContract } from './testing/shard-log-contract.js';

let server: RunningNatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

shardLogContract('JetStreamLog', () => logFixture({ servers: [server.url], replicas: 1 }));
