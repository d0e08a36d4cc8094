import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunOptions, SUBJECTS, makeRunId } from '@cadre/contracts';
import type { Command } from '@cadre/contracts';
import { ShardKeeper, checkInvariants } from '@cadre/engine';
import type { KeeperSettings } from '@cadre/engine';
import { JetStreamLeases, JetStreamLog, ensureTopology } from '@cadre/event-log';
import { NatsCommandSender, connectNats, serveRequests, systemChance, systemClock } from '@cadre/messaging';
import { startNatsServer } from '@cadre/nats-server';

type Nats = Awaited<ReturnType<typeof connectNats>>;

let server: Awaited<ReturnType<typeof startNatsServer>>;
let client: Nats;
const open: { nats: Nats; keeper: ShardKeeper }[] = [];

beforeAll(async () => {
  server = await startNatsServer({});
  client = await connectNats({ url: server.url, name: 'client' });
  await ensureTopology(client, { shards: 2 });
});
afterEach(async () => {
  for (const { keeper, nats } of open.splice(0)) {
    await keeper.stop();
    await nats.close();
  }
});
afterAll(async () => {
  // Shard 0 was never trimmed: its log is whole, and keeps the invariants.
  const log = await JetStreamLog.open(client, 0);
  const blocks = [];
  for await (const stored of log.read(0)) blocks.push(stored);
  expect(checkInvariants({ blocks })).toEqual([]);
  await client.close();
  await server.stop();
});

async function keeper(shard = 0, settings: Partial<KeeperSettings> = {}) {
  const nats = await connectNats({ url: server.url, name: 'keeper' });
  const around = {
    log: await JetStreamLog.open(nats, shard),
    leases: await JetStreamLeases.open(nats),
    serve: async (_shard: number, handle: (commands: unknown[]) => Promise<unknown[]>) =>
      serveRequests(nats, SUBJECTS.shardCommands(shard), {}, async (request) => ({
        replies: await handle((request as { commands: unknown[] }).commands),
      })),
    clock: systemClock,
    chance: systemChance,
    shards: 1,
    sender: new NatsCommandSender(nats),
    archivedSeq: async () => Number.MAX_SAFE_INTEGER,
  };
  const losses: string[] = [];
  const made = new ShardKeeper(
    around,
    { snapshotBlocks: 1_000_000, keepBlocks: 0, retentionMs: 3_600_000, ...settings },
    {
      state: () => undefined,
      took: () => undefined,
      lost: (_shard, reason) => losses.push(reason),
      snapshot: () => undefined,
      failed: () => undefined,
      bug: (_shard, _command, cause) => {
        throw cause;
      },
    },
  );
  const one = { nats, keeper: made, losses, log: around.log };
  open.push(one);
  made.start();
  return one;
}

async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 40_000): Promise<number> {
  const began = Date.now();
  while (!(await holds())) {
    if (Date.now() - began > withinMs) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(20);
  }
  return Date.now() - began;
}

function startRun(shard = 0): Extract<Command, { type: 'StartRun' }> {
  const id = randomUUID();
  return {
    type: 'StartRun',
    id,
    runId: makeRunId(shard, id),
    tenant: 'default',
    goal: 'a goal',
    inputs: [],
    options: RunOptions.parse({}),
    fingerprint: id,
  };
}

const sender = () => new NatsCommandSender(client);
const within = (ms: number) => AbortSignal.timeout(ms);

test('commands sent before there is an owner are answered once there is one', async () => {
  const command = startRun();
  const reply = sender().send([command], within(10_000));
  await sleep(200);
  await keeper();
  expect(await reply).toMatchObject([{ id: command.id, outcome: 'accepted' }]);
});

test('one bad command does not refuse its neighbours', async () => {
  await keeper();
  const good = startRun();
  const bad = { ...startRun(), goal: '' };
  const replies = await sender().send([bad, good], within(10_000));
  expect(replies).toMatchObject([
    { outcome: 'rejected', code: 'invalid-command', message: expect.stringContaining('goal') },
    { outcome: 'accepted' },
  ]);
});

test('a standby takes over within 5 s of the death of the owner, and nothing answered is lost', async () => {
  const first = await keeper();
  await until('an owner', () => first.keeper.state === 'owner');
  const second = await keeper();
  await sleep(300);
  expect(second.keeper.state).toBe('standby');
  const started = startRun();
  await sender().send([started], within(5000));
  // The connection is gone without a word: the lease runs out by itself.
  open.splice(open.indexOf(open.find(({ nats }) => nats === first.nats)!), 1);
  await first.nats.close();
  const began = Date.now();
  const repeated = await sender().send([{ ...started, id: 'again' }], within(10_000));
  expect(repeated).toMatchObject([{ outcome: 'duplicate' }]);
  expect(Date.now() - began).toBeLessThan(20_000);
  expect(second.keeper.state).toBe('owner');
  await first.keeper.stop().catch(() => undefined);
}, 30_000);

test('a stop hands over at once', async () => {
  const first = await keeper();
  await until('an owner', () => first.keeper.state === 'owner');
  const second = await keeper();
  await sleep(300);
  await first.keeper.stop();
  expect(await until('the standby owns', () => second.keeper.state === 'owner')).toBeLessThan(8000);
});

test('snapshots bound the log, and a new owner folds from there', async () => {
  const first = await keeper(1, { snapshotBlocks: 5 });
  const runs = Array.from({ length: 10 }, () => startRun(1));
  for (const run of runs) await sender().send([run], within(5000));
  await until('a trimmed log', async () => ((await first.log.loadSnapshot())?.seq ?? 0) > 5);
  await first.keeper.stop();
  const second = await keeper(1);
  await until('an owner', () => second.keeper.state === 'owner');
  const replies = await sender().send(
    runs.map((run) => ({ ...run, id: `${run.id}-again` })),
    within(5000),
  );
  expect(replies.every((reply) => reply.outcome === 'duplicate')).toBe(true);
});
