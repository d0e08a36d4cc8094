import { Readable } from 'node:stream';
import { EventList, FeedPosition, type RunId } from '@cadre/contracts';
import { inputProblem, SERVICE_CONTEXT, traceOf, type ServiceContext } from '@cadre/service-kit';
import { Controller, Get, Headers, Inject, Param, Query, Req, Res, type BeforeApplicationShutdown } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import type { GatewayConfig } from '../gateway.config.js';
import { HistoryClient } from '../history/history-client.js';
import { KnownShard } from '../runs/known-shard.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { eventStream } from './event-stream.js';
import { positionOf } from './positions.js';
import { RunFeed, type FeedRequest } from './run-feed.js';

export const EventsQuery = z.strictObject({
  /** Only events after this position. */
  after: FeedPosition.optional(),
  /** For JSON: most events of the answer. */
  limit: z.coerce.number({ error: 'must be a whole number' }).int().min(1).max(1000).default(500),
});
export type EventsQuery = z.infer<typeof EventsQuery>;

@ApiTags('Runs')
@Controller('v1/runs/:runId/events')
export class EventsController implements BeforeApplicationShutdown {
  private readonly open = new Set<AbortController>();

  constructor(
    private readonly feed: RunFeed,
    private readonly history: HistoryClient,
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext<GatewayConfig>,
  ) {
    context.metrics.gauge('cadre_event_streams', 'Event streams open', [], () => this.open.size);
  }

  @Get()
  @Described({
    summary: "Follow a run's events",
    description:
      'Server-sent events: what has happened first, then live, until the run has ended. Each has the position as `id`, the type as `event` and a CloudEvent as `data`. To go on after a lost connection send the last id as `Last-Event-ID` (browsers do by themselves) or `?after=`. With `Accept: application/json` one page of what has happened.',
    ok: { status: 200, description: 'The events', schema: EventList, example: EXAMPLES.events, stream: EXAMPLES.eventStream },
    also: { status: 204, description: 'The run has ended and there is nothing after the position' },
    problems: [400, 404, 503],
  })
  async events(
    @Param('runId', KnownShard) runId: RunId,
    @Query({ schema: EventsQuery }) query: EventsQuery,
    @Req() http: FastifyRequest,
    @Res() reply: FastifyReply,
    @Headers('last-event-id') lastEventId?: string,
  ): Promise<void> {
    // A browser that reconnects sends its first URL again, with the header: the header is newer.
    const after = lastEventId === undefined || lastEventId === '' ? query.after : position(lastEventId);
    const request: FeedRequest = { tenant: DEFAULT_TENANT, runId, after, trace: traceOf(http) };
    if (wantsJson(http)) return this.page(request, query.limit, reply);
    const ended = new AbortController();
    http.raw.socket.once('close', () => ended.abort());
    reply.raw.once('close', () => ended.abort());
    const events = await this.feed.open(request, ended.signal);
    if (!events) {
      await reply.status(204).send();
      return;
    }
    this.open.add(ended);
    ended.signal.addEventListener('abort', () => this.open.delete(ended), { once: true });
    const stream = Readable.from(eventStream(events, this.context.config.SSE_KEEPALIVE_MS));
    stream.once('close', () => ended.abort());
    stream.on('error', (error) => this.context.log.warn({ err: error, runId }, 'an event stream broke off'));
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

  private async page({ tenant, runId, after, trace }: FeedRequest, limit: number, reply: FastifyReply): Promise<void> {
    const { events, more } = await this.history.events(tenant, runId, after, limit, trace);
    const last = events.at(-1);
    const body: EventList = { events, more, ...(last === undefined ? {} : { next: positionOf(last) }) };
    await reply.header('cache-control', 'no-store').send(body);
  }
}

function wantsJson(http: FastifyRequest): boolean {
  const accept = http.headers.accept ?? '*/*';
  return accept.includes('application/json') && !accept.includes('text/event-stream');
}

function position(text: string): FeedPosition {
  const parsed = FeedPosition.safeParse(text);
  if (!parsed.success) throw inputProblem(parsed.error.issues.map((issue) => ({ ...issue, path: ['Last-Event-ID'] })));
  return parsed.data;
}
