/** The event feed: one CloudEvent for each run event, on `cadre.ev.<tenant>.<run>`. */
import { z } from 'zod';
import { Json, Timestamp } from './values.js';
import { CallKey } from './calls.js';
import { RunId, TaskId, TenantId } from './ids.js';
import { RunEvent, type Commit } from './events.js';

/** CloudEvents 1.0, structured JSON. `id` is `<runId>/<seq>.<index>`: unique, and ordered within the run by (seq, index). */
export const FeedEvent = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.string(),
  /** `/cadre/<tenant>` */
  source: z.string(),
  /** `cadre.<EventType>`, for example `cadre.TaskCompleted`. */
  type: z.string(),
  subject: RunId,
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  data: RunEvent,
});
export type FeedEvent = z.infer<typeof FeedEvent>;

/** The feed's form of a commit's events, in order. */
export function toFeedEvents(tenant: TenantId, commit: Commit): FeedEvent[] {
  const time = new Date(commit.at).toISOString();
  return commit.events.map((data, index) => ({
    specversion: '1.0',
    id: `${commit.runId}/${commit.seq}.${index}`,
    source: `/cadre/${tenant}`,
    type: `cadre.${data.type}`,
    subject: commit.runId,
    time,
    datacontenttype: 'application/json',
    data,
  }));
}

/** Position of an event within its run: `<seq>.<index>`; the id of a server-sent event. */
export const FeedPosition = z.string().regex(/^[0-9]{1,12}\.[0-9]{1,6}$/, 'an event id looks like 12.0');
export type FeedPosition = z.infer<typeof FeedPosition>;

/** @returns negative, zero or positive, as for sort */
export function compareFeedPositions(a: FeedPosition, b: FeedPosition): number {
  const [aSeq = 0, aIndex = 0] = a.split('.').map(Number);
  const [bSeq = 0, bIndex = 0] = b.split('.').map(Number);
  return aSeq - bSeq || aIndex - bIndex;
}

/** A CloudEvent from outside, in either NATS content mode, put together. */
export const IngressEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(200),
  source: z.string().min(1).max(500),
  type: z.string().min(1).max(200),
  data: Json,
});
export type IngressEvent = z.infer<typeof IngressEvent>;

export const IngressSubject = z.object({ tenant: TenantId, type: z.string() });

/**
 * What a model has written since the part before, while its call is on its way: on core NATS, for whoever watches. Parts may be lost, a
 * call that is made again begins anew, and what counts is the recorded reply.
 */
export const TokenPart = z.strictObject({
  runId: RunId,
  taskId: TaskId,
  attempt: z.int().min(1),
  call: CallKey,
  /** From 1. */
  part: z.int().min(1),
  at: Timestamp,
  text: z.string().optional(),
  /** What the server tells of the model's own reasoning. */
  reasoning: z.string().optional(),
});
export type TokenPart = z.infer<typeof TokenPart>;
