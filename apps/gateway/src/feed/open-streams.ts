/** The streams of server-sent events that are open: each ends with its client, and all of them with the gateway. */
import { Readable } from 'node:stream';
import type { ServiceContext } from '@cadre/service-kit';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../gateway.config.js';
import { eventStream } from './event-stream.js';

type Items<T> = AsyncGenerator<T, void, undefined>;

export class OpenStreams implements BeforeApplicationShutdown {
  private readonly open = new Set<AbortController>();

  constructor(private readonly context: ServiceContext<GatewayConfig>) {
    context.metrics.gauge('cadre_event_streams', 'Event streams open', [], () => this.open.size);
  }

  /**
   * Answers with a stream, or with 204 when there is nothing to come.
   * @param begin gets the signal that ends it; its error is the answer
   */
  async follow<T>(
    http: FastifyRequest,
    reply: FastifyReply,
    begin: (signal: AbortSignal) => Promise<Items<T> | undefined>,
    frame: (item: T) => string,
  ): Promise<void> {
    const ended = new AbortController();
    http.raw.socket.once('close', () => ended.abort());
    reply.raw.once('close', () => ended.abort());
    const items = await begin(ended.signal);
    if (!items) {
      await reply.status(204).send();
      return;
    }
    this.open.add(ended);
    ended.signal.addEventListener('abort', () => this.open.delete(ended), { once: true });
    const stream = Readable.from(eventStream(items, frame, this.context.config.SSE_KEEPALIVE_MS));
    stream.once('close', () => ended.abort());
    stream.on('error', (error) => this.context.log.warn({ err: error, path: http.url.split('?')[0] }, 'an event stream broke off'));
    await reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(stream);
  }

  /** Clients come back by themselves, to another gateway. */
  beforeApplicationShutdown(): void {
    for (const each of this.open) each.abort();
  }
}

/** Whether a caller wants a page instead of a stream. */
export function wantsJson(http: FastifyRequest): boolean {
  const accept = http.headers.accept ?? '*/*';
  return accept.includes('application/json') && !accept.includes('text/event-stream');
}
