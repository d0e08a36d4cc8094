/** Agents that people define at run time, from the templates of workers. */
import { z } from 'zod';
import { AgentDefinition, AgentSettings, TemplateSummary, WorkerView } from './agents.js';
import { AgentName, TenantId, WorkerId } from './ids.js';
import { UnderLoad } from './under-load.js';
import { Timestamp } from './values.js';

const DAY_MS = 86_400_000;
/**
 * `defined`: of a tenant at once. `names`: with those that were removed and are not forgotten, which is later than any run ends that may
 * ask for them.
 */
export const AGENT_LIMITS = { defined: 200, names: 1000, forgetAfterMs: 30 * DAY_MS } as const;

/** What an agent is to be: body of `PUT /v1/agents/{name}`. What is left out is as its template says. */
export const DefinedAgent = AgentSettings.extend({
  template: AgentName,
  description: AgentDefinition.shape.description,
  skills: AgentDefinition.shape.skills,
  maxParallel: AgentDefinition.shape.maxParallel,
  labels: AgentDefinition.shape.labels,
  requires: AgentDefinition.shape.requires,
  underLoad: UnderLoad.optional(),
});
export type DefinedAgent = z.infer<typeof DefinedAgent>;

/** An agent as it is kept: its newest version, or that it was removed. Names are unique over all tenants. */
export const AgentRecord = z.strictObject({
  tenant: TenantId,
  name: AgentName,
  /** From 1, and one more with each change. */
  version: z.int().min(1),
  changedAt: Timestamp,
  /** Left out: it was removed. */
  definition: DefinedAgent.optional(),
  /** Of a removed one: who gets the tasks that ask for it by name. */
  handTo: AgentName.optional(),
});
export type AgentRecord = z.infer<typeof AgentRecord>;

/** An agent that was defined, with the workers that have it now. */
export const AgentView = AgentRecord.omit({ tenant: true }).extend({ workers: z.array(WorkerId) });
export type AgentView = z.infer<typeof AgentView>;

/** Answer to `DELETE /v1/agents/{name}`. `note` says what becomes of the tasks that ask for it. */
export const AgentRemoved = z.strictObject({
  name: AgentName,
  version: z.int().min(1),
  handTo: AgentName.optional(),
  note: z.string(),
});
export type AgentRemoved = z.infer<typeof AgentRemoved>;

/**
 * Answer to `GET /v1/agents`: the workers with their own agents, the templates that they offer, and what was defined from these or removed
 * again.
 */
export const WorkerList = z.strictObject({
  workers: z.array(WorkerView),
  templates: z.array(TemplateSummary.extend({ workers: z.array(WorkerId) })),
  defined: z.array(AgentView),
});
export type WorkerList = z.infer<typeof WorkerList>;
