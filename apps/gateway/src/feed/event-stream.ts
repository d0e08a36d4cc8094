/** What happens, in the form of server-sent events. */

/** How soon a client that lost its connection should come back, in milliseconds. */
const RETRY_MS = 2000;

/**
 * @param frame one item as an event: `id: …`, `event: …`, `data: …` and an empty line
 * @param keepAliveMs after so long a silence a comment is sent, so that nothing on the way closes the connection
 */
export async function* eventStream<T>(
  items: AsyncGenerator<T, void, undefined>,
  frame: (item: T) => string,
  keepAliveMs: number,
): AsyncGenerator<string, void, undefined> {
  yield `retry: ${RETRY_MS}\n\n`;
  let next = items.next();
  try {
    for (;;) {
      const result = await within(next, keepAliveMs);
      if (result === 'quiet') {
        yield ': keep-alive\n\n';
        continue;
      }
      if (result.done) return;
      next = items.next();
      yield frame(result.value);
    }
  } finally {
    // Whatever `next` still brings is of no interest, and its failure neither.
    next.catch(() => undefined);
    void items.return().catch(() => undefined);
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | 'quiet'> {
  let timer: NodeJS.Timeout | undefined;
  const quiet = new Promise<'quiet'>((resolve) => (timer = setTimeout(resolve, ms, 'quiet')));
  try {
    return await Promise.race([promise, quiet]);
  } finally {
    clearTimeout(timer);
  }
}
