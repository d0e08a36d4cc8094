/**
 * A run's events, from any position to its end: what has happened from the archive, then what is published. The subscription stands
 * before the archive is read, so that nothing falls between the two. It has no acknowledgements: an event may be missed (the connection
 * was lost), come twice, or be published before it is archived. So what was seen is skipped, a hole in the positions is filled from
 * the archive, and in silence the archive is asked again, soon at first.
 */
import { CadreError, SUBJECTS, compareFeedPositions, type FeedEvent, type FeedPosition, type RunId, type TenantId } from '@cadre/contracts';
import type { TraceContext } from '@cadre/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { EventPage, HistoryClient } from '../history/history-client.js';
import { LiveEvents } from './live-events.js';
import { follows, isLast, positionOf } from './positions.js';

const PAGE = 500;
/** After so long a silence the archive is asked; the last one goes on. */
const QUIET_MS = [250, 1000, 15_000];

export interface FeedRequest {
  tenant: TenantId;
  runId: RunId;
  after: FeedPosition | undefined;
  trace: TraceContext;
}

export class RunFeed {
  constructor(
    private readonly nats: NatsConnection,
    private readonly history: HistoryClient,
    private readonly log: Logger,
  ) {}

  /**
   * Ends after the run's last event, or when the signal aborts. The first page is asked for before anything is given, so that an unknown
   * run (`unknown-run`) or a missing monitor (`unavailable`) is an error of its own.
   * @returns undefined when the run has ended and there is nothing after the position
   */
  async open(request: FeedRequest, signal: AbortSignal): Promise<AsyncGenerator<FeedEvent, void, undefined> | undefined> {
    const { tenant, runId, after, trace } = request;
    const live = new LiveEvents(this.nats, SUBJECTS.events(tenant, runId), signal);
    try {
      const first = await this.history.events(tenant, runId, after, PAGE, trace);
      const ended = first.events.length === 0 && (await this.history.run(tenant, runId, trace)).endedAt !== undefined;
      if (!ended) return this.follow(request, first, live);
    } catch (error) {
      live.close();
      throw error;
    }
    live.close();
    return undefined;
  }

  private async *follow(request: FeedRequest, first: EventPage, live: LiveEvents): AsyncGenerator<FeedEvent, void, undefined> {
    let last = request.after;
    let silences = 0;
    let batch: AsyncIterable<FeedEvent> | FeedEvent[] = this.archived(request, first);
    try {
      for (;;) {
        for await (const event of batch) {
          if (last !== undefined && compareFeedPositions(positionOf(event), last) <= 0) continue;
          yield event;
          last = positionOf(event);
          if (isLast(event)) return;
        }
        const next = await live.next(QUIET_MS[Math.min(silences, QUIET_MS.length - 1)] ?? 0);
        if (next === 'ended') return;
        if (next === 'quiet') silences += 1;
        if (next !== 'quiet' && (follows(last, positionOf(next)) || isOld(next, last))) batch = [next];
        else batch = this.missed({ ...request, after: last }, next);
      }
    } finally {
      live.close();
    }
  }

  /** What the archive has after the last event seen, and then the event that showed the hole. */
  private async *missed(request: FeedRequest, next: FeedEvent | 'quiet'): AsyncGenerator<FeedEvent, void, undefined> {
    try {
      const page = await this.history.events(request.tenant, request.runId, request.after, PAGE, request.trace);
      yield* this.archived(request, page);
    } catch (error) {
      // Silence is asked about again; a hole is not passed over.
      if (next !== 'quiet' || !(error instanceof CadreError) || !error.retriable) throw error;
      this.log.debug({ err: error, runId: request.runId }, 'the archive does not answer; following the feed alone');
    }
    if (next !== 'quiet') yield next;
  }

  /** The page given and all that the archive has after it. */
  private async *archived(request: FeedRequest, first: EventPage): AsyncGenerator<FeedEvent, void, undefined> {
    let page = first;
    for (;;) {
      yield* page.events;
      const last = page.events.at(-1);
      if (!page.more || !last) return;
      page = await this.history.events(request.tenant, request.runId, positionOf(last), PAGE, request.trace);
    }
  }
}

function isOld(event: FeedEvent, last: FeedPosition | undefined): boolean {
  return last !== undefined && compareFeedPositions(positionOf(event), last) <= 0;
}
