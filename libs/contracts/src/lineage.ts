/** Where things came from: an artifact of the context store, and what a run's answer rests on. */
import { z } from 'zod';
import { ContextName, ContextRef, ContextVersion, TaskContext } from './context.js';
import { AgentName, RunId, TaskId } from './ids.js';
import { ArtifactRef } from './values.js';
import { RunStatus, TaskStatus } from './views.js';

/** A version on the way back. `gone`: it is not kept any more. */
export const ContextStep = z.union([
  ContextVersion.omit({ key: true }).extend({ artifact: ContextName }),
  ContextRef.extend({ gone: z.literal(true) }),
]);
export type ContextStep = z.infer<typeof ContextStep>;

/** Answer to `GET /v1/context/lineage/{name}`: the version, then what it was made from, and so on. `more`: it goes back further. */
export const ContextLineage = z.strictObject({
  name: ContextName,
  version: ContextVersion.shape.version,
  steps: z.array(ContextStep),
  more: z.boolean(),
});
export type ContextLineage = z.infer<typeof ContextLineage>;

/** A task on the way back. `from`: the tasks whose results it used. */
export const TaskStep = TaskContext.extend({
  taskId: TaskId,
  title: z.string(),
  status: TaskStatus,
  agent: AgentName.optional(),
  from: z.array(TaskId),
  artifacts: z.array(ArtifactRef),
});
export type TaskStep = z.infer<typeof TaskStep>;

/**
 * Answer to `GET /v1/runs/{id}/lineage`: the tasks from the answer back, the run's inputs, and where the artifacts that the tasks read came
 * from. `more`: not all is listed.
 */
export const RunLineage = z.strictObject({
  runId: RunId,
  status: RunStatus,
  tasks: z.array(TaskStep),
  inputs: z.array(ArtifactRef),
  context: z.array(ContextStep),
  more: z.boolean(),
});
export type RunLineage = z.infer<typeof RunLineage>;
