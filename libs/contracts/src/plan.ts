/** Plans: what a run is to do. The same shape is submitted by users, written by planners and kept in the log. */
import { z } from 'zod';
import { ArtifactRef, Json, utf8Bytes } from './values.js';
import { AgentName, TaskId } from './ids.js';

/** From most to least urgent. */
export const PRIORITIES = ['critical', 'high', 'medium', 'low', 'background'] as const;
export const Priority = z.enum(PRIORITIES);
export type Priority = z.infer<typeof Priority>;

/** A skill is a lower-case word; these are the ones the standard agents have. */
export const Skill = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'a skill is lower-case letters, digits and -');
export const SKILLS = {
  planning: 'planning',
  dataAnalysis: 'data-analysis',
  visualization: 'visualization',
  codeGeneration: 'code-generation',
  testing: 'testing',
  documentation: 'documentation',
  codeReview: 'code-review',
  synthesis: 'synthesis',
  general: 'general',
} as const;

/** Wait before attempt n+1: `min(maxBackoffMs, backoffMs * factor^(n-1))`, less up to `jitter` (a fraction) of itself. */
export const RetryPolicy = z.strictObject({
  maxAttempts: z.int().min(1).max(20).default(3),
  backoffMs: z.int().min(0).max(600_000).default(500),
  factor: z.number().min(1).max(10).default(2),
  maxBackoffMs: z.int().min(0).max(3_600_000).default(30_000),
  jitter: z.number().min(0).max(1).default(0.5),
});
export type RetryPolicy = z.infer<typeof RetryPolicy>;

/**
 * What must hold before a task starts. `all`: each dependency succeeded. `any`: at least one did. A number: at least so many did.
 * `settled`: each has ended, whatever its outcome. A task skipped by its own condition counts as succeeded (it was not needed).
 */
export const Require = z.union([z.enum(['all', 'any', 'settled']), z.int().min(1).max(1000)]);
export type Require = z.infer<typeof Require>;

export const TaskSpec = z.strictObject({
  id: TaskId,
  title: z.string().min(1).max(200),
  instructions: z.string().min(1).max(8000),
  skills: z.array(Skill).max(10).default([]),
  /** Only this agent may take the task. */
  agent: AgentName.optional(),
  /** Tried in order by later attempts, and when the confidence threshold is missed. */
  fallbackAgents: z.array(AgentName).max(5).default([]),
  dependsOn: z.array(TaskId).max(1000).default([]),
  require: Require.default('all'),
  /** CEL over `results.<task>.{status, confidence, answer}` and `goal`; false skips the task. */
  condition: z.string().min(1).max(1000).optional(),
  /** This task runs only if the named task failed, and then stands in for it. */
  alternativeTo: TaskId.optional(),
  /** Below this confidence the result counts as a failed attempt while fallback agents remain. */
  minConfidence: z.number().min(0).max(1).optional(),
  priority: Priority.default('medium'),
  estimatedMs: z.int().min(0).max(86_400_000).optional(),
  /** Longest time of one attempt, from its start. */
  timeoutMs: z.int().min(100).max(3_600_000).default(120_000),
  retry: RetryPolicy.prefault({}),
  input: Json.optional(),
});
export type TaskSpec = z.infer<typeof TaskSpec>;
export type TaskSpecInput = z.input<typeof TaskSpec>;

export const Plan = z.strictObject({ tasks: z.array(TaskSpec).min(1).max(1000) });
export type Plan = z.infer<typeof Plan>;

export const PlanSource = z.enum(['submitted', 'model', 'template']);
export type PlanSource = z.infer<typeof PlanSource>;

export const RunOptions = z.strictObject({
  priority: Priority.default('medium'),
  /** A failed task skips its dependents instead of failing the run. */
  continueOnFailure: z.boolean().default(false),
  /** Longest time of the whole run. */
  deadlineMs: z
    .int()
    .min(1000)
    .max(7 * 86_400_000)
    .default(30 * 60_000),
  /** Make one answer of all results with a last task. Without it the answer lists the results. */
  summarize: z.boolean().default(true),
  model: z.string().min(1).max(200).optional(),
  labels: z.record(z.string().max(60), z.string().max(200)).default({}),
});
export type RunOptions = z.infer<typeof RunOptions>;

export const MAX_GOAL_BYTES = 16 * 1024;
export const Goal = z
  .string()
  .refine((goal) => goal.trim().length > 0, 'the goal is empty; say what is to be done')
  .refine(
    (goal) => utf8Bytes(goal) <= MAX_GOAL_BYTES,
    `the goal is longer than ${MAX_GOAL_BYTES} bytes; put long material into an input file`,
  );

/** A whole request to start a run. */
export const RunRequest = z.strictObject({
  goal: Goal,
  inputs: z.array(ArtifactRef).max(50).default([]),
  options: RunOptions.prefault({}),
  plan: Plan.optional(),
});
export type RunRequest = z.infer<typeof RunRequest>;
