/** Events in the form of server-sent events. */
import type { FeedEvent } from '@cadre/contracts';
import { positionOf } from './positions.js';

/** How soon a client that lost its connection should come back, in milliseconds. */
const RETRY_MS = 2000;

/** @param keepAliveMs after so long a silence a comment is sent, so that nothing on the way closes the connection */
export async function* eventStream(
  events: AsyncGenerator<FeedEvent, void, undefined>,
  keepAliveMs: number,
): AsyncGenerator<string, void, undefined> {
  yield `retry: ${RETRY_MS}\n\n`;
  let next = events.next();
  try {
    for (;;) {
      const result = await within(next, keepAliveMs);
      if (result === 'quiet') {
        yield ': keep-alive\n\n';
        continue;
      }
      if (result.done) return;
      next = events.next();
      yield `id: ${positionOf(result.value)}\nevent: ${result.value.type}\ndata: ${JSON.stringify(result.value)}\n\n`;
    }
  } finally {
    // Whatever `next` still brings is of no interest, and its failure neither.
    next.catch(() => undefined);
    void events.return().catch(() => undefined);
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
