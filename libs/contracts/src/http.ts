/** Bodies of the HTTP API that are not views by themselves. */
import { z } from 'zod';
import { FeedEvent } from './feed.js';
import { RunId } from './ids.js';
import { CallView, RunStatus } from './views.js';
import { QuestionChoice, QuestionId, QuestionView } from './questions.js';
import { EventType } from './scopes.js';
import { ArtifactRef, Json, Micros } from './values.js';

/** Paths of what belongs to a run. */
export const RunLinks = z.strictObject({
  self: z.string(),
  events: z.string(),
  calls: z.string(),
  questions: z.string(),
  artifacts: z.string(),
  answer: z.string(),
  cancel: z.string(),
});
export type RunLinks = z.infer<typeof RunLinks>;

/** Answer to `POST /v1/runs` (202 for a new run, 200 for a repeated request). */
export const RunAccepted = z.strictObject({ runId: RunId, status: RunStatus, inputs: z.array(ArtifactRef), links: RunLinks });
export type RunAccepted = z.infer<typeof RunAccepted>;

/** Body of `POST /v1/runs/{id}/cancel`; may be left out. */
export const CancelRequest = z.strictObject({ reason: z.string().max(1000).default('cancelled by request') });
export type CancelRequest = z.infer<typeof CancelRequest>;

/** Answer to `POST /v1/runs/{id}/cancel`. `cancelling`: attempts that run may wind up until the grace time is over. */
export const CancelAccepted = z.strictObject({ runId: RunId, status: RunStatus, links: RunLinks });
export type CancelAccepted = z.infer<typeof CancelAccepted>;

/** Answer to `GET /v1/runs/{id}/calls`. `more`: the run has made more than are listed. */
export const CallList = z.strictObject({ calls: z.array(CallView), more: z.boolean() });
export type CallList = z.infer<typeof CallList>;

/** Answer to `GET /v1/runs/{id}/events` with `Accept: application/json`; `next` is the position to go on `after`. */
export const EventList = z.strictObject({ events: z.array(FeedEvent), more: z.boolean(), next: z.string().optional() });
export type EventList = z.infer<typeof EventList>;

/** Answer to `GET /v1/questions` and `GET /v1/runs/{id}/questions`. */
export const QuestionList = z.strictObject({ questions: z.array(QuestionView) });
export type QuestionList = z.infer<typeof QuestionList>;

/**
 * Body of `POST /v1/events`: an event for whoever waits for it. `id` and `source` tell it from others: the same ones again are the same
 * event.
 */
export const EventRequest = z.strictObject({
  type: EventType,
  source: z.string().min(1).max(500).default('/http'),
  /** Default: a new one. */
  id: z.string().min(1).max(200).optional(),
  data: Json.optional(),
});
export type EventRequest = z.infer<typeof EventRequest>;

/** Answer to that: the event is stored. */
export const EventAccepted = z.strictObject({ id: z.string(), source: z.string(), type: EventType });
export type EventAccepted = z.infer<typeof EventAccepted>;

/** Body of `POST /v1/runs/{id}/questions/{question}/answer`. */
export const AnswerRequest = z.strictObject({
  choice: QuestionChoice,
  by: z.string().min(1).max(200).default('api'),
  note: z.string().max(1000).optional(),
  raiseMicros: Micros.optional(),
  result: Json.optional(),
});
export type AnswerRequest = z.infer<typeof AnswerRequest>;

/** Answer to that. */
export const AnswerAccepted = z.strictObject({ runId: RunId, questionId: QuestionId, links: RunLinks });
export type AnswerAccepted = z.infer<typeof AnswerAccepted>;

/** An artifact with the path to get it by. */
export const ArtifactView = ArtifactRef.extend({ href: z.string() });
export type ArtifactView = z.infer<typeof ArtifactView>;

/** Answer to `GET /v1/runs/{id}/artifacts`. */
export const ArtifactList = z.strictObject({ artifacts: z.array(ArtifactView) });
export type ArtifactList = z.infer<typeof ArtifactList>;
