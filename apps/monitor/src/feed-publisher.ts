/**
 * Publishes events to the feed's stream. The message id is the event's id, so that an event published twice (a batch repeated after a failure)
 * is stored once within the stream's window; beyond that window, what the stream holds of the run is looked up first. Events of one run go one
 * after the other, each after the acknowledgement of the one before: a lost connection in between can then never put a later event before an
 * earlier one. Runs go side by side.
 */
import { CadreError, HEADERS, STREAMS, SUBJECTS, compareFeedPositions, toFeedEvents, type FeedEvent } from '@cadre/contracts';
import type { FoldedCommit } from '@cadre/history';
import { headers, type NatsConnection } from '@nats-io/transport-node';

const TIMEOUT_MS = 5000;
/** Well below the stream's window for duplicates (two minutes), so that clocks may differ a little. */
const SURELY_RECOGNISED_MS = 60_000;
/** As long as the stream keeps events. */
const KEPT_MS = 7 * 86_400_000;

interface FeedItem {
  position: string;
  at: number;
  event: FeedEvent;
  traceparent: string | undefined;
}

export class FeedPublisher {
  readonly #nats: NatsConnection;

  constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  /** Settles when all events are stored. Error `feed-unavailable` (retriable): some may be stored; publish the same again. */
  async publish(folded: readonly FoldedCommit[]): Promise<void> {
    const bySubject = new Map<string, FeedItem[]>();
    for (const { tenant, commit, run } of folded) {
      if (commit.at < Date.now() - KEPT_MS) continue;
      const subject = SUBJECTS.events(tenant, commit.runId);
      const items = bySubject.get(subject) ?? [];
      bySubject.set(subject, items);
      toFeedEvents(tenant, commit).forEach((event, index) =>
        items.push({ position: `${commit.seq}.${index}`, at: commit.at, event, traceparent: run.traceparent }),
      );
    }
    await Promise.all([...bySubject].map(([subject, items]) => this.#publishInOrder(subject, items)));
  }

  async #publishInOrder(subject: string, items: FeedItem[]): Promise<void> {
    const isOld = (items[0]?.at ?? 0) < Date.now() - SURELY_RECOGNISED_MS;
    const last = isOld ? await this.#lastPosition(subject) : undefined;
    for (const item of items) {
      if (last === undefined || compareFeedPositions(item.position, last) > 0) await this.#publishOne(subject, item);
    }
  }

  /** Position of the run's newest event in the stream. */
  async #lastPosition(subject: string): Promise<string | undefined> {
    try {
      const reply = await this.#nats.request(`$JS.API.DIRECT.GET.${STREAMS.events}.${subject}`, '', { timeout: TIMEOUT_MS });
      return reply.headers?.get(HEADERS.messageId).split('/')[1];
    } catch (cause) {
      throw unavailable(`what it holds of ${subject} is not known`, cause);
    }
  }

  async #publishOne(subject: string, { event, traceparent }: FeedItem): Promise<void> {
    const head = headers();
    head.set(HEADERS.messageId, event.id);
    head.set('content-type', 'application/cloudevents+json');
    if (traceparent !== undefined) head.set(HEADERS.traceparent, traceparent);
    let ack: { error?: { description?: string } };
    try {
      ack = (await this.#nats.request(subject, JSON.stringify(event), { headers: head, timeout: TIMEOUT_MS })).json();
    } catch (cause) {
      throw unavailable(`it did not take ${event.id}`, cause);
    }
    if (ack.error) throw unavailable(`it did not take ${event.id}`, new Error(ack.error.description ?? 'refused'));
  }
}

function unavailable(what: string, cause: unknown): CadreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CadreError('feed-unavailable', `the event feed: ${what} (${reason})`, {
    retriable: true,
    remedy: `check that NATS runs and that its stream ${STREAMS.events} has room`,
    cause,
  });
}
