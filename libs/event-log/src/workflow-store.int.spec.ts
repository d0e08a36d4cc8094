import { Workflow } from '@cadre/contracts';
import { connectNats } from '@cadre/messaging';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import type { NatsConnection } from '@nats-io/transport-node';
import { ensureTopology } from './topology.js';
import { WorkflowStore } from './workflow-store.js';

let server: RunningNatsServer;
let nats: NatsConnection;
let store: WorkflowStore;
beforeAll(async () => {
  server = await startNatsServer({ syncAlways: false });
  nats = await connectNats({ url: server.url, name: 'test' });
  await ensureTopology(nats, { shards: 1 });
  store = await WorkflowStore.open(nats);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});

const workflow = (name: string, goal = 'Count', description?: string): Workflow =>
  Workflow.parse({
    apiVersion: 'cadre/v1',
    kind: 'Workflow',
    metadata: { name, ...(description && { description }) },
    spec: { goal, tasks: [{ id: 'a', title: 'A', instructions: 'Do it.' }] },
  });

test('versions count from 1, and the same again is the same version', async () => {
  const first = await store.put('default', workflow('count'), 1000);
  expect(first).toMatchObject({ isNew: true, kept: { name: 'count', version: 1, createdAt: 1000 } });
  expect(await store.put('default', workflow('count'), 2000)).toEqual({ ...first, isNew: false });
  expect(await store.put('default', workflow('count', 'Other'), 3000)).toMatchObject({ isNew: true, kept: { version: 2 } });
  expect(await store.get('default', 'count')).toMatchObject({ version: 2, workflow: { spec: { goal: 'Other' } } });
  expect(await store.get('default', 'count', 1)).toEqual(first.kept);
  expect(await store.get('default', 'count', 3)).toBeUndefined();
  expect(await store.get('default', 'nothing')).toBeUndefined();
});

test('of many who keep one at the same time each gets a version of its own', async () => {
  const goals = Array.from({ length: 8 }, (_, n) => `Goal ${n}`);
  const kept = await Promise.all(goals.map((goal) => store.put('default', workflow('race', goal), 1)));
  expect(kept.map(({ kept: { version } }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test('lists the newest of each, of one tenant', async () => {
  await store.put('acme', workflow('zeta', 'Z', 'The last'), 5);
  await store.put('acme', workflow('alpha'), 6);
  await store.put('acme', workflow('alpha', 'Again'), 7);
  expect(await store.list('acme')).toEqual([
    { name: 'alpha', version: 2, createdAt: 7 },
    { name: 'zeta', version: 1, createdAt: 5, description: 'The last' },
  ]);
  expect(await store.list('nobody')).toEqual([]);
});
