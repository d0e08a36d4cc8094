/** Workflows: plans that are kept under a name, in versions, and started with parameters. */
import { z } from 'zod';
import { Goal, ParamName, Params, Plan, RunOptions } from './plan.js';
import { ArtifactRef, Json, Timestamp } from './values.js';

export const WorkflowName = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'a workflow name is lower-case letters, digits and -');
export type WorkflowName = z.infer<typeof WorkflowName>;

/** Longest definition, as JSON with its defaults. */
export const MAX_WORKFLOW_BYTES = 256 * 1024;

/** A parameter without a default has to be given. */
export const WorkflowParam = z.strictObject({ description: z.string().max(500).optional(), default: Json.optional() });
export type WorkflowParam = z.infer<typeof WorkflowParam>;

/** A definition as people write it, in YAML or JSON. */
export const Workflow = z.strictObject({
  apiVersion: z.literal('cadre/v1', { error: 'must be "cadre/v1"' }),
  kind: z.literal('Workflow', { error: 'must be "Workflow"' }),
  metadata: z.strictObject({ name: WorkflowName, description: z.string().max(1000).optional() }),
  spec: z.strictObject({
    goal: Goal,
    params: z.record(ParamName, WorkflowParam).default({}),
    options: RunOptions.prefault({}),
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
