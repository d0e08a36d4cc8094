/** Plans: what a run is to do. The same shape is submitted by users, written by planners and kept in the log. */
import { z } from 'zod';
import { ArtifactRef, Content, Failure, Json, Micros, WorkspacePath, utf8Bytes } from './values.js';
import { AnyToolName, MOST_TOOLS } from './calls.js';
import { AgentName, TaskId } from './ids.js';
import { Labels } from './labels.js';
import { ResultSchema } from './result-schema.js';
import { TaskThinking } from './thinking.js';
import { NeverUnderLoad } from './under-load.js';
import { Combine, Expression, Gate, Join, Repeat, UnknownConfidence, Wait } from './scopes.js';

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
  coordination: 'coordination',
  general: 'general',
} as const;

/**
 * How long, from its first refusal on, a task waits for a model server that limits, loads or cannot be reached. Such attempts do not count
 * against `maxAttempts`; what comes after this time does, and with 0 all of them. Left out: until the run's deadline.
 */
export const MaxServerWaitMs = z
  .int()
  .min(0)
  .max(7 * 86_400_000);

/** Wait before attempt n+1: `min(maxBackoffMs, backoffMs * factor^(n-1))`, less up to `jitter` (a fraction) of itself. */
export const RetryPolicy = z.strictObject({
  maxAttempts: z.int().min(1).max(20).default(3),
  backoffMs: z.int().min(0).max(600_000).default(500),
  factor: z.number().min(1).max(10).default(2),
  maxBackoffMs: z.int().min(0).max(3_600_000).default(30_000),
  jitter: z.number().min(0).max(1).default(0.5),
  maxServerWaitMs: MaxServerWaitMs.optional(),
});
export type RetryPolicy = z.infer<typeof RetryPolicy>;

/**
 * What must hold before a task starts. `all`: each dependency succeeded. `any`: at least one did. A number: at least so many did.
 * `settled`: each has ended, whatever its outcome. A task skipped by its own condition counts as succeeded (it was not needed).
 */
export const Require = z.union([z.enum(['all', 'any', 'settled']), z.int().min(1).max(10_000)]);
export type Require = z.infer<typeof Require>;

/** Tasks of one run. A plan that does not fit into one message is submitted in parts. */
export const MAX_PLAN_TASKS = 10_000;

/** Bytes of all task ids of a plan together: a decision that concerns every task has to fit into one message. */
export const MAX_PLAN_ID_BYTES = 320 * 1024;

/** One of `over` (once per item), `branches` (each task of the body is an item), `repeat` (round after round) or none of them (once). */
export const Scope = z.strictObject({
  get body(): z.ZodArray<typeof TaskSpec> {
    return z.array(TaskSpec).min(1).max(200);
  },
  /** The task of the body whose result is the item's; the last one when left out. */
  result: TaskId.optional(),
  /** Gives a list. */
  over: Expression.optional(),
  branches: z.literal(true).optional(),
  /** Items at work at once. */
  width: z.int().min(1).max(1000).default(100),
  repeat: Repeat.optional(),
  join: Join.prefault({}),
  gate: Gate.optional(),
  combine: Combine.prefault({ by: 'list' }),
});
export type Scope = z.infer<typeof Scope>;

/** What a task has come to before the run: its result, or why there is none. */
export const Given = z.union([
  z.strictObject({
    answer: Content,
    /** Null: not known. */
    confidence: z.number().min(0).max(1).nullable().default(1),
    artifacts: z.array(ArtifactRef).max(200).default([]),
    partial: z.literal(true).optional(),
  }),
  z.strictObject({ error: Failure }),
]);
export type Given = z.infer<typeof Given>;

/**
 * The result may stand for later ones: a task of the same tenant that asks the same of the same agent within `ttlMs` is given it, without a
 * call of a model or a tool. Of the two tasks' times the shorter one counts.
 */
export const Cache = z.strictObject({
  ttlMs: z
    .int()
    .min(1)
    .max(30 * 86_400_000),
});
export type Cache = z.infer<typeof Cache>;

/** How a planner may have a part of a goal done, beside tasks that depend on each other. */
export const PATTERN_KINDS = ['map-reduce', 'pipeline', 'vote', 'auction', 'swarm', 'hierarchy'] as const;
export const PatternKind = z.enum(PATTERN_KINDS);
export type PatternKind = z.infer<typeof PatternKind>;

/** An agent for the tasks that say so: one that is there, with a task of its own making and none but this agent's tools. */
export const Specialist = z.strictObject({
  name: AgentName,
  description: z.string().min(1).max(500),
  skills: z.array(Skill).min(1).max(10),
  instructions: z.string().min(1).max(4000),
  /** Of the agent's tools; all of them when left out. */
  tools: z.array(AnyToolName).max(MOST_TOOLS).optional(),
});
export type Specialist = z.infer<typeof Specialist>;

/**
 * How long an attempt may take whose task does not say it: ten minutes, or some calls of a model that takes long. An attempt that this ends
 * is followed by one that may take twice as long; the run's deadline is above all.
 */
export const ATTEMPT_LIMIT = { leastMs: 600_000, modelCalls: 4, factor: 2 } as const;
export const DEFAULT_LIMIT_REMEDY =
  'That is the default limit: timeoutMs of the task sets another one, a larger CADRE_MODEL_TIMEOUT_MS of the workers raises it.';

export const TaskSpec = z.strictObject({
  id: TaskId,
  title: z.string().min(1).max(200),
  instructions: z.string().min(1).max(8000),
  skills: z.array(Skill).max(10).default([]),
  /** Who does it has these labels, its own or those of its worker. */
  labels: Labels.optional(),
  /** Only this agent may take the task. */
  agent: AgentName.optional(),
  /** Tried in order by later attempts, and when the confidence threshold is missed. */
  fallbackAgents: z.array(AgentName).max(5).default([]),
  dependsOn: z.array(TaskId).max(MAX_PLAN_TASKS).default([]),
  require: Require.default('all'),
  /** CEL over `results.<task>.{status, confidence, answer}` and `goal`; false skips the task. A confidence that is not known is -1. */
  condition: z.string().min(1).max(1000).optional(),
  /** This task runs only if the named task failed, and then stands in for it. */
  alternativeTo: TaskId.optional(),
  /** Below this confidence the result counts as a failed attempt while fallback agents remain. */
  minConfidence: z.number().min(0).max(1).optional(),
  /** Left out: a result without a confidence is below any that is asked for. */
  unknownConfidence: UnknownConfidence.optional(),
  priority: Priority.default('medium'),
  estimatedMs: z.int().min(0).max(86_400_000).optional(),
  /** Longest time of one attempt, from its start. Left out: see `ATTEMPT_LIMIT`. */
  timeoutMs: z.int().min(100).max(3_600_000).optional(),
  retry: RetryPolicy.prefault({}),
  /** Cap of what all attempts of this task may cost together; goes before the run's `taskMicros`. */
  budgetMicros: Micros.optional(),
  /** Only these of the agent's granted tools may be called. */
  tools: z.array(AnyToolName).max(MOST_TOOLS).optional(),
  input: Json.optional(),
  /** Of work for an agent. */
  cache: Cache.optional(),
  /** `${{ … }}` in the title, the instructions and the input is filled in when the task begins. */
  templated: z.literal(true).optional(),
  /** Gives the agent's name, or a list: the agent, then those that follow when it fails. */
  agentFrom: Expression.optional(),
  /** No agent's work: the engine does it. */
  scope: Scope.optional(),
  wait: Wait.optional(),
  given: Given.optional(),
  /** The answer is JSON that is as this says; else, after one repair, the task fails. Of work for an agent. */
  resultSchema: ResultSchema.optional(),
  /** Of work for an agent that a model plays. */
  thinking: TaskThinking.optional(),
  /** It is done by the agent that was to do it and as that one does it, however long it waits; see `UnderLoad`. */
  underLoad: NeverUnderLoad.optional(),
  /** Whom its agent may ask, give work or send messages to; left out: anyone. */
  peers: z.array(AgentName).max(20).optional(),
  /** Files, and folders, that it has to leave. Whoever comes after it gets these and no others. */
  shares: z.array(WorkspacePath).min(1).max(50).optional(),
  /** What its agent, the one that is named, is for this task. */
  specialist: Specialist.optional(),
  /** A bid: what the system knows of whoever makes it is kept with the attempt. */
  bid: z.literal(true).optional(),
  /** For people: the pattern by which the planner has it done, and why. Nothing is decided by them. */
  pattern: PatternKind.optional(),
  why: z.string().min(1).max(500).optional(),
});
export type TaskSpec = z.infer<typeof TaskSpec>;
export type TaskSpecInput = z.input<typeof TaskSpec>;

/** Work that an agent gives to others while it is at work itself. */
export const Delegation = z.strictObject({
  tasks: z.array(TaskSpec).min(1).max(50),
  /** The one task takes the place of the task that hands it over: what it brings is the result of both. */
  handOff: z.literal(true).optional(),
});
export type Delegation = z.infer<typeof Delegation>;

export const Plan = z.strictObject({ tasks: z.array(TaskSpec).min(1).max(MAX_PLAN_TASKS) });
export type Plan = z.infer<typeof Plan>;

export const PlanSource = z.enum(['submitted', 'model', 'template']);
export type PlanSource = z.infer<typeof PlanSource>;

/**
 * Caps on what a run's calls may cost. `onLimit`: what happens when the next call does not fit: the task fails, goes on with the cheaper
 * model `degradeTo`, or a person is asked.
 */
export const Budget = z
  .strictObject({
    runMicros: Micros.optional(),
    /** Each task of the run. */
    taskMicros: Micros.optional(),
    /** All that one agent does in the run. */
    agentMicros: z.record(AgentName, Micros).default({}),
    onLimit: z.enum(['stop', 'degrade', 'ask']).default('stop'),
    degradeTo: z.string().min(1).max(200).optional(),
    /**
     * Whether models without a known price may be called at all; what they cost is then unknown and counts under no cap. `if-uncapped`:
     * where no cap applies to the call, of the run, the task, the agent or the tenant.
     */
    unpricedModels: z.enum(['refuse', 'allow', 'if-uncapped']).default('if-uncapped'),
  })
  .refine((budget) => budget.onLimit !== 'degrade' || budget.degradeTo !== undefined, {
    path: ['degradeTo'],
    message: 'onLimit "degrade" needs degradeTo: the cheaper model to go on with',
  });
export type Budget = z.infer<typeof Budget>;

/** What expressions see as `params`, by name. */
export const ParamName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'a parameter name is letters, digits and _');
export const Params = z.record(ParamName, Json);
export type Params = z.infer<typeof Params>;

export const RunOptions = z.strictObject({
  priority: Priority.default('medium'),
  /** A failed task skips its dependents instead of failing the run. */
  continueOnFailure: z.boolean().default(false),
  /** Of tasks whose retry policy says nothing of it, and of the run's own: planning and the answer. */
  maxServerWaitMs: MaxServerWaitMs.optional(),
  /** Longest time of the whole run. */
  deadlineMs: z
    .int()
    .min(1000)
    .max(7 * 86_400_000)
    .default(30 * 60_000),
  /** Attempts of this run at work at once, over all workers; as many as there are slots when left out. */
  maxParallel: z.int().min(1).max(10_000).optional(),
  /** Make one answer of all results with a last task. Without it the answer lists the results. */
  summarize: z.boolean().default(true),
  model: z.string().min(1).max(200).optional(),
  /** Of all its tasks. */
  underLoad: NeverUnderLoad.optional(),
  /** Keep what thinking agents thought, beside their results. Left out: false. */
  collectThinking: z.boolean().optional(),
  budget: Budget.prefault({}),
  /** How long running attempts may wind up after a cancel. */
  cancelGraceMs: z.int().min(0).max(60_000).default(5000),
  /** How long a question to a person stays open; without it, until the run's deadline. Then it counts as denied. */
  questionTimeoutMs: z
    .int()
    .min(1000)
    .max(7 * 86_400_000)
    .optional(),
  labels: z.record(z.string().max(60), z.string().max(200)).default({}),
  /** The run ends with its plan, which is its answer; none of its tasks begins. */
  planOnly: z.literal(true).optional(),
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
  params: Params.optional(),
});
export type RunRequest = z.infer<typeof RunRequest>;
