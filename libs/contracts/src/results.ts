/** What attempts produce. */
import { z } from 'zod';
import { ArtifactRef, Content, Json, Timestamp, Usage } from './values.js';
import { AgentName, RunId, TaskId, TenantId } from './ids.js';
import { Plan, PlanSource } from './plan.js';

export const TaskResult = z.strictObject({
  answer: Content,
  confidence: z.number().min(0).max(1),
  artifacts: z.array(ArtifactRef).max(200),
  usage: Usage,
  /** Set by the planning task only. */
  plan: z.strictObject({ plan: Plan, source: PlanSource, note: z.string().max(2000).optional() }).optional(),
});
export type TaskResult = z.infer<typeof TaskResult>;

/** One finished model or tool call, as the log keeps it. */
export const CallRecord = z.strictObject({
  /** Unique within the attempt, counted from 1. */
  n: z.int().min(1),
  kind: z.enum(['model', 'tool']),
  /** Model or tool name. */
  name: z.string().min(1).max(200),
  ok: z.boolean(),
  /** A short line for people: what was asked, or why it failed. */
  note: z.string().max(300),
  at: Timestamp,
  durationMs: z.int().nonnegative(),
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  costMicros: z.int().nonnegative(),
});
export type CallRecord = z.infer<typeof CallRecord>;

/** How one task ended, as later tasks see it. */
export const TaskOutcome = z.strictObject({
  taskId: TaskId,
  title: z.string(),
  agent: AgentName.optional(),
  status: z.enum(['completed', 'failed', 'skipped', 'cancelled']),
  answer: Content.optional(),
  confidence: z.number().optional(),
  artifacts: z.array(ArtifactRef),
  error: z.string().optional(),
});
export type TaskOutcome = z.infer<typeof TaskOutcome>;

/** All that a worker needs to work on an attempt: the answer to `StartAttempt`. */
export const Assignment = z.strictObject({
  runId: RunId,
  tenant: TenantId,
  taskId: TaskId,
  attempt: z.int().min(1),
  kind: z.enum(['plan', 'work', 'answer']),
  goal: z.string(),
  title: z.string(),
  instructions: z.string(),
  input: Json.optional(),
  inputs: z.array(ArtifactRef),
  /** For work: the dependencies, direct and indirect. For the answer: every task of the plan. In plan order. */
  results: z.array(TaskOutcome),
  /** Why the attempt before this one failed. */
  previousError: z.string().optional(),
  model: z.string().optional(),
  deadlineAt: Timestamp,
  traceparent: z.string().optional(),
});
export type Assignment = z.infer<typeof Assignment>;
