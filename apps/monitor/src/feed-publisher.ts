/**
 * Publishes events to the feed's stream. The message id is the event's id, so that an event published twice (a batch repeated after a
 * failure) is stored once within the stream's window; beyond that window, what the stream holds of the run is looked up first.
 *
 * Events of one run are stored in their order, whatever breaks: many at once go as an atomic batch (all of it is stored, or nothing), with
 * one acknowledgement and one sync for all. The server refuses a batch of which it has a message already; its events then go one after the
 * other, each after the acknowledgement of the one before, so that a lost connection in between can never put a later event before an
 * earlier one.
 */
import { randomUUID } from 'node:crypto';
import { CadreError, HEADERS, STREAMS, SUBJECTS, compareFeedPositions, toFeedEvents, type FeedEvent } from '@cadre/contracts';
import type { FoldedCommit } from '@cadre/history';
import { headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';

const TIMEOUT_MS = 5000;
/** Well below the stream's window for duplicates (two minutes), so that clocks may differ a little. */
const SURELY_RECOGNISED_MS = 60_000;
/** As long as the stream keeps events. */
const KEPT_MS = 7 * 86_400_000;
/** The server keeps a batch in memory until it is whole, and allows a thousand messages. */
const BATCH = { events: 500, bytes: 4 * 1024 * 1024 };
/** JetStream's code for a batch with a message that is in the stream already. */
const HAS_DUPLICATE = 10201;

interface FeedItem {
  subject: string;
  position: string;
  at: number;
  id: string;
  payload: Uint8Array;
  traceparent: string | undefined;
}

interface Ack {
  error?: { err_code?: number; description?: string };
}

export class FeedPublisher {
  readonly #nats: NatsConnection;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  /** Settles when all events are stored. Error `feed-unavailable` (retriable): some may be stored; publish the same again. */
  async publish(folded: readonly FoldedCommit[]): Promise<void> {
    const items = await this.#missing(itemsOf(folded));
    // In turn: the server allows fifty batches of a stream at once, and there may be more shards.
    for (const batch of batchesOf(items)) await this.#inTurn(() => this.#publishBatch(batch));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Without those that are stored already, as far as the stream's window does not see to it. */
  async #missing(items: readonly FeedItem[]): Promise<FeedItem[]> {
    const old = new Set(items.filter(({ at }) => at < Date.now() - SURELY_RECOGNISED_MS).map(({ subject }) => subject));
    const lasts = new Map(await Promise.all([...old].map(async (subject) => [subject, await this.#lastPosition(subject)] as const)));
    return items.filter(({ subject, position }) => {
      const last = lasts.get(subject);
      return last === undefined || compareFeedPositions(position, last) > 0;
    });
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

  async #publishBatch(items: readonly FeedItem[]): Promise<void> {
    const last = items.at(-1)!;
    if (items.length === 1) return this.#publishOne(last);
    const id = randomUUID();
    const head = (item: FeedItem, index: number): MsgHdrs => {
      const all = headersOf(item);
      all.set('Nats-Batch-Id', id);
      all.set('Nats-Batch-Sequence', String(index + 1));
      return all;
    };
    items.slice(0, -1).forEach((item, index) => this.#nats.publish(item.subject, item.payload, { headers: head(item, index) }));
    const commit = head(last, items.length - 1);
    commit.set('Nats-Batch-Commit', '1');
    const { error } = await this.#acknowledged(last, commit);
    if (error?.err_code === HAS_DUPLICATE) return this.#publishInOrder(items);
    if (error) throw unavailable(`it did not take ${items.length} events up to ${last.id}`, new Error(error.description ?? 'refused'));
  }

  /** Runs go side by side. */
  async #publishInOrder(items: readonly FeedItem[]): Promise<void> {
    const subjects = [...new Set(items.map(({ subject }) => subject))];
    await Promise.all(
      subjects.map(async (subject) => {
        for (const item of items) if (item.subject === subject) await this.#publishOne(item);
      }),
    );
  }

  async #publishOne(item: FeedItem): Promise<void> {
    const { error } = await this.#acknowledged(item, headersOf(item));
    if (error) throw unavailable(`it did not take ${item.id}`, new Error(error.description ?? 'refused'));
  }

  async #acknowledged(item: FeedItem, head: MsgHdrs): Promise<Ack> {
    try {
      return (await this.#nats.request(item.subject, item.payload, { headers: head, timeout: TIMEOUT_MS })).json<Ack>();
    } catch (cause) {
      throw unavailable(`it did not take ${item.id}`, cause);
    }
  }
}

function itemsOf(folded: readonly FoldedCommit[]): FeedItem[] {
  const text = new TextEncoder();
  return folded
    .filter(({ commit }) => commit.at >= Date.now() - KEPT_MS)
    .flatMap(({ tenant, commit, run: { traceparent } }) => {
      const subject = SUBJECTS.events(tenant, commit.runId);
      return toFeedEvents(tenant, commit).map((event: FeedEvent, index) => {
        const payload = text.encode(JSON.stringify(event));
        return { subject, position: `${commit.seq}.${index}`, at: commit.at, id: event.id, payload, traceparent };
      });
    });
}

function batchesOf(items: readonly FeedItem[]): FeedItem[][] {
  const batches: FeedItem[][] = [];
  let bytes = 0;
  for (const item of items) {
    bytes += item.payload.length;
    const batch = batches.at(-1);
    if (batch !== undefined && batch.length < BATCH.events && bytes <= BATCH.bytes) batch.push(item);
    else {
      batches.push([item]);
      bytes = item.payload.length;
    }
  }
  return batches;
}

function headersOf({ id, traceparent }: FeedItem): MsgHdrs {
  const head = headers();
  head.set(HEADERS.messageId, id);
  head.set('content-type', 'application/cloudevents+json');
  if (traceparent !== undefined) head.set(HEADERS.traceparent, traceparent);
  return head;
}

function unavailable(what: string, cause: unknown): CadreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CadreError('feed-unavailable', `the event feed: ${what} (${reason})`, {
    retriable: true,
    remedy: `check that NATS runs and that its stream ${STREAMS.events} has room`,
    cause,
  });
}
