/**
 * A run's events as an endless-looking iterator: when the connection breaks, it asks again for what follows the last event seen. It ends
 * after the run's terminal event.
 */
import { compareFeedPositions, FeedEvent } from '@cadre/contracts';
import { createParser } from 'eventsource-parser';
import { badAnswer, CadreApiError, unreachable } from './errors.js';
import { check, type HttpExchange } from './http-exchange.js';

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

const FIRST_DELAY_MS = 200;
const LAST_DELAY_MS = 5000;
const terminal = new Set(['RunCompleted', 'RunFailed', 'RunCancelled']);

export async function* runEvents(http: HttpExchange, runId: string, options: EventsOptions): AsyncGenerator<RunFeedItem, void, undefined> {
  const { signal, giveUpMs = 60_000 } = options;
  let after = options.after;
  let lastContactAt: number | undefined;
  let delayMs = FIRST_DELAY_MS;
  for (;;) {
    signal?.throwIfAborted();
    try {
      for await (const item of connection(http, runId, after, signal)) {
        lastContactAt = Date.now();
        delayMs = FIRST_DELAY_MS;
        if (item === 'nothing-more') return;
        if (item === 'connected' || (after !== undefined && compareFeedPositions(item.position, after) <= 0)) continue;
        after = item.position;
        yield item;
        if (terminal.has(item.event.data.type)) return;
      }
    } catch (error) {
      if (!isPassing(error) || lastContactAt === undefined) throw error;
      if (Date.now() - lastContactAt > giveUpMs) throw error;
    }
    await pause(delayMs, signal);
    delayMs = Math.min(LAST_DELAY_MS, delayMs * 2);
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof CadreApiError) return error.retriable;
  return (error as { code?: unknown }).code === 'gateway-unreachable';
}

/** One connection's events. `connected` comes first, so that the caller knows that somebody answers; a run that has ended may have `nothing-more`. */
async function* connection(
  http: HttpExchange,
  runId: string,
  after: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<RunFeedItem | 'connected' | 'nothing-more'> {
  const path = `/v1/runs/${encodeURIComponent(runId)}/events`;
  const response = await http.request(path, {
    headers: { accept: 'text/event-stream', ...(after === undefined ? {} : { 'last-event-id': after }) },
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status === 204) return yield 'nothing-more';
  if (response.body === null) throw badAnswer(path, 'the event stream has no body');
  yield 'connected';
  const arrived: RunFeedItem[] = [];
  const parser = createParser({
    onEvent: ({ id, data }) => {
      if (id !== undefined) arrived.push({ position: id, event: parseEvent(data, path) });
    },
  });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* arrived.splice(0);
    }
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if ((error as { code?: unknown }).code === 'bad-answer') throw error;
    throw unreachable(http.baseUrl, error);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parseEvent(data: string, path: string): FeedEvent {
  let body: unknown;
  try {
    body = JSON.parse(data);
  } catch {
    throw badAnswer(path, 'an event is not JSON');
  }
  return check(FeedEvent, body, path);
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
