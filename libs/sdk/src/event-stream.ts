/**
 * A run's events as an endless-looking iterator: when the connection breaks, it asks again for what follows the last event seen. It ends
 * after the run's terminal event.
 */
import { compareFeedPositions, FeedEvent } from '@cadre/contracts';
import { check, type HttpExchange } from './http-exchange.js';
import { isPassing, pause, RECONNECT, serverEvents } from './server-events.js';

export interface EventsOptions {
  /** Only events after this position (`<seq>.<index>`). */
  after?: string;
  signal?: AbortSignal;
  /** For how long a lost connection is tried again before it is an error. Default 60 s. */
  giveUpMs?: number;
}

/** An event and its position, which `after` takes to go on from there. */
export interface RunFeedItem {
  position: string;
  event: FeedEvent;
}

const terminal = new Set(['RunCompleted', 'RunFailed', 'RunCancelled']);

export async function* runEvents(http: HttpExchange, runId: string, options: EventsOptions): AsyncGenerator<RunFeedItem, void, undefined> {
  const { signal, giveUpMs = RECONNECT.giveUpMs } = options;
  const path = `/v1/runs/${encodeURIComponent(runId)}/events`;
  let after = options.after;
  let lastContactAt: number | undefined;
  let delayMs: number = RECONNECT.firstDelayMs;
  for (;;) {
    signal?.throwIfAborted();
    try {
      for await (const item of serverEvents(http, path, after, signal)) {
        lastContactAt = Date.now();
        delayMs = RECONNECT.firstDelayMs;
        if (item === 'nothing-more') return;
        if (item === 'connected' || item.id === undefined) continue;
        if (after !== undefined && compareFeedPositions(item.id, after) <= 0) continue;
        after = item.id;
        const event = check(FeedEvent, item.data, path);
        yield { position: after, event };
        if (terminal.has(event.data.type)) return;
      }
    } catch (error) {
      if (!isPassing(error) || lastContactAt === undefined) throw error;
      if (Date.now() - lastContactAt > giveUpMs) throw error;
    }
    await pause(delayMs, signal);
    delayMs = Math.min(RECONNECT.lastDelayMs, delayMs * 2);
  }
}
