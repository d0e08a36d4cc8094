/** Workflows that start by themselves, on a real nats-server. */
import { STREAMS, SUBJECTS, type Json } from '@cadre/contracts';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ ANSWER_TIMEOUT_MS: '2000' });
});
afterAll(() => gateway.stop());

const workflow = (name: string, on: Json[], spec: object = {}) => ({
  apiVersion: 'cadre/v1',
  kind: 'Workflow',
  metadata: { name },
  spec: {
    goal: `The goal of ${name}`,
    params: { order: { default: null } },
    on,
    tasks: [{ id: 'a', title: 'a', instructions: 'i' }],
    ...spec,
  },
});

async function put(body: ReturnType<typeof workflow>, url = gateway.url) {
  const init = { method: 'PUT', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`${url}/v1/workflows/${body.metadata.name}`, init);
  return { status: response.status, body: (await response.json()) as { detail?: string; errors?: { path: string }[] } };
}

let count = 0;
async function publish(type: string, data: Json, { tenant = 'default', id = `e${(count += 1)}` } = {}): Promise<void> {
  await jetstream(gateway.nats).publish(
    `cadre.in.${tenant}.${type}`,
    JSON.stringify({ specversion: '1.0', id, source: '/shop', type, time: '2026-01-02T03:04:05Z', data }),
  );
  const manager = await jetstreamManager(gateway.nats);
  for (let i = 0; i < 800; i += 1) {
    if ((await manager.streams.info(STREAMS.ingress)).state.messages === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the event is left in the ingress stream');
}

/** Of the runs started so far: goals, or those of one workflow. */
const starts = (name?: string) =>
  [...gateway.owner.runs.values()].map(({ start }) => start).filter(({ goal }) => name === undefined || goal === `The goal of ${name}`);
const lastDead = async () =>
  (await (await jetstreamManager(gateway.nats)).streams.getMessage(STREAMS.dead, { last_by_subj: SUBJECTS.dead('ingress') }))?.header.get(
    'Cadre-Dead-Reason',
  );

test('an event starts each workflow that asks for its type, once, with what it brings', async () => {
  const params = { order: { number: '${{ event.data.number }}', text: 'order ${{ event.data.number }} at ${{ event.time }}' } };
  await put(workflow('ship', [{ event: 'order.paid', params }]));
  await put(workflow('thank', [{ event: 'order.paid', where: 'event.data.amount > 100' }]));
  await put(workflow('other', [{ event: 'order.sent' }]));
  await publish('order.paid', { number: 7, amount: 20 }, { id: 'first' });
  expect(starts().map(({ goal }) => goal)).toEqual(['The goal of ship']);
  expect(starts('ship')[0]).toMatchObject({
    params: { order: { number: 7, text: 'order 7 at 2026-01-02T03:04:05Z' } },
    options: { labels: { workflow: 'ship@1' } },
  });
  await publish('order.paid', { number: 7, amount: 20 }, { id: 'first' });
  await publish('order.paid', { number: 8, amount: 200 });
  expect([starts('ship').length, starts('thank').length, starts('other').length]).toEqual([2, 1, 0]);
  await publish('order.paid', { number: 9 }, { tenant: 'acme' });
  expect(starts('ship')).toHaveLength(2);
  expect(await lastDead()).toContain('Nothing waits for order.paid');
});

test('three handlers of one type run side by side; one whose parameters cannot be filled in is told, and holds up nobody', async () => {
  for (const name of ['h1', 'h2', 'h3']) {
    await put(workflow(name, [{ event: 'stock.low', params: name === 'h2' ? { order: '${{ event.data.missing.deep }}' } : {} }]));
  }
  await publish('stock.low', { part: 'bolt' });
  expect(['h1', 'h2', 'h3'].map((name) => starts(name).length)).toEqual([1, 0, 1]);
  expect(await lastDead()).toMatch(/Workflow h2 was not started: the parameters cannot be filled in/);
});

test.each([
  [{ event: 'run.start' }, 'spec.on[0].event', 'starts runs by itself'],
  [{ event: 'a.b', where: 'event.data >' }, 'spec.on[0].where', ''],
  [{ event: 'a.b', where: '1 + 1' }, 'spec.on[0].where', 'a condition is true or false'],
  [{ event: 'a.b', params: { nobody: 1 } }, 'spec.on[0].params.nobody', 'has no such parameter'],
  [{ event: 'a.b', params: { order: '${{ matches("a") }}' } }, 'spec.on[0].params', ''],
  [{ cron: 'now and then' }, 'spec.on[0].cron', 'write five fields'],
  [{ cron: '0 0 30 2 *' }, 'spec.on[0].cron', 'never comes'],
  [{ cron: '0 9 * * *', timezone: 'Mars/Base' }, 'spec.on[0].timezone', 'there is no time zone'],
  [{ event: 'a b' }, 'spec.on[0].event', 'an event type is words'],
  [{ event: 'a.b', cron: '0 9 * * *' }, 'spec.on[0]', 'either an event or a cron'],
  [{ params: {} }, 'spec.on[0]', 'either an event or a cron'],
])('%j is refused with its place', async (trigger, path, said) => {
  const { status, body } = await put(workflow('bad', [trigger as Json]));
  expect(status).toBe(400);
  expect(body.errors?.[0]?.path.startsWith(path)).toBe(true);
  expect(JSON.stringify(body)).toContain(said);
});

test('the newest version counts, also for a gateway that comes later', async () => {
  await put(workflow('move', [{ event: 'box.old' }]));
  await put(workflow('move', [{ event: 'box.new' }]));
  await publish('box.old', null);
  expect(starts('move')).toHaveLength(0);
  await gateway.stopService();
  const later = await gateway.restart();
  await publish('box.new', null);
  expect(starts('move')).toHaveLength(1);
  expect(starts('move')[0]?.options.labels).toEqual({ workflow: 'move@2' });
  // What the other gateways keep is heard of by itself.
  await put(
    workflow('each-second', [{ cron: '* * * * * *', timezone: 'Europe/Berlin', params: { order: '${{ event.time }}' } }]),
    later.url,
  );
  for (let i = 0; i < 800 && starts('each-second').length < 2; i += 1) await new Promise((resolve) => setTimeout(resolve, 25));
  const times = starts('each-second').map(({ params }) => (params as { order: string }).order);
  expect(times.length).toBeGreaterThanOrEqual(2);
  expect(new Set(times).size).toBe(times.length);
  for (const time of times) expect(new Date(time).getUTCMilliseconds()).toBe(0);
  await later.stop();
});
