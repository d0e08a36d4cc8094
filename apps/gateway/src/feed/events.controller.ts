import { EventList, FeedPosition, type FeedEvent, type RunId } from '@cadre/contracts';
import { inputProblem, traceOf } from '@cadre/service-kit';
import { Controller, Get, Headers, Param, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Described } from '../api-docs/described.js';
import { EXAMPLES } from '../api-docs/examples.js';
import { HistoryClient } from '../history/history-client.js';
import { KnownShard } from '../runs/known-shard.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { OpenStreams, wantsJson } from './open-streams.js';
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
export class EventsController {
  constructor(
    private readonly feed: RunFeed,
    private readonly history: HistoryClient,
    private readonly streams: OpenStreams,
  ) {}

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
    await this.streams.follow(http, reply, (signal) => this.feed.open(request, signal), frameOf);
  }

  private async page({ tenant, runId, after, trace }: FeedRequest, limit: number, reply: FastifyReply): Promise<void> {
    const { events, more } = await this.history.events(tenant, runId, after, limit, trace);
    const last = events.at(-1);
    const body: EventList = { events, more, ...(last === undefined ? {} : { next: positionOf(last) }) };
    await reply.header('cache-control', 'no-store').send(body);
  }
}

const frameOf = (event: FeedEvent): string => `id: ${positionOf(event)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

function position(text: string): FeedPosition {
  const parsed = FeedPosition.safeParse(text);
  if (!parsed.success) throw inputProblem(parsed.error.issues.map((issue) => ({ ...issue, path: ['Last-Event-ID'] })));
  return parsed.data;
}
