/** What every carrier and store of channels must do. Uses Jest's globals; call it in a spec. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Channel, CHANNEL_LIMITS, type KeptChannel, type Message } from '@cadre/contracts';
import type { ChannelStore, MessageCarrier } from '../channels/channel-ports.js';

export interface ChannelsFixture {
  /** As of one process each. */
  open(): Promise<{ store: ChannelStore; carrier: MessageCarrier }>;
  close(): Promise<void>;
}

interface Stage {
  store: ChannelStore;
  carrier: MessageCarrier;
  /** The same of another process. */
  other: ChannelStore;
  far: MessageCarrier;
}

/** Opened before the first test. */
type StageNow = () => Stage;

export function channelsContract(name: string, make: () => Promise<ChannelsFixture>): void {
  describe(`${name} keeps the contract of channels`, () => {
    let fixture: ChannelsFixture;
    let stage: Stage;
    beforeAll(async () => {
      fixture = await make();
      const [here, there] = [await fixture.open(), await fixture.open()];
      stage = { ...here, other: there.store, far: there.carrier };
    });
    afterAll(() => fixture.close());
    describe('definitions', () => testDefinitions(() => stage));
    describe('what passes', () => testPassing(() => stage));
    describe('what is kept', () => testKept(() => stage));
  });
}

async function made({ store }: Stage, of: Partial<Channel>, tenant = 'acme'): Promise<KeptChannel> {
  const done = await store.put(tenant, Channel.parse({ kind: 'broadcast', ...of }), 1000);
  if (done.outcome !== 'kept') throw new Error(done.outcome);
  return done.kept;
}

function message(channel: string, id: string, data: Message['data'] = null): Message {
  return { id, channel, type: 'news', from: 'ann', at: 1, data };
}

function testDefinitions(now: StageNow): void {
  test('a definition is kept, changed, listed by name and removed, for its tenant alone', async () => {
    const stage = now();
    const { store, other } = stage;
    const first = await made(stage, { name: 'zeta' });
    await made(stage, { name: 'alpha', description: 'first' });
    await made(stage, { name: 'alpha' }, 'other');
    expect(await other.get('acme', 'zeta')).toEqual(first);
    expect((await other.list('acme')).map(({ channel }) => channel.name)).toEqual(['alpha', 'zeta']);
    const same = await other.put('acme', first.channel, 2000);
    expect(same).toEqual({ outcome: 'kept', kept: first, isNew: false });
    const changed = await other.put('acme', { ...first.channel, description: 'new' }, 2000);
    expect(changed).toMatchObject({
      outcome: 'kept',
      isNew: false,
      kept: { createdAt: 1000, changedAt: 2000, generation: first.generation },
    });
    expect(await store.put('acme', { ...first.channel, durable: true }, 3000)).toMatchObject({ outcome: 'conflict' });
    expect(await store.put('acme', { ...first.channel, kind: 'direct' }, 3000)).toMatchObject({ outcome: 'conflict' });
    expect(await store.remove('acme', 'alpha')).toMatchObject({ channel: { description: 'first' } });
    expect(await other.remove('acme', 'alpha')).toBeUndefined();
    expect(await other.get('acme', 'alpha')).toBeUndefined();
    expect(await other.get('other', 'alpha')).toMatchObject({ tenant: 'other' });
    expect((await made(stage, { name: 'alpha' })).generation).not.toBe(first.generation);
  });

  test('two that make a channel at once make one, however close they are', async () => {
    const { store, other } = now();
    for (let round = 0; round < 30; round += 1) {
      const channel = Channel.parse({ name: `twice-${round}`, kind: 'topic' });
      const done = await Promise.all([store.put('acme', channel, 1), other.put('acme', channel, 1)]);
      const kept = done.map((each) => (each.outcome === 'kept' ? each : undefined));
      expect(kept.map((each) => each?.isNew).sort()).toEqual([false, true]);
      expect(kept[0]?.kept).toEqual(kept[1]?.kept);
      await Promise.all([store.remove('acme', channel.name), other.remove('acme', channel.name)]);
    }
  });

  test('changes are told, whoever makes them', async () => {
    const stage = now();
    const { store, other } = stage;
    const told: string[] = [];
    const stop = await other.watch((tenant, which) => told.push(`${tenant}.${which}`));
    await made(stage, { name: 'watched' });
    await made(stage, { name: 'watched', description: 'x' });
    await store.remove('acme', 'watched');
    await eventually(() => expect(told).toEqual(['acme.watched', 'acme.watched', 'acme.watched']));
    stop();
  });
}

function testPassing(now: StageNow): void {
  test('what passes is heard by those who listen, of this channel and tenant alone', async () => {
    const stage = now();
    const { carrier, far } = stage;
    const [here, there] = [await made(stage, { name: 'talk' }), await made(stage, { name: 'talk' }, 'other')];
    const heard: string[] = [];
    const stop = await far.subscribe(here, ({ id }) => heard.push(id));
    expect(await carrier.publish(there, message('talk', 'foreign'))).toEqual({ repeated: false });
    await carrier.publish(await made(stage, { name: 'talk-2' }), message('talk-2', 'neighbour'));
    expect(await carrier.publish(here, message('talk', 'm1', { text: 'grüß' }))).toEqual({ repeated: false });
    await eventually(() => expect(heard).toEqual(['m1']));
    stop();
    await carrier.publish(here, message('talk', 'm2'));
    await sleep(20);
    expect(heard).toEqual(['m1']);
  });
}

function testKept(now: StageNow): void {
  test('what is kept is read from any position, in order, and once although it was sent twice', async () => {
    const stage = now();
    const { carrier, far } = stage;
    const kept = await made(stage, { name: 'log', durable: true });
    const hints: string[] = [];
    const stop = await far.subscribe(kept, ({ id }) => hints.push(id));
    const first = await carrier.publish(kept, message('log', 'm1', { n: 1 }));
    expect(first).toMatchObject({ repeated: false, position: expect.any(Number) });
    expect(await far.publish(kept, message('log', 'm1', { n: 99 }))).toEqual({ ...first, repeated: true });
    for (const id of ['m2', 'm3', 'm4']) await carrier.publish(kept, message('log', id));
    const all = await far.read(kept, 0, 100);
    expect(all.map(({ message: { id } }) => id)).toEqual(['m1', 'm2', 'm3', 'm4']);
    expect(all[0]).toEqual({ position: first.position, message: message('log', 'm1', { n: 1 }) });
    expect((await far.read(kept, first.position!, 2)).map(({ message: { id } }) => id)).toEqual(['m2', 'm3']);
    expect(await far.read(kept, all[3]!.position, 100)).toEqual([]);
    expect(await far.end(kept)).toBeGreaterThanOrEqual(all[3]!.position);
    await eventually(() => expect(hints).toEqual(expect.arrayContaining(['m1', 'm2', 'm3', 'm4'])));
    stop();
  });

  test('channels, tenants and generations do not see what the others keep', async () => {
    const stage = now();
    const { store, carrier, far } = stage;
    const here = await made(stage, { name: 'own', durable: true });
    const there = await made(stage, { name: 'own', durable: true }, 'other');
    await carrier.publish(here, message('own', 'm1'));
    await carrier.publish(there, message('own', 'm1'));
    await carrier.publish(there, message('own', 'm2'));
    expect(await far.read(here, 0, 100)).toHaveLength(1);
    await store.remove('acme', 'own');
    await carrier.drop(here);
    const again = await made(stage, { name: 'own', durable: true });
    await carrier.publish(here, message('own', 'late')); // by somebody who does not know yet
    expect(await far.read(again, 0, 100)).toEqual([]);
    expect((await far.read(there, 0, 100)).map(({ message: { id } }) => id)).toEqual(['m1', 'm2']);
  });

  test('a channel keeps as many as it says, and at most a tenth more', async () => {
    const stage = now();
    const { carrier, far } = stage;
    const kept = await made(stage, { name: 'short', durable: true, limits: { messages: 20, messageBytes: 1000, ageMs: 60_000 } });
    for (let n = 1; n <= 50; n += 1) await carrier.publish(kept, message('short', `m${n}`));
    const ids = (await far.read(kept, 0, 100)).map(({ message: { id } }) => id);
    expect(ids.length).toBeGreaterThanOrEqual(20);
    expect(ids.length).toBeLessThanOrEqual(22);
    expect(ids.at(-1)).toBe('m50');
  });

  test('the largest messages come whole', async () => {
    const stage = now();
    const { carrier, far } = stage;
    const kept = await made(stage, { name: 'large', durable: true });
    const data = 'x'.repeat(CHANNEL_LIMITS.messageBytes - 2);
    for (const id of ['a', 'b', 'c']) await carrier.publish(kept, message('large', id, data));
    expect((await far.read(kept, 0, 100)).map((each) => each.message.data === data)).toEqual([true, true, true]);
  });
}

async function eventually(holds: () => void): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return holds();
    } catch (error) {
      if (tries > 200) throw error;
      await sleep(10);
    }
  }
}
