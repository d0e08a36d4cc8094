import { STREAMS, SUBJECTS } from '@cadre/contracts';
import { ensureTopology } from '@cadre/event-log';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectNats } from '../connect-nats.js';
import { channelsContract } from '../testing/channels-contract.js';
import { NatsChannelStore } from './nats-channel-store.js';
import { natsChannels } from './nats-channels.js';
import { NatsMessageCarrier } from './nats-message-carrier.js';

let server: RunningNatsServer;
const connections: NatsConnection[] = [];
const connected = async (): Promise<NatsConnection> => {
  const nats = await connectNats({ url: server.url, name: 'test' });
  connections.push(nats);
  return nats;
};
beforeAll(async () => {
  server = await startNatsServer({ syncAlways: false });
  await ensureTopology(await connected(), { shards: 1 });
});
afterAll(async () => {
  await Promise.all(connections.map((nats) => nats.close()));
  await server.stop();
});

channelsContract('NATS', async () => ({
  open: async () => {
    const nats = await connected();
    return { store: new NatsChannelStore(nats), carrier: new NatsMessageCarrier(nats) };
  },
  close: async () => undefined,
}));

const SUBSCRIBER = { name: 'ann', skills: [] };
const draft = (id: string, data = {}) => ({ id, from: 'bob', type: 'news', data });

test('a message goes when its time is up', async () => {
  const { registry, desk } = natsChannels(await connected());
  const limits = { messages: 10, messageBytes: 100, ageMs: 1000 };
  await registry.put('default', {
    name: 'brief',
    kind: 'broadcast',
    members: [{ name: '*', rights: ['send', 'receive'] }],
    durable: true,
    limits,
  });
  await desk.send('default', 'brief', draft('m1'));
  expect((await desk.read('default', 'brief', SUBSCRIBER, 0, 10)).messages).toHaveLength(1);
  await sleep(2200);
  expect((await desk.read('default', 'brief', SUBSCRIBER, 0, 10)).messages).toEqual([]);
});

test('a reader of what is kept goes on after the broker was away, and loses nothing', async () => {
  const nats = await connected();
  const { registry, desk } = natsChannels(nats);
  const { desk: sender } = natsChannels(await connected());
  const limits = { messages: 1000, messageBytes: 1000, ageMs: 60_000 };
  await registry.put('default', {
    name: 'steady',
    kind: 'broadcast',
    members: [{ name: '*', rights: ['send', 'receive'] }],
    durable: true,
    limits,
  });
  const stop = new AbortController();
  const listening = await desk.listen('default', 'steady', SUBSCRIBER, { signal: stop.signal });
  await sender.send('default', 'steady', draft('m1'));
  expect((await listening.next())?.message.id).toBe('m1');
  await nats.reconnect();
  for (const id of ['m2', 'm3']) await sender.send('default', 'steady', draft(id));
  expect([(await listening.next())?.message.id, (await listening.next())?.message.id]).toEqual(['m2', 'm3']);
  stop.abort();
  expect(await listening.next()).toBeUndefined();
});

test('what is no message is passed over, wherever it stands', async () => {
  const nats = await connected();
  const { registry, desk } = natsChannels(nats);
  const members = [{ name: '*' as const, rights: ['send' as const, 'receive' as const] }];
  const limits = { messages: 100, messageBytes: 100, ageMs: 60_000 };
  const { kept } = await registry.put('default', { name: 'noisy', kind: 'broadcast', members, durable: true, limits });
  const noise = (id: string, text: string) => jetstream(nats).publish(SUBJECTS.message('default', 'noisy', kept.generation, id), text);
  for (let n = 0; n < 120; n += 1) await noise(`n${n}`, n % 2 === 0 ? 'no json' : '{"id":1}');
  await desk.send('default', 'noisy', draft('m1'));
  await noise('last', '');
  expect((await desk.read('default', 'noisy', SUBSCRIBER, 0, 10)).messages.map(({ message }) => message.id)).toEqual(['m1']);
});

test('removing a channel takes what it kept out of the stream', async () => {
  const nats = await connected();
  const { registry, desk } = natsChannels(nats);
  const manager = await jetstreamManager(nats);
  const stored = async () => (await manager.streams.info(STREAMS.messages)).state.messages;
  const before = await stored();
  const limits = { messages: 10, messageBytes: 100, ageMs: 60_000 };
  await registry.put('default', { name: 'gone', kind: 'broadcast', members: [{ name: '*', rights: ['send'] }], durable: true, limits });
  await desk.send('default', 'gone', draft('m1'));
  expect(await stored()).toBe(before + 1);
  await registry.remove('default', 'gone');
  expect(await stored()).toBe(before);
  await expect(registry.remove('default', 'gone')).rejects.toMatchObject({ code: 'unknown-channel' });
});
