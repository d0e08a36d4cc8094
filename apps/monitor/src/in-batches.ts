/** Gathers what a source has at hand, so that a slow consumer takes larger steps instead of falling behind. */

/**
 * Yields items in order, in arrays of at least one. While the consumer works, up to `most` further weight is taken from the source.
 * @param open starts the source; it must end when the signal aborts, which happens when the consumer leaves (a source that waits for its
 * next item cannot be closed otherwise)
 * @param weigh weight of an item
 */
export async function* inBatches<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  most: number,
  weigh: (item: T) => number,
): AsyncGenerator<T[]> {
  const left = new AbortController();
  const iterator = open(left.signal)[Symbol.asyncIterator]();
  let gathered: T[] = [];
  let weight = 0;
  let ended = false;
  let failure: { error: unknown } | undefined;
  let wakeReader = () => {};
  let wakeConsumer = () => {};
  const gather = async () => {
    try {
      while (!ended) {
        if (weight >= most) await new Promise<void>((resolve) => (wakeReader = resolve));
        if (ended) return;
        const next = await iterator.next();
        if (next.done) break;
        gathered.push(next.value);
        weight += weigh(next.value);
        wakeConsumer();
      }
    } catch (error) {
      failure = { error };
    }
    ended = true;
    wakeConsumer();
  };
  const gathering = gather();
  try {
    for (;;) {
      if (gathered.length === 0 && !ended) await new Promise<void>((resolve) => (wakeConsumer = resolve));
      if (gathered.length === 0) break;
      const batch = gathered;
      gathered = [];
      weight = 0;
      wakeReader();
      yield batch;
    }
    if (failure) throw failure.error;
  } finally {
    ended = true;
    left.abort();
    wakeReader();
    await gathering;
    await iterator.return?.();
  }
}
