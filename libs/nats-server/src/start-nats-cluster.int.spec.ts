import { access, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { askServer, jetStreamAnswers } from './readiness.js';
import { startNatsCluster } from './start-nats-cluster.js';
import { startNatsServer } from './start-nats-server.js';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

test('three servers are one cluster, outlive the death of a node, and take it back', async () => {
  const cluster = await startNatsCluster();
  const { nodes } = cluster;
  try {
    expect(cluster.url.split(',')).toEqual(nodes.map(({ port }) => `nats://127.0.0.1:${port}`));
    const seen = JSON.parse((await askServer('127.0.0.1', nodes[0]!.port, '$SYS.REQ.SERVER.PING.JSZ'))!) as {
      data: { config: object; meta_cluster: object };
    };
    expect(seen.data).toMatchObject({ config: { sync_always: true }, meta_cluster: { cluster_size: 3 } });

    const dead = nodes[2]!;
    await dead.kill();
    expect([dead.isRunning, dead.pid]).toEqual([false, undefined]);
    await dead.start();
    expect(await Promise.all(nodes.map(({ host, port }) => jetStreamAnswers(host, port)))).toEqual([true, true, true]);
    await expect(cluster.leaderOf('NO_SUCH_STREAM', 100)).rejects.toMatchObject({ code: 'nats-no-leader' });
  } finally {
    await cluster.stop();
    await cluster.stop();
  }
  expect(nodes.map(({ isRunning }) => isRunning)).toEqual([false, false, false]);
  expect(await exists(dirname(nodes[0]!.dataDir))).toBe(false);
}, 60_000);

test('a cluster without forced syncing says so, and keeps a data folder that it was given', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'nats-spec-'));
  const cluster = await startNatsCluster({ nodes: 2, dataDir, syncAlways: false });
  const answer = await askServer('127.0.0.1', cluster.nodes[1]!.port, '$SYS.REQ.SERVER.PING.JSZ');
  expect(JSON.parse(answer!)).not.toHaveProperty('data.config.sync_always');
  await cluster.stop();
  expect(await exists(join(dataDir, 'n2/jetstream'))).toBe(true);
  await rm(dataDir, { recursive: true });
}, 60_000);

test('data that an earlier version kept in the global account are taken over', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'nats-spec-'));
  const first = await startNatsServer({ dataDir });
  const config = JSON.stringify({ name: 'KEPT', subjects: ['kept'], storage: 'file', num_replicas: 1, retention: 'limits' });
  expect(await askServer(first.host, first.port, '$JS.API.STREAM.CREATE.KEPT', { body: config })).toContain('"created"');
  await first.stop();
  await rename(join(dataDir, 'jetstream/CADRE'), join(dataDir, 'jetstream/$G'));
  const second = await startNatsServer({ dataDir });
  expect(await askServer(second.host, second.port, '$JS.API.STREAM.INFO.KEPT')).toContain('"KEPT"');
  await second.stop();
  expect(await readFile(join(dataDir, 'jetstream/CADRE/streams/KEPT/meta.inf'), 'utf8')).toContain('KEPT');
  await rm(dataDir, { recursive: true });
}, 60_000);
