/** Bodies of the HTTP API that are not views by themselves. */
import { z } from 'zod';
import { WorkerView } from './agents.js';
import { FeedEvent } from './feed.js';
import { RunId } from './ids.js';
import { CallView, RunStatus } from './views.js';
import { ArtifactRef } from './values.js';

/** Paths of what belongs to a run. */
export const RunLinks = z.strictObject({
  self: z.string(),
  events: z.string(),
  calls: z.string(),
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

/** Answer to `POST /v1/runs/{id}/cancel`. */
export const CancelAccepted = z.strictObject({ runId: RunId, links: RunLinks });
export type CancelAccepted = z.infer<typeof CancelAccepted>;

/** Answer to `GET /v1/agents`. */
export const WorkerList = z.strictObject({ workers: z.array(WorkerView) });
export type WorkerList = z.infer<typeof WorkerList>;

/** Answer to `GET /v1/runs/{id}/calls`. */
export const CallList = z.strictObject({ calls: z.array(CallView) });
export type CallList = z.infer<typeof CallList>;

/** Answer to `GET /v1/runs/{id}/events` with `Accept: application/json`; `next` is the position to go on `after`. */
export const EventList = z.strictObject({ events: z.array(FeedEvent), more: z.boolean(), next: z.string().optional() });
export type EventList = z.infer<typeof EventList>;

/** An artifact with the path to get it by. */
export const ArtifactView = ArtifactRef.extend({ href: z.string() });
export type ArtifactView = z.infer<typeof ArtifactView>;

/** Answer to `GET /v1/runs/{id}/artifacts`. */
export const ArtifactList = z.strictObject({ artifacts: z.array(ArtifactView) });
export type ArtifactList = z.infer<typeof ArtifactList>;
