import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STREAMS } from '@cadre/contracts';
import { findNatsServer, startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { guardBroker, type BrokerDemand } from './broker-guard.js';
import { ensureTopology } from './topology.js';

const demand: BrokerDemand = { profile: 'durable', shards: 1, replicas: 0, acceptUnverified: false, monitors: [], minVersion: '2.14.4' };
const fast: BrokerDemand = { ...demand, profile: 'fast' };

async function withServer(
  options: { syncAlways: boolean },
  use: (nats: NatsConnection, server: RunningNatsServer) => Promise<void>,
): Promise<void> {
  const server = await startNatsServer(options);
  const nats = await connect({ servers: server.url });
  try {
    await use(nats, server);
  } finally {
    await nats.close();
    await server.stop();
  }
}

/** A server as others set it up: in the global account, so that clients cannot ask for its sync setting. */
async function withPlainServer(
  config: (folder: string) => string,
  use: (nats: NatsConnection, monitor: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'broker-spec-'));
  await writeFile(join(folder, 'c.conf'), `host: 127.0.0.1\nport: -1\nhttp: "127.0.0.1:-1"\n${config(join(folder, 'data'))}\n`);
  const { path } = await findNatsServer();
  const child = spawn(path, ['-c', join(folder, 'c.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  try {
    await new Promise<void>((resolve) =>
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()).includes('Server is ready') && resolve()),
    );
    const portOf = (what: string): string => new RegExp(`${what}.*?:(\\d+)\\s`).exec(said)![1]!;
    const nats = await connect({ servers: `nats://127.0.0.1:${portOf('client connections on 127')}` });
    await use(nats, `http://127.0.0.1:${portOf('http monitor on 127')}`);
    await nats.close();
  } finally {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

test('a server that syncs each write is durable, one copy of each stream is enough, and under fast it is noted', async () => {
  await withServer({ syncAlways: true }, async (nats) => {
    const facts = await guardBroker(nats, demand);
    expect(facts).toMatchObject({ replicas: 1, warnings: [], servers: [{ syncAlways: true, clusterSize: 1 }] });
    expect((await guardBroker(nats, { ...demand, replicas: 2 })).replicas).toBe(2);
    expect((await guardBroker(nats, fast)).warnings).toEqual([expect.stringContaining('syncs each write')]);
  });
});

test('a server that syncs now and then is refused under durable with the way out, and fits fast', async () => {
  await withServer({ syncAlways: false }, async (nats, server) => {
    await expect(guardBroker(nats, demand)).rejects.toMatchObject({
      code: 'broker-not-durable',
      retriable: false,
      message: expect.stringContaining(nats.info!.server_name),
      remedy: expect.stringMatching(/sync_interval: always.*CADRE_PROFILE=fast/),
    });
    // To accept what is not told does not mean to accept what is told.
    await expect(guardBroker(nats, { ...demand, acceptUnverified: true })).rejects.toMatchObject({ code: 'broker-not-durable' });
    expect(await guardBroker(nats, fast)).toMatchObject({ replicas: 1, warnings: [] });
    expect(server.url).toContain('nats://');
  });
});

test('a server that does not tell is refused under durable, unless its monitoring port tells or somebody vouches for it', async () => {
  const config = (data: string): string => `jetstream { store_dir: "${data}", sync_interval: always }`;
  await withPlainServer(config, async (nats, monitor) => {
    await expect(guardBroker(nats, demand)).rejects.toMatchObject({
      code: 'broker-unverified',
      remedy: expect.stringMatching(/PING\.JSZ.*CADRE_NATS_MONITOR.*CADRE_UNVERIFIED_BROKER=accept/),
    });
    await expect(guardBroker(nats, { ...demand, monitors: ['http://127.0.0.1:1'] })).rejects.toMatchObject({
      message: expect.stringContaining('http://127.0.0.1:1'),
    });
    expect(await guardBroker(nats, { ...demand, monitors: [monitor] })).toMatchObject({ servers: [{ syncAlways: true }], warnings: [] });
    expect(await guardBroker(nats, { ...demand, acceptUnverified: true })).toMatchObject({
      replicas: 1,
      warnings: [expect.stringContaining('on trust')],
    });
    expect(await guardBroker(nats, fast)).toMatchObject({ replicas: 1 });
    await expect(guardBroker(nats, { ...fast, minVersion: '99.0.0', monitors: [monitor] })).rejects.toMatchObject({
      code: 'broker-too-old',
    });
  });
});

test('a server that lets its monitoring port tell of timed syncing, or takes small messages only, is refused', async () => {
  await withPlainServer(
    (data) => `jetstream { store_dir: "${data}" }`,
    async (nats, monitor) => {
      await expect(guardBroker(nats, { ...demand, monitors: [monitor] })).rejects.toMatchObject({ code: 'broker-not-durable' });
    },
  );
  await withPlainServer(
    (data) => `max_payload: 500KB\njetstream { store_dir: "${data}" }`,
    async (nats) => {
      await expect(guardBroker(nats, fast)).rejects.toMatchObject({
        code: 'broker-payload-small',
        message: expect.stringContaining('512000'),
      });
    },
  );
});

test('streams of another kind are refused, and what ensureTopology can put right is not', async () => {
  await withServer({ syncAlways: true }, async (nats) => {
    const jsm = await jetstreamManager(nats);
    const log = { name: STREAMS.log(0), subjects: ['cadre.log.00'], storage: StorageType.File, retention: RetentionPolicy.Limits };
    await jsm.streams.add({ ...log, max_age: 1_000_000_000 });
    await guardBroker(nats, demand);
    await ensureTopology(nats, { shards: 1 });
    expect((await jsm.streams.info(STREAMS.log(0))).config.max_age).toBe(0);
    await guardBroker(nats, demand);

    await jsm.streams.delete(STREAMS.log(0));
    await jsm.streams.add({ ...log, persist_mode: 'async' });
    const refused = { code: 'topology-mismatch', message: expect.stringContaining('persist_mode is async') };
    await expect(guardBroker(nats, demand)).rejects.toMatchObject(refused);
    await expect(ensureTopology(nats, { shards: 1 })).rejects.toMatchObject(refused);
  });
});
