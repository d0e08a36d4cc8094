/** One connection's server-sent events, and what connections that are taken up again share. */
import { createParser } from 'eventsource-parser';
import { badAnswer, CadreApiError, unreachable } from './errors.js';
import type { HttpExchange } from './http-exchange.js';

export interface ServerEvent {
  id: string | undefined;
  event: string | undefined;
  data: unknown;
}

export const RECONNECT = { firstDelayMs: 200, lastDelayMs: 5000, giveUpMs: 60_000 } as const;

/**
 * `connected` comes first, so that the caller knows that somebody answers; where nothing is to come, `nothing-more`. Errors: as
 * `HttpExchange.request`, `bad-answer`.
 */
export async function* serverEvents(
  http: HttpExchange,
  path: string,
  lastEventId: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ServerEvent | 'connected' | 'nothing-more'> {
  const response = await http.request(path, {
    headers: { accept: 'text/event-stream', ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status === 204) return yield 'nothing-more';
  if (response.body === null) throw badAnswer(path, 'the event stream has no body');
  yield 'connected';
  const arrived: ServerEvent[] = [];
  const parser = createParser({ onEvent: ({ id, event, data }) => void arrived.push({ id, event, data: parsed(data, path) }) });
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

/** Whether another connection may do better. */
export function isPassing(error: unknown): boolean {
  if (error instanceof CadreApiError) return error.retriable;
  return (error as { code?: unknown }).code === 'gateway-unreachable';
}

/** Rejects with the signal's reason. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
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

function parsed(data: string, path: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    throw badAnswer(path, 'an event is not JSON');
  }
}
