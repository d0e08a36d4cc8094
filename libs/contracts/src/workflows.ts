/** Workflows: plans that are kept under a name, in versions, and started with parameters. */
import { z } from 'zod';
import { Goal, ParamName, Params, Plan, RunOptions } from './plan.js';
import { EventType, Expression } from './scopes.js';
import { ArtifactRef, Json, Timestamp } from './values.js';

export const WorkflowName = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'a workflow name is lower-case letters, digits and -');
export type WorkflowName = z.infer<typeof WorkflowName>;

/** Longest definition, as JSON with its defaults. */
export const MAX_WORKFLOW_BYTES = 256 * 1024;

/** A parameter without a default has to be given. */
export const WorkflowParam = z.strictObject({ description: z.string().max(500).optional(), default: Json.optional() });
export type WorkflowParam = z.infer<typeof WorkflowParam>;

/**
 * What starts a run of a workflow by itself: an event from outside, or the hands of a clock. In `params`, `${{ … }}` sees `event` with
 * `id`, `type`, `source`, `time` (ISO 8601) and `data`; of a clock it is the time at which the run was due. `where` is an expression over
 * `event`.
 */
export const Trigger = z.union(
  [
    z.strictObject({ event: EventType, where: Expression.optional(), params: Params.default({}) }),
    z.strictObject({
      /** Five fields, or six with seconds before them: `0 9 * * 1-5`. */
      cron: z.string().min(1).max(100),
      /** As in the IANA database: `Europe/Berlin`. */
      timezone: z.string().min(1).max(60).default('UTC'),
      params: Params.default({}),
    }),
  ],
  { error: 'a trigger has either an event or a cron, and its params' },
);
export type Trigger = z.infer<typeof Trigger>;

/** A definition as people write it, in YAML or JSON. */
export const Workflow = z.strictObject({
  apiVersion: z.literal('cadre/v1', { error: 'must be "cadre/v1"' }),
  kind: z.literal('Workflow', { error: 'must be "Workflow"' }),
  metadata: z.strictObject({ name: WorkflowName, description: z.string().max(1000).optional() }),
  spec: z.strictObject({
    goal: Goal,
    params: z.record(ParamName, WorkflowParam).default({}),
    options: RunOptions.prefault({}),
    /** What starts a run by itself. */
    on: z.array(Trigger).max(20).optional(),
    tasks: Plan.shape.tasks,
  }),
});
export type Workflow = z.infer<typeof Workflow>;

/** A version, from 1, never changes: a run goes on with the one that it was started with. */
export const WorkflowVersion = z.strictObject({
  name: WorkflowName,
  version: z.int().min(1),
  createdAt: Timestamp,
  workflow: Workflow,
});
export type WorkflowVersion = z.infer<typeof WorkflowVersion>;

/** Answer to `GET /v1/workflows`: the newest version of each. */
export const WorkflowList = z.strictObject({
  workflows: z.array(
    z.strictObject({ name: WorkflowName, version: z.int().min(1), createdAt: Timestamp, description: z.string().optional() }),
  ),
});
export type WorkflowList = z.infer<typeof WorkflowList>;

/** Body of `POST /v1/workflows/{name}/runs`. */
export const WorkflowRunRequest = z.strictObject({
  /** Default: the newest. */
  version: z.int().min(1).optional(),
  params: Params.default({}),
  /** Instead of the definition's. */
  goal: Goal.optional(),
  inputs: z.array(ArtifactRef).max(50).default([]),
});
export type WorkflowRunRequest = z.infer<typeof WorkflowRunRequest>;
