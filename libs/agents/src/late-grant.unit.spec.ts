/** A worker that was asleep when its grant came: by now the attempt may be lost, and somebody else may have made the call. */
import { sampleAgent, sampleAssignment, soloWork } from './testing/index.js';

test('a grant that took as long as it takes to be given up is asked for again before the call is made', async () => {
  let now = 1000;
  let asks = 0;
  const { work, commands } = soloWork({
    ...{ assignment: sampleAssignment(), agent: sampleAgent(), clock: { now: () => now } },
    grant: () => {
      asks += 1;
      if (asks === 1) now += 2000;
      return undefined;
    },
  });
  let made = 0;
  const result = await work.calls.call({ name: 'send', effect: 'once', run: async () => ({ asks, made: (made += 1) }) });
  expect(result).toEqual({ asks: 2, made: 1 });
  expect(commands.map(({ reserve }) => reserve[0]!.try)).toEqual([1, 1]);
});

test('a worker that never hears in time makes no call', async () => {
  let now = 1000;
  const { work } = soloWork({
    ...{ assignment: sampleAssignment(), agent: sampleAgent(), clock: { now: () => now } },
    grant: () => {
      now += 5000;
      return undefined;
    },
  });
  let made = 0;
  await expect(work.calls.call({ name: 'send', effect: 'once', run: async () => (made += 1) })).rejects.toMatchObject({ retriable: true });
  expect(made).toBe(0);
});
