import { setTimeout as sleep } from 'node:timers/promises';
import { Channel, Message, type KeptChannel, type Problem } from '@cadre/contracts';
import { natsChannels } from '@cadre/messaging';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const ask = async (method: string, path: string, body?: unknown, base = gateway.url) => {
  const response = await fetch(`${base}/v1/channels${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as unknown };
};
const make = async (name: string, of: object = {}) => {
  const { status, body } = await ask('PUT', `/${name}`, { kind: 'broadcast', ...of });
  expect([status, body]).toEqual([201, expect.anything()]);
  return body as KeptChannel;
};

/** A listener, with what it has been told. */
async function listen(path: string, headers: Record<string, string> = {}) {
  const stop = new AbortController();
  const response = await fetch(`${gateway.url}/v1/channels/${path}`, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: stop.signal,
  });
  const frames: { id: string | undefined; event: string; data: { id: string; reason?: string } }[] = [];
  const done = (async () => {
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const parts = text.split('\n\n');
      text = parts.pop()!;
      for (const part of parts) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1];
        const data = field('data');
        if (data !== undefined) frames.push({ id: field('id'), event: field('event')!, data: JSON.parse(data) });
      }
    }
  })().catch(() => undefined);
  return { status: response.status, frames, done, ids: () => frames.map(({ data }) => data.id), stop: () => stop.abort() };
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries > 500) throw new Error(`it did not become true: ${holds}`);
    await sleep(10);
  }
}

test('channels are made, changed, listed and removed', async () => {
  const kept = await make('zeta', { description: 'last' });
  expect(kept).toMatchObject({ tenant: 'default', channel: { name: 'zeta', durable: false, members: [{ name: '*' }] } });
  await make('alpha');
  expect(await ask('PUT', '/alpha', { kind: 'broadcast', description: 'first' })).toMatchObject({
    status: 200,
    body: { channel: { description: 'first' } },
  });
  const { body } = await ask('GET', '');
  expect((body as { channels: KeptChannel[] }).channels.map(({ channel }) => channel.name)).toEqual(['alpha', 'zeta']);
  expect(await ask('GET', '/zeta')).toEqual({ status: 200, body: kept });
  expect(await ask('PUT', '/alpha', { kind: 'direct' })).toMatchObject({ status: 409, body: { code: 'channel-conflict' } });
  expect(await ask('DELETE', '/alpha')).toEqual({ status: 204, body: undefined });
  expect(await ask('DELETE', '/alpha')).toMatchObject({ status: 404, body: { code: 'unknown-channel' } });
  expect(await ask('GET', '/alpha')).toMatchObject({ status: 404 });
});

test.each([
  ['no kind', 'c', {}, 400, /kind/],
  ['an unknown field', 'c', { kind: 'topic', durabel: true }, 400, /durabel/],
  ['another name', 'c', { kind: 'topic', name: 'd' }, 400, /was sent to c/],
  ['a name with a dot', 'a.b', { kind: 'topic' }, 400, /channel name/],
  ['a wildcard', '*', { kind: 'topic' }, 400, /channel name/],
  ['a tenant in the name', 'other%2Fc', { kind: 'topic' }, 400, /channel name/],
  ['a broken check', 'c', { kind: 'topic', check: 'message.' }, 422, /check: /],
  ['a schema that may take long', 'c', { kind: 'topic', schema: { pattern: '(a+)+$' } }, 422, /schema\.pattern/],
  ['a list', 'c', [], 400, /object/],
])('%s is refused', async (_what, name, body, status, message) => {
  const answer = await ask('PUT', `/${name}`, body);
  expect(answer.status).toBe(status);
  expect((answer.body as Problem).detail).toMatch(message);
});

test('a discovery broadcast reaches the subscriber whose filter lets it through', async () => {
  await make('discoveries', {
    members: [
      { name: 'researcher', rights: ['send'] },
      { name: '*', rights: ['receive'] },
    ],
  });
  const where = encodeURIComponent('message.data.impact == "high" && message.data.confidence > 0.5');
  const manager = await listen(`discoveries/messages?as=portfolio-manager&types=discovery,risk_alert&where=${where}`);
  const auditor = await listen('discoveries/messages?as=auditor&types=risk_alert');
  const data = { finding: 'New market opportunity identified', confidence: 0.9, impact: 'high' };
  for (const [id, type, given] of [
    ['low', 'discovery', { ...data, impact: 'low' }],
    ['high', 'discovery', data],
    ['risk', 'risk_alert', data],
  ] as const)
    expect(await ask('POST', '/discoveries/messages', { id, type, from: 'researcher', data: given })).toEqual({
      status: 202,
      body: { id, repeated: false },
    });
  await until(() => manager.frames.length === 2 && auditor.frames.length === 1);
  expect([manager.ids(), auditor.ids()]).toEqual([['high', 'risk'], ['risk']]);
  const [first] = manager.frames;
  expect([first!.event, first!.id]).toEqual(['message', undefined]);
  expect(Message.parse(first!.data)).toMatchObject({ channel: 'discoveries', from: 'researcher', type: 'discovery', data });
  expect(await ask('POST', '/discoveries/messages', { type: 'discovery', from: 'eve' })).toMatchObject({
    status: 403,
    body: { code: 'forbidden' },
  });
  expect(await ask('GET', '/discoveries/messages')).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('keeps no messages') },
  });
  expect(await ask('DELETE', '/discoveries')).toMatchObject({ status: 204 });
  await Promise.all([manager.done, auditor.done]);
  expect([manager.frames.at(-1), auditor.frames.at(-1)]).toMatchObject(Array(2).fill({ event: 'end', data: { reason: 'removed' } }));
});

test('bad messages, and what may not be, are told with their place', async () => {
  await make('strict', {
    kind: 'direct',
    members: [
      { name: 'ann', rights: ['send', 'receive'] },
      { name: 'bob', rights: ['receive'] },
    ],
    schema: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
    check: 'message.data.n < 10',
    limits: { messageBytes: 100 },
  });
  const send = (of: object) => ask('POST', '/strict/messages', { type: 'x', from: 'ann', to: ['bob'], data: { n: 1 }, ...of });
  const refusals: [object, number, string, unknown][] = [
    [{ data: { n: 'x' } }, 422, 'invalid-message', [{ path: 'data.n', message: 'must be integer' }]],
    [{ data: {} }, 422, 'invalid-message', [{ path: 'data.n', message: 'is missing' }]],
    [
      { data: { n: 10 } },
      422,
      'invalid-message',
      [{ path: 'data', message: 'does not pass the check of the channel: message.data.n < 10' }],
    ],
    [{ to: ['eve'] }, 422, 'invalid-message', [{ path: 'to[0]', message: 'eve may not receive from this channel' }]],
    [{ to: undefined }, 422, 'invalid-message', [{ path: 'to', message: expect.stringContaining('direct') }]],
    [{ data: { n: 1, text: 'x'.repeat(100) } }, 413, 'message-too-large', [{ path: 'data', message: 'too long' }]],
    [{ from: 'bob' }, 403, 'forbidden', undefined],
    [{ type: 'a b' }, 400, 'invalid-request', [{ path: 'type', message: expect.any(String) }]],
    [{ id: 'a.b' }, 400, 'invalid-request', [{ path: 'id', message: expect.any(String) }]],
    [{ runId: 'x' }, 400, 'invalid-request', [{ path: 'runId', message: 'unknown field' }]],
  ];
  for (const [of, status, code, errors] of refusals) {
    const { status: got, body } = await send(of);
    expect([got, (body as Problem).code, (body as Problem).errors]).toEqual([status, code, errors]);
  }
  expect(await send({})).toMatchObject({ status: 202 });
  expect(await ask('POST', '/nothing/messages', { type: 'x' })).toMatchObject({ status: 404, body: { code: 'unknown-channel' } });
  expect((await listen('strict/messages?as=eve')).status).toBe(403);
  expect((await listen('strict/messages?as=bob&where=message.')).status).toBe(400);
  expect((await listen('nothing/messages')).status).toBe(404);
  expect((await listen('strict/messages?as=bob', { 'last-event-id': 'x' })).status).toBe(400);
});

test('a durable channel is read from any position, live and as pages, and keeps a message once', async () => {
  await make('orders', { kind: 'topic', durable: true });
  const send = (id: string, type: string) => ask('POST', '/orders/messages', { id, type, data: id });
  const first = await send('m1', 'order.paid');
  expect(first).toEqual({ status: 202, body: { id: 'm1', position: expect.any(Number), repeated: false } });
  expect(await send('m1', 'order.paid')).toEqual({ status: 202, body: { ...(first.body as object), repeated: true } });
  for (const [id, type] of [
    ['m2', 'order.sent'],
    ['m3', 'order.paid.late'],
    ['m4', 'refund'],
  ] as const)
    await send(id, type);
  const all = await listen('orders/messages?types=order.>&after=0');
  await until(() => all.frames.length === 3);
  const last = all.frames[1]!.id!;
  const rest = await listen('orders/messages?types=order.>', { 'last-event-id': last });
  const live = await listen('orders/messages?types=>');
  await send('m5', 'order.paid');
  await until(() => all.frames.length === 4 && rest.frames.length === 2 && live.frames.length === 1);
  expect([all.ids(), rest.ids(), live.ids()]).toEqual([['m1', 'm2', 'm3', 'm5'], ['m3', 'm5'], ['m5']]);
  const page = await ask('GET', '/orders/messages?types=order.*&limit=2');
  expect(page.body).toMatchObject({ messages: [{ message: { id: 'm1' } }, { message: { id: 'm2' } }], more: true });
  expect(await ask('GET', '/orders/messages')).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'types', message: expect.any(String) }] },
  });
  for (const each of [all, rest, live]) each.stop();
});

test('a request gets its reply, or is told in time that there is none', async () => {
  await make('desk', { kind: 'direct' });
  const clerk = await listen('desk/messages?as=clerk');
  const asked = ask('POST', '/desk/requests', { id: 'q1', type: 'question', from: 'ada', to: ['clerk'], data: 'what?' });
  await until(() => clerk.frames.length === 1);
  await ask('POST', '/desk/messages', { type: 'answer', from: 'clerk', to: ['ada'], correlationId: 'other', data: 'no' });
  await ask('POST', '/desk/messages', { type: 'answer', from: 'clerk', to: ['ada'], correlationId: 'q1', data: 'that' });
  expect(await asked).toMatchObject({ status: 200, body: { type: 'answer', from: 'clerk', data: 'that' } });
  const late = await ask('POST', '/desk/requests', { type: 'question', to: ['clerk'], timeoutMs: 30 });
  expect(late).toMatchObject({
    status: 504,
    body: { code: 'reply-timeout', detail: 'Nobody in the channel desk has replied within 30 ms.' },
  });
  clerk.stop();
});

test('another tenant sees neither a channel nor what is sent in it', async () => {
  const { registry, desk } = natsChannels(gateway.nats);
  await registry.put('other', Channel.parse({ name: 'secret', kind: 'broadcast', durable: true }));
  await registry.put('other', Channel.parse({ name: 'shared', kind: 'broadcast' }));
  await make('shared');
  const listener = await listen('shared/messages');
  await desk.send('other', 'shared', { id: 'theirs', type: 'x', from: 'ann', data: 1 });
  await ask('POST', '/shared/messages', { id: 'ours', type: 'x' });
  await until(() => listener.frames.length === 1);
  expect(listener.ids()).toEqual(['ours']);
  expect(await ask('GET', '/secret')).toMatchObject({ status: 404 });
  expect(JSON.stringify((await ask('GET', '')).body)).not.toContain('secret');
  listener.stop();
  await desk.close();
});

test('a gateway that stops ends its listeners and requests at once', async () => {
  const second = await gateway.restart();
  await make('ending');
  const response = await fetch(`${second.url}/v1/channels/ending/messages`);
  const asked = ask('POST', '/ending/requests', { type: 'x', timeoutMs: 60_000 }, second.url);
  await sleep(100);
  const began = performance.now();
  const stopped = second.stop();
  expect(await response.text()).not.toContain('event: end');
  expect(await asked).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  await stopped;
  expect(performance.now() - began).toBeLessThan(5000);
});
