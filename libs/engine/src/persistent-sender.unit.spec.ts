import { makeRunId, type CommandReply } from '@cadre/contracts';
import { PersistentSender } from './persistent-sender.js';
import type { Clock, SentCommand } from './ports.js';

/** Time that passes on demand, and a wire whose answers are given by hand. */
function rig() {
  const timers = new Set<{ at: number; run: () => void }>();
  let now = 0;
  const clock: Clock = {
    now: () => now,
    after: (ms, run) => {
      const timer = { at: now + ms, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    soon: (run) => void setImmediate(run),
  };
  const asked: { ids: string[]; answer(replies: CommandReply[]): void; fail(error: Error): void }[] = [];
  const request = (_shard: number, batch: readonly SentCommand[]) =>
    new Promise<CommandReply[]>((answer, fail) => {
      asked.push({ ids: batch.map(({ command }) => command.id), answer, fail });
    });
  const sender = new PersistentSender({ maxCommandBytes: 1000, request }, clock);
  const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const runId = makeRunId(0, '00000000-0000-7000-8000-000000000001');
  return {
    asked,
    turn,
    pass: async (ms: number) => {
      now += ms;
      for (const timer of timers) if (timer.at <= now && timers.delete(timer)) timer.run();
      await turn();
    },
    send: async (id: string) => {
      const sending = sender.send([{ type: 'ExpireRun', id, runId }]);
      await turn();
      return sending.then(([reply]) => reply?.outcome);
    },
    answer: async (index: number) => {
      asked[index]?.answer(asked[index].ids.map((id) => ({ id, outcome: 'accepted' })));
      await turn();
    },
  };
}

const idsOf = ({ asked }: ReturnType<typeof rig>) => asked.map(({ ids }) => ids);

test('while two requests are unanswered commands gather, until one is answered', async () => {
  const it = rig();
  void it.send('a');
  await it.turn();
  void it.send('b');
  await it.turn();
  void it.send('c');
  void it.send('d');
  await it.turn();
  expect(idsOf(it)).toEqual([['a'], ['b']]);
  await it.answer(1);
  expect(idsOf(it)).toEqual([['a'], ['b'], ['c', 'd']]);
});

test('nobody waits longer than a moment for the answers to others', async () => {
  const it = rig();
  void it.send('a');
  await it.turn();
  void it.send('b');
  await it.turn();
  void it.send('c');
  await it.turn();
  await it.pass(4);
  expect(idsOf(it)).toEqual([['a'], ['b']]);
  await it.pass(1);
  expect(idsOf(it)).toEqual([['a'], ['b'], ['c']]);
});

test('commands that were asked together are asked together again', async () => {
  const it = rig();
  void it.send('a');
  void it.send('b');
  await it.turn();
  it.asked[0]?.fail(new Error('no answer'));
  await it.turn();
  await it.pass(49);
  expect(idsOf(it)).toEqual([['a', 'b']]);
  await it.pass(1);
  expect(idsOf(it)).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
});

test('what a message had no more room to answer is asked again at once', async () => {
  const it = rig();
  const outcomes = Promise.all([it.send('a'), it.send('b'), it.send('c')]);
  await it.turn();
  it.asked[0]?.answer([
    { id: 'a', outcome: 'accepted' },
    { id: 'b', outcome: 'unavailable', message: 'ask again' },
  ]);
  await it.turn();
  expect(idsOf(it)).toEqual([['a', 'b', 'c'], ['c']]);
  it.asked[1]?.answer([]);
  await it.turn();
  expect(idsOf(it)).toHaveLength(2);
  await it.pass(50);
  expect(idsOf(it).slice(2)).toEqual([['b', 'c']]);
  await it.answer(2);
  expect(await outcomes).toEqual(['accepted', 'accepted', 'accepted']);
});
