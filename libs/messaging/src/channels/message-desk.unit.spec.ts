import { setTimeout as sleep } from 'node:timers/promises';
import { Channel, CHANNEL_LIMITS, SendRequest, Subscription } from '@cadre/contracts';
import { MemoryChannels } from '../testing/memory-channels.js';
import { ChannelRegistry } from './channel-registry.js';
import { MessageDesk } from './message-desk.js';
import { QUEUE_LIMITS } from './message-queue.js';

let shared: MemoryChannels;
let registry: ChannelRegistry;
let desk: MessageDesk;
let stop: AbortController;
beforeEach(() => {
  shared = new MemoryChannels();
  let ids = 0;
  const around = { store: shared, carrier: shared, now: () => 1000, newId: () => `made-${(ids += 1)}` };
  registry = new ChannelRegistry(around);
  desk = new MessageDesk(around);
  stop = new AbortController();
});
afterEach(() => stop.abort());

const TENANT = 'acme';
const make = (of: Partial<Channel>) => registry.put(TENANT, Channel.parse({ name: 'c', kind: 'broadcast', ...of }));
const draft = (of: Partial<SendRequest> = {}) => SendRequest.parse({ type: 'discovery', from: 'ann', ...of });
const subscription = (of: Partial<Subscription> = {}) => Subscription.parse({ name: 'bob', ...of });
const listen = (of: Partial<Subscription> = {}, after?: number) =>
  desk.listen(TENANT, 'c', subscription(of), { signal: stop.signal, ...(after === undefined ? {} : { after }) });

describe('sending', () => {
  test.each([
    ['an unknown channel', {}, { channel: 'other' }, 'unknown-channel', 'There is no channel "other".'],
    ['no right', { members: [{ name: 'ann', rights: ['receive'] }] }, {}, 'forbidden', 'ann may not send into'],
    [
      'too large',
      { limits: { messageBytes: 10, messages: 1, ageMs: 1000 } },
      { data: 'üüüüü' },
      'message-too-large',
      'take 12 bytes as JSON; the channel takes 10',
    ],
    ['a wrong schema', { schema: { type: 'object', required: ['impact'] } }, { data: {} }, 'invalid-message', 'data.impact: is missing'],
    [
      'a check',
      { check: 'message.data.confidence > 0.5' },
      { data: { confidence: 0.1 } },
      'invalid-message',
      'data: does not pass the check',
    ],
    ['no addressee', { kind: 'direct' }, {}, 'invalid-message', 'to: in a direct channel'],
    ['a broken audience', {}, { audience: 'subscriber.' }, 'invalid-message', 'audience: '],
  ] as const)('%s is refused', async (_what, of, { channel = 'c', ...given }: { channel?: string } & object, code, message) => {
    await make(of as unknown as Partial<Channel>);
    await expect(desk.send(TENANT, channel, draft(given))).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test('the largest data that there may be pass', async () => {
    await make({});
    await desk.send(TENANT, 'c', draft({ data: 'x'.repeat(CHANNEL_LIMITS.messageBytes - 2) }));
    await expect(desk.send(TENANT, 'c', draft({ data: 'x'.repeat(CHANNEL_LIMITS.messageBytes - 1) }))).rejects.toMatchObject({
      code: 'message-too-large',
    });
  });

  test('the same id again is the same message, in a durable channel', async () => {
    await make({ durable: true });
    const first = await desk.send(TENANT, 'c', draft({ id: 'm1' }));
    expect(first).toEqual({ id: 'm1', position: 1, repeated: false });
    expect(await desk.send(TENANT, 'c', draft({ id: 'm1' }))).toEqual({ ...first, repeated: true });
  });

  test('another tenant has no such channel', async () => {
    await make({});
    await expect(desk.send('other', 'c', draft())).rejects.toMatchObject({ code: 'unknown-channel' });
  });
});

describe('listening', () => {
  test('a discovery broadcast reaches the subscriber whose filter lets it through', async () => {
    await make({});
    const [manager, auditor] = [
      await listen({ name: 'portfolio-manager', types: ['discovery', 'risk_alert'], where: 'message.data.impact == "high"' }),
      await listen({ name: 'auditor', types: ['risk_alert'] }),
    ];
    const data = { finding: 'New market opportunity identified', confidence: 0.9, impact: 'high' };
    await desk.send(TENANT, 'c', draft({ from: 'researcher', data }));
    expect((await manager.next(100))?.message).toMatchObject({ type: 'discovery', from: 'researcher', data, id: 'made-1', at: 1000 });
    expect(await auditor.next(30)).toBeUndefined();
  });

  test('the sender may say who of them gets it', async () => {
    await make({});
    const [analyst, clerk] = [await listen({ name: 'analyst' }), await listen({ name: 'clerk', skills: ['analysis'] })];
    await desk.send(TENANT, 'c', draft({ audience: 'subscriber.name.contains("analyst")' }));
    await desk.send(TENANT, 'c', draft({ audience: '"analysis" in subscriber.skills', type: 'second' }));
    expect((await analyst.next(100))?.message.type).toBe('discovery');
    expect((await clerk.next(100))?.message.type).toBe('second');
    expect(await analyst.next(10)).toBeUndefined();
  });

  test.each(['direct', 'multicast'] as const)('in a %s channel who is named gets it', async (kind) => {
    await make({ kind });
    const [bob, cid] = [await listen({ name: 'bob' }), await listen({ name: 'cid' })];
    await desk.send(TENANT, 'c', draft({ to: ['bob'] }));
    expect((await bob.next(100))?.message.to).toEqual(['bob']);
    expect(await cid.next(10)).toBeUndefined();
  });

  test('in a topic channel types are asked for', async () => {
    await make({ kind: 'topic' });
    await expect(listen()).rejects.toMatchObject({ code: 'invalid-request', message: expect.stringContaining('say which types') });
    const listening = await listen({ types: ['risk.*'] });
    for (const type of ['risk', 'risk.eu', 'other.eu']) await desk.send(TENANT, 'c', draft({ type }));
    expect((await listening.next(100))?.message.type).toBe('risk.eu');
    expect(await listening.next(10)).toBeUndefined();
  });

  test('a broken filter, and no right to receive, are told at once', async () => {
    await make({ members: [{ name: 'bob', rights: ['receive'] }] });
    await expect(listen({ where: 'message.' })).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('where: '),
    });
    await expect(listen({ name: 'eve' })).rejects.toMatchObject({ code: 'forbidden' });
  });

  test.each([false, true])('it ends when the channel is removed, and when the right is taken away (durable: %s)', async (durable) => {
    await make({ durable });
    const [first, second] = [await listen(), await listen({ name: 'cid' })];
    const waiting = [first.next(), second.next()];
    await make({ durable, members: [{ name: 'bob', rights: ['receive'] }] });
    expect([await waiting[1], second.end]).toEqual([undefined, 'not-allowed']);
    expect(first.end).toBeUndefined();
    await registry.remove(TENANT, 'c');
    expect([await waiting[0], first.end]).toEqual([undefined, 'removed']);
  });

  test('one that was made anew is another channel', async () => {
    await make({});
    const listening = await listen();
    await registry.remove(TENANT, 'c');
    await make({});
    expect([await listening.next(1000), listening.end]).toEqual([undefined, 'removed']);
  });

  test('a reader that is too slow for what passes is ended, with what it could keep', async () => {
    await make({});
    const listening = await listen();
    for (let n = 0; n <= QUEUE_LIMITS.messages; n += 1) await desk.send(TENANT, 'c', draft());
    for (let n = 0; n < QUEUE_LIMITS.messages; n += 1) expect(await listening.next(0)).toBeDefined();
    expect([await listening.next(), listening.end]).toEqual([undefined, 'overrun']);
  });

  test('long messages count by their bytes', async () => {
    await make({});
    const listening = await listen();
    for (let n = 0; n < 100; n += 1) await desk.send(TENANT, 'c', draft({ data: 'x'.repeat(60_000) }));
    let heard = 0;
    while ((await listening.next(0)) !== undefined) heard += 1;
    expect([heard > 50 && heard < 75, listening.end]).toEqual([true, 'overrun']);
  });

  test('a slow reader of what is kept misses nothing, from any position on', async () => {
    await make({ durable: true, limits: { messages: 5000, messageBytes: 100, ageMs: 1000 } });
    const live = await listen({ where: 'message.data > 1' });
    for (let n = 1; n <= 1200; n += 1) await desk.send(TENANT, 'c', draft({ data: n }));
    for (let n = 2; n <= 1200; n += 1) expect((await live.next(1000))?.message.data).toBe(n);
    const later = await listen({}, 1198);
    expect((await later.next(100))?.position).toBe(1199);
  });

  test('the signal ends it', async () => {
    await make({});
    const listening = await listen();
    const waiting = listening.next();
    stop.abort();
    expect([await waiting, listening.end]).toEqual([undefined, 'stopped']);
  });
});

describe('reading', () => {
  test('pages of what is wanted, and where to go on', async () => {
    await make({ durable: true });
    for (let n = 1; n <= 9; n += 1) await desk.send(TENANT, 'c', draft({ data: n, type: n % 2 === 0 ? 'even' : 'odd' }));
    const read = (after: number, limit = 3) => desk.read(TENANT, 'c', subscription({ types: ['odd'] }), after, limit);
    const first = await read(0);
    expect([first.messages.map(({ message }) => message.data), first.more]).toEqual([[1, 3, 5], true]);
    const second = await read(first.next);
    expect([second.messages.map(({ message }) => message.data), second.more, second.next]).toEqual([[7, 9], false, 9]);
    expect(await read(9)).toEqual({ messages: [], next: 9, more: false });
  });

  test('only a durable channel can be read', async () => {
    await make({});
    await expect(desk.read(TENANT, 'c', subscription(), 0, 10)).rejects.toMatchObject({ code: 'invalid-request' });
  });
});

describe('requests', () => {
  const ask = (of: Partial<SendRequest> = {}, timeoutMs = 1000) =>
    desk.request(TENANT, 'c', draft({ type: 'question', ...of }), { timeoutMs, signal: stop.signal });
  /** Somebody who answers what comes. */
  const answering = async (channel = 'c', delayMs = 0) => {
    const listening = await desk.listen(TENANT, channel, subscription({ types: ['question'] }), { signal: stop.signal });
    void (async () => {
      for (let heard = await listening.next(); heard; heard = await listening.next()) {
        const { id, from, data, replyTo = channel } = heard.message;
        await sleep(delayMs);
        const { kind } = (await registry.get(TENANT, replyTo)).channel;
        const to = kind === 'direct' ? { to: [from] } : {};
        await desk.send(TENANT, replyTo, draft({ type: 'answer', from: 'bob', correlationId: id, data: { echo: data }, ...to }));
      }
    })();
  };

  test.each([
    [{ kind: 'broadcast' }, {}],
    [{ kind: 'broadcast', durable: true }, {}],
    [{ kind: 'direct' }, { to: ['bob'] }],
    [{ kind: 'direct', durable: true }, { to: ['bob'] }],
    [{ kind: 'topic', durable: true }, {}],
  ] as const)('in a channel %j the reply comes back', async (of, given) => {
    await make(of as unknown as Partial<Channel>);
    await answering('c', 5);
    const replies = await Promise.all([1, 2, 3].map((data) => ask({ ...given, data } as Partial<SendRequest>)));
    expect(replies.map(({ type, data }) => [type, data])).toEqual([1, 2, 3].map((echo) => ['answer', { echo }]));
  });

  test.each([false, true])('a reply may come in another channel (durable: %s)', async (durable) => {
    await make({});
    await make({ name: 'answers', kind: 'direct', durable });
    await answering();
    expect((await ask({ replyTo: 'answers', data: 'x' })).channel).toBe('answers');
  });

  test('without a reply it ends in time, and says so', async () => {
    await make({});
    await expect(ask({}, 20)).rejects.toMatchObject({
      code: 'reply-timeout',
      message: 'Nobody in the channel c has replied within 20 ms.',
    });
  });

  test('who may not receive cannot ask', async () => {
    await make({ members: [{ name: 'ann', rights: ['send'] }] });
    await expect(ask()).rejects.toMatchObject({ code: 'forbidden', message: expect.stringContaining('receive') });
  });

  test('the signal ends the wait with its reason', async () => {
    await make({});
    const asked = ask({}, 5000);
    setTimeout(() => stop.abort(new Error('cancelled')), 10);
    await expect(asked).rejects.toThrow('cancelled');
  });

  test('a repeated request is not sent again, and finds the reply that has come meanwhile', async () => {
    await make({ durable: true });
    await expect(ask({ id: 'q1' }, 20)).rejects.toMatchObject({ code: 'reply-timeout' });
    await desk.send(TENANT, 'c', draft({ from: 'bob', type: 'answer', correlationId: 'q1', data: 42 }));
    expect((await ask({ id: 'q1' })).data).toBe(42);
    expect((await desk.read(TENANT, 'c', subscription(), 0, 10)).messages).toHaveLength(2);
  });
});

describe('definitions', () => {
  test.each([
    [{ check: 'message.' }, 'check: '],
    [{ schema: { type: 'strng' } }, 'schema: schema is invalid'],
    [{ schema: { enum: ['x'.repeat(CHANNEL_LIMITS.definitionBytes)] } }, 'the definition takes'],
  ])('%j is refused', async (of, message) => {
    await expect(make(of as Partial<Channel>)).rejects.toMatchObject({
      code: 'invalid-channel',
      message: expect.stringContaining(message),
    });
  });

  test('the kind of a channel, and whether it is durable, stay', async () => {
    await make({});
    await expect(make({ kind: 'topic' })).rejects.toMatchObject({
      code: 'channel-conflict',
      message: expect.stringContaining('its kind, broadcast,'),
    });
    await expect(make({ durable: true })).rejects.toMatchObject({ code: 'channel-conflict', message: expect.stringContaining('durable') });
  });

  test('there are not more than so many', async () => {
    for (let n = 0; n < CHANNEL_LIMITS.channels; n += 1) await make({ name: `c${n}` });
    await expect(make({ name: 'more' })).rejects.toMatchObject({ code: 'channel-limit' });
    await registry.put('other', Channel.parse({ name: 'more', kind: 'topic' }));
  });
});
