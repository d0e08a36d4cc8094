import { STREAMS, SUBJECTS, makeRunId } from '@cadre/contracts';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { runIdOfEvent } from '../runs/run-identity.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ ANSWER_TIMEOUT_MS: '500' });
});
afterAll(() => gateway.stop());

let count = 0;
const event = (data: unknown = { goal: 'from outside' }) => {
  count += 1;
  return { specversion: '1.0', id: `e${count}`, source: '/shop', type: 'run.start', data };
};

/** As any NATS client would publish it. */
async function publish(body: unknown, { subject = 'cadre.in.default.run.start', head = {} as Record<string, string> } = {}): Promise<void> {
  const out = headers();
  for (const [name, value] of Object.entries(head)) out.set(name, value);
  const data = body instanceof Uint8Array ? body : typeof body === 'string' ? body : JSON.stringify(body);
  await jetstream(gateway.nats).publish(subject, data, { headers: out });
}

/** Waits until nothing is left to do in the ingress stream. */
async function settled(): Promise<void> {
  const manager = await jetstreamManager(gateway.nats);
  for (let i = 0; i < 400; i += 1) {
    if ((await manager.streams.info(STREAMS.ingress)).state.messages === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('events are left in the ingress stream');
}

async function lastDead() {
  const manager = await jetstreamManager(gateway.nats);
  return await manager.streams.getMessage(STREAMS.dead, { last_by_subj: SUBJECTS.dead('ingress') });
}

async function deadCount(): Promise<number> {
  return (await (await jetstreamManager(gateway.nats)).streams.info(STREAMS.dead)).state.messages;
}

const idOf = (given: { id: string; source: string }) => runIdOfEvent('default', given.source, given.id, 1);

test('an event in structured mode starts a run, in the tenant of its subject', async () => {
  const given = event({ goal: 'from outside', options: { priority: 'high' } });
  await publish(given);
  const other = event();
  await publish(other, { subject: 'cadre.in.acme.run.start' });
  await settled();
  expect(gateway.owner.runs.get(idOf(given))?.start).toMatchObject({
    tenant: 'default',
    goal: 'from outside',
    options: { priority: 'high' },
  });
  expect(gateway.owner.runs.get(runIdOfEvent('acme', other.source, other.id, 1))?.start.tenant).toBe('acme');
});

test('an event in binary mode starts a run, and its trace goes on', async () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const head = { 'ce-specversion': '1.0', 'ce-id': 'bin1', 'ce-source': '/shop', 'ce-type': 'run.start', 'ce-traceparent': traceparent };
  await publish({ goal: 'binary' }, { head });
  await settled();
  const start = gateway.owner.runs.get(idOf({ id: 'bin1', source: '/shop' }))?.start;
  expect(start).toMatchObject({ goal: 'binary', traceparent: expect.stringContaining('4bf92f3577b34da6a3ce929d0e0e4736') });
});

test('the same event twice is one run', async () => {
  const given = event();
  const before = gateway.owner.runs.size;
  await publish(given);
  await publish(given);
  await settled();
  expect(gateway.owner.runs.size).toBe(before + 1);
});

test('an event that nobody can take now comes again, and is not lost', async () => {
  gateway.owner.stop();
  const given = event();
  await publish(given);
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(gateway.owner.runs.has(idOf(given))).toBe(false);
  gateway.owner.start();
  await settled();
  expect(gateway.owner.runs.has(idOf(given))).toBe(true);
});

test('what cannot be used is set aside whole, with the reason, and the next event is taken', async () => {
  const cycle = [
    { id: 'a', title: 'A', instructions: 'x', dependsOn: ['b'] },
    { id: 'b', title: 'B', instructions: 'x', dependsOn: ['a'] },
  ];
  const taken = event({ goal: 'first' });
  const bad: [unknown, string, string, string?][] = [
    ['{not json', 'malformed-event', 'not JSON'],
    [new Uint8Array([0xff, 0x00]), 'malformed-event', 'not JSON'],
    ['', 'malformed-event', 'not JSON'],
    [{ ...event(), specversion: '0.3' }, 'malformed-event', 'specversion'],
    [event({ goal: '' }), 'invalid-request', 'the goal is empty'],
    [event({ goal: 'x', gaol: 1 }), 'invalid-request', 'gaol'],
    [event('just text'), 'invalid-request', 'object'],
    [event({ goal: 'x'.repeat(20_000) }), 'body-too-large', 'goal'],
    [event({ goal: 'x', plan: { tasks: cycle } }), 'invalid-plan', 'a → b → a'],
    [
      event({ goal: 'x', inputs: [{ name: 'a.csv', sha256: 'a'.repeat(64), size: 1, mediaType: 'text/csv' }] }),
      'unprocessable',
      'inputs[0]',
    ],
    [event(), 'no-handler', 'Nothing waits for order.paid', 'cadre.in.default.order.paid'],
    [event(), 'malformed-event', 'tenant', 'cadre.in.Not_A_Tenant.run.start'],
    [event(), 'malformed-event', 'no type of an event', 'cadre.in.default'],
    [event(), 'malformed-event', 'no type of an event', 'cadre.in.default.order.über'],
  ];
  for (const [body, code, word, subject = 'cadre.in.default.run.start'] of bad) {
    const before = await deadCount();
    await publish(body, { subject, head: { 'X-Mine': 'kept' } });
    await settled();
    expect(await deadCount()).toBe(before + 1);
    const dead = await lastDead();
    expect(dead?.header.get('Cadre-Dead-Code')).toBe(code);
    expect(dead?.header.get('Cadre-Dead-Reason')).toContain(word);
    expect(dead?.header.get('Cadre-Dead-Subject')).toBe(subject);
    expect(dead?.header.get('X-Mine')).toBe('kept');
    const sent = body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    expect(Buffer.from(dead?.data ?? [])).toEqual(sent);
  }
  await publish(taken);
  await settled();
  expect(gateway.owner.runs.has(idOf(taken))).toBe(true);
  await publish({ ...taken, data: { goal: 'second' } });
  await settled();
  expect((await lastDead())?.header.get('Cadre-Dead-Code')).toBe('run-conflict');
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(/cadre_ingress_events_total\{[^}]*outcome="dead"[^}]*\} (\d+)/.exec(metrics)?.[1]).toBe(String(bad.length + 1));
});

describe('tasks that wait for events', () => {
  const send = async (body: unknown) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return fetch(`${gateway.url}/v1/events`, init);
  };
  let runId: string;
  beforeAll(async () => {
    const start = event();
    await publish(start);
    await settled();
    runId = idOf(start);
    for (const taskId of ['one', 'two']) gateway.monitor.waits.push({ event: 'order.paid', runId, taskId });
  });
  const woken = () => gateway.owner.runs.get(runId)?.woken;

  test('one that nobody wants is set aside and wakes nobody; neither does one that is too long', async () => {
    await publish(event('small'), { subject: 'cadre.in.default.order.paid' });
    await settled();
    expect((await lastDead())?.header.get('Cadre-Dead-Reason')).toContain('No task that waits for order.paid wants this one');
    await publish(event('long'), { subject: 'cadre.in.default.order.paid' });
    await settled();
    expect((await lastDead())?.header.get('Cadre-Dead-Code')).toBe('invalid-command');
    expect(woken()).toEqual([]);
  });

  test('one by HTTP wakes all of them, with what it says', async () => {
    const response = await send({ type: 'order.paid', source: '/shop', id: 'o1', data: { amount: 5 } });
    expect([response.status, await response.json()]).toEqual([202, { id: 'o1', source: '/shop', type: 'order.paid' }]);
    await settled();
    expect(woken()).toEqual(['one', 'two']);
    expect(gateway.owner.commands.at(-1)).toMatchObject({
      type: 'WakeTask',
      event: { id: 'o1', type: 'order.paid', source: '/shop', data: { amount: 5 } },
    });
  });

  test('without a monitor it waits for one', async () => {
    gateway.monitor.stop();
    const before = gateway.owner.commands.length;
    expect((await send({ type: 'order.paid' })).status).toBe(202);
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(gateway.owner.commands.length).toBe(before);
    gateway.monitor.start();
    await settled();
    expect(gateway.owner.commands.length).toBe(before + 2);
  });

  test.each([
    [{}, 400, 'type'],
    [{ type: 'not a type' }, 400, 'words of letters'],
    [{ type: 'order.paid', surprise: 1 }, 400, 'surprise'],
    [{ type: 'order.paid', data: 'x'.repeat(1_045_000) }, 413, 'bytes'],
  ])('what is no event is refused (%#)', async (body, status, word) => {
    const response = await send(body);
    expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(word)]);
  });
});

test('a message as large as NATS allows is set aside, cut', async () => {
  await publish('x'.repeat(1_040_000));
  await settled();
  expect((await lastDead())?.header.get('Cadre-Dead-Cut')).toBe('1040000');
});

test('a restarted gateway goes on with what came in meanwhile', async () => {
  const other = await startTestGateway();
  const given = event();
  await other.stopService();
  await jetstream(other.nats).publish('cadre.in.default.run.start', JSON.stringify(given));
  expect(other.owner.runs.size).toBe(0);
  const again = await other.restart();
  for (let i = 0; i < 200 && other.owner.runs.size === 0; i += 1) await new Promise((resolve) => setTimeout(resolve, 25));
  expect([...other.owner.runs.keys()]).toEqual([makeRunId(0, idOf(given).slice(4))]);
  await again.stop();
  await other.stop();
});
