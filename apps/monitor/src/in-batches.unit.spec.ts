import { inBatches } from './in-batches.js';

async function* source(count: number, fail = false): AsyncGenerator<number> {
  for (let n = 1; n <= count; n += 1) yield n;
  if (fail) throw new Error('the source broke');
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('inBatches', () => {
  test('gives everything in order, in larger steps to a slow consumer, never beyond the limit', async () => {
    const batches: number[][] = [];
    for await (const batch of inBatches(
      () => source(25),
      10,
      () => 1,
    )) {
      batches.push(batch);
      await turn();
    }
    expect(batches.flat()).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(10);
    expect(batches.length).toBeLessThan(6);
  });

  test('an item heavier than the limit passes alone', async () => {
    const batches: number[][] = [];
    for await (const batch of inBatches(
      () => source(3),
      2,
      (n) => n * 5,
    ))
      batches.push(batch);
    expect(batches).toEqual([[1], [2], [3]]);
  });

  test('what came before a failure is given first', async () => {
    const seen: number[] = [];
    const reading = async () => {
      for await (const batch of inBatches(
        () => source(3, true),
        10,
        () => 1,
      ))
        seen.push(...batch);
    };
    await expect(reading()).rejects.toThrow('the source broke');
    expect(seen).toEqual([1, 2, 3]);
  });

  test('ends a source that waits when the consumer leaves', async () => {
    let closed = false;
    async function* waiting(signal: AbortSignal): AsyncGenerator<number> {
      yield 1;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      closed = true;
    }
    for await (const batch of inBatches(waiting, 3, () => 1)) if (batch.length > 0) break;
    expect(closed).toBe(true);
  });
});
