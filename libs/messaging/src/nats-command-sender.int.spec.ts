import { CommandBatch, SUBJECTS, makeRunId, type Command, type CommandReply } from '@cadre/contracts';
import { startNatsServer, type RunningNatsServer } from '@cadre/nats-server';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { connectNats } from './connect-nats.js';
import { NatsCommandSender } from './nats-command-sender.js';

let server: RunningNatsServer;
let nats: NatsConnection;
const owners: Subscription[] = [];

beforeAll(async () => {
  server = await startNatsServer();
  nats = await connectNats({ url: server.url, name: 'test' });
});
afterEach(() => owners.splice(0).forEach((owner) => owner.unsubscribe()));
afterAll(async () => {
  await nats.close();
  await server.stop();
});

let count = 0;
const command = (shard = 0): Command => {
  count += 1;
  const runId = makeRunId(shard, `00000000-0000-7000-8000-${count.toString().padStart(12, '0')}`);
  return { type: 'ExpireRun', id: `c${count}`, runId };
};

/** An owner that answers each batch as told. Remembers the ids of each batch. */
function owner(shard: number, answer: (ids: string[], turn: number) => unknown): string[][] {
  const seen: string[][] = [];
  const callback = (_: unknown, message: import('@nats-io/transport-node').Msg) => {
    const ids = CommandBatch.parse(message.json()).commands.map((each) => (each as Command).id);
    seen.push(ids);
    const reply = answer(ids, seen.length);
    if (reply !== undefined) message.respond(JSON.stringify(reply));
  };
  owners.push(nats.subscribe(SUBJECTS.shardCommands(shard), { callback }));
  return seen;
}

const accept = (ids: string[]) => ({ replies: ids.map((id): CommandReply => ({ id, outcome: 'accepted', result: id })) });
const ids = (replies: CommandReply[]) => replies.map((reply) => reply.id);

test('commands of one turn and shard share a request; replies come in the order of the commands', async () => {
  const zero = owner(0, (given) => accept([...given].reverse()));
  const one = owner(1, accept);
  const sender = new NatsCommandSender(nats);
  const first = [command(0), command(1), command(0)];
  const second = [command(0)];
  const [a, b] = await Promise.all([sender.send(first), sender.send(second)]);
  expect(ids(a)).toEqual(first.map((each) => each.id));
  expect(ids(b)).toEqual(second.map((each) => each.id));
  expect(zero).toEqual([[first[0]?.id, first[2]?.id, second[0]?.id]]);
  expect(one).toEqual([[first[1]?.id]]);
  expect(await sender.send([])).toEqual([]);
});

test('what is unanswered, unavailable or malformed is asked again, unchanged; answered neighbours are not', async () => {
  const [a, b, c] = [command(), command(), command()];
  const seen = owner(0, (given, turn) => {
    if (turn === 1) return undefined;
    if (turn === 2) return { replies: 'nonsense' };
    if (turn === 3) return { replies: [accept([a.id]).replies[0], { id: b.id, outcome: 'unavailable', message: 'not the owner' }] };
    return accept(given);
  });
  const sender = new NatsCommandSender(nats, { requestTimeoutMs: 150, backoffMs: 10 });
  expect(await sender.send([a, b, c])).toMatchObject([{ outcome: 'accepted' }, { outcome: 'accepted' }, { outcome: 'accepted' }]);
  const all = [a.id, b.id, c.id];
  // What an answer leaves out had no room in it and is asked at once; what is unavailable, after a pause.
  expect(seen).toEqual([all, all, all, [c.id], [b.id]]);
});

test('a shard without an owner is asked until one comes', async () => {
  const sender = new NatsCommandSender(nats, { backoffMs: 10 });
  const sending = sender.send([command(7)]);
  await new Promise((resolve) => setTimeout(resolve, 150));
  const seen = owner(7, accept);
  expect(await sending).toMatchObject([{ outcome: 'accepted' }]);
  expect(seen).toHaveLength(1);
});

test('the signal ends the asking, with the last fault in the message', async () => {
  const sender = new NatsCommandSender(nats, { backoffMs: 10 });
  const sending = sender.send([command(8)], AbortSignal.timeout(150));
  await expect(sending).rejects.toMatchObject({
    code: 'commands-unanswered',
    retriable: true,
    message: expect.stringContaining('no owner'),
  });
  await expect(sender.send([command(8)], AbortSignal.abort())).rejects.toMatchObject({ code: 'commands-unanswered' });
  const seen = owner(8, accept);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(seen).toEqual([]);
});

test('the same command sent twice at once is answered twice', async () => {
  const seen = owner(0, accept);
  const twice = command();
  const sender = new NatsCommandSender(nats);
  expect(await sender.send([twice, twice])).toHaveLength(2);
  expect(seen).toEqual([[twice.id], [twice.id]]);
});

test('rejections are answers; a command that fits no message is refused at once', async () => {
  owner(0, (given) => ({ replies: given.map((id) => ({ id, outcome: 'rejected', code: 'run-ended', message: 'over' })) }));
  const sender = new NatsCommandSender(nats);
  expect(await sender.send([command()])).toMatchObject([{ outcome: 'rejected', code: 'run-ended' }]);
  const large = { ...command(), type: 'CancelRun', tenant: 'default', reason: 'x'.repeat(1_100_000) } as Command;
  await expect(sender.send([large])).rejects.toMatchObject({ code: 'command-too-large', retriable: false });
});

test('many large commands are split over several requests', async () => {
  const seen = owner(0, accept);
  const commands = Array.from(
    { length: 5 },
    () => ({ ...command(), type: 'CancelRun', tenant: 'default', reason: 'x'.repeat(200_000) }) as Command,
  );
  expect(await new NatsCommandSender(nats).send(commands)).toHaveLength(5);
  expect(seen.map((each) => each.length)).toEqual([2, 2, 1]);
});

test('a closed connection ends the asking', async () => {
  const own = await connectNats({ url: server.url, name: 'short' });
  const sending = new NatsCommandSender(own, { backoffMs: 10 }).send([command(9)]);
  await own.close();
  await expect(sending).rejects.toMatchObject({ code: 'commands-unanswered' });
});
