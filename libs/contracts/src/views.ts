/** What the read model shows: the shapes of API answers and of queries to the monitor. */
import { z } from 'zod';
import { ArtifactRef, Content, Failure, Micros, Timestamp, Usage } from './values.js';
import { AgentName, RunId, TaskId, TenantId, WorkerId } from './ids.js';
import { Labels } from './labels.js';
import { MAX_PLAN_TASKS, Params, PatternKind, PlanSource, Priority, Require, RunOptions, Skill, TaskSpec } from './plan.js';
import { TenantBudgetView } from './accounts.js';
import { TaskContext } from './context.js';
import { CallKind, CallOutcome, CallSettlement, ToolEffect } from './calls.js';
import { QuestionView } from './questions.js';
import { Missing, ResultMark, ResultOrigin } from './results.js';
import { EventType } from './scopes.js';
import { QueuedMs, ReducedThinking } from './under-load.js';
import { FeedEvent } from './feed.js';

export const RUN_STATUSES = ['planning', 'running', 'cancelling', 'completed', 'failed', 'cancelled'] as const;
export const RunStatus = z.enum(RUN_STATUSES);
export type RunStatus = z.infer<typeof RunStatus>;
export const isTerminal = (status: RunStatus): boolean => status !== 'planning' && status !== 'running' && status !== 'cancelling';

/**
 * `waiting`: for dependencies. `ready`: an attempt is open, no worker has started it. `asking`: for a person's answer. `open`: a scope at
 * work, or a wait for time or an event.
 */
export const TASK_STATUSES = ['waiting', 'ready', 'running', 'asking', 'open', 'completed', 'failed', 'skipped', 'cancelled'] as const;
export const TaskStatus = z.enum(TASK_STATUSES);
export type TaskStatus = z.infer<typeof TaskStatus>;

export const TaskView = z.strictObject({
  taskId: TaskId,
  title: z.string(),
  status: TaskStatus,
  priority: Priority,
  skills: z.array(Skill),
  labels: Labels.optional(),
  /** Of a task that is ready and that nobody can take as things are: what it waits for, in words. */
  waitsFor: z.string().optional(),
  dependsOn: z.array(TaskId),
  require: Require,
  /** How the planner has it done, and why. */
  pattern: PatternKind.optional(),
  why: z.string().optional(),
  /** What its agent is for this task. */
  specialist: AgentName.optional(),
  attempt: z.int().nonnegative(),
  agent: AgentName.optional(),
  workerId: WorkerId.optional(),
  startedAt: Timestamp.optional(),
  endedAt: Timestamp.optional(),
  /** Left out of a task that has a result: its agent gave none. */
  confidence: z.number().optional(),
  /** What is out of the ordinary with its result. */
  mark: ResultMark.optional(),
  answer: Content.optional(),
  artifacts: z.array(ArtifactRef),
  /** What it has read and written of the context store, if anything. */
  context: TaskContext.optional(),
  /** What its agent thought, if the run collects that: a `ThinkingTrace` as JSON. */
  thinking: Content.optional(),
  /** The cheaper model that its budget, or a server without room, brought it to. */
  degradedTo: z.string().optional(),
  /** How much less its agent has thought, because the server had no room, or it had waited too long for a slot. */
  reducedTo: ReducedThinking.optional(),
  /** The agent that was to do it: another one does, since this one was removed or, with `queuedMs`, had no free slot. */
  insteadOf: AgentName.optional(),
  /** How long it had been without a free slot, where another agent does it, or it is done with less, because of that. */
  queuedMs: QueuedMs.optional(),
  /** Nobody worked for it: the answer is that of this earlier task. */
  cachedFrom: ResultOrigin.optional(),
  /** What the task asked for and its result has not. */
  missing: Missing.optional(),
  /** The last failure of the task or of its last attempt, or why it was skipped. */
  error: z.string().optional(),
  /**
   * It waits for a model server that limits, loads or cannot be reached, since then, and asks again at `until`. The server's words are the
   * `error`.
   */
  serverWait: z.strictObject({ since: Timestamp, until: Timestamp }).optional(),
  usage: Usage,
});
export type TaskView = z.infer<typeof TaskView>;

export const RunSummary = z.strictObject({
  runId: RunId,
  tenant: TenantId,
  goal: z.string(),
  status: RunStatus,
  createdAt: Timestamp,
  endedAt: Timestamp.optional(),
  /** Tasks ended, and all tasks known so far. */
  tasksDone: z.int(),
  tasksTotal: z.int(),
  usage: Usage,
  /** Of a completed run: something of what was asked for was not done. */
  partial: z.boolean().optional(),
  /** What was not done, in short phrases. */
  missing: Missing.optional(),
});
export type RunSummary = z.infer<typeof RunSummary>;

export const RunView = RunSummary.extend({
  options: RunOptions,
  params: Params.optional(),
  inputs: z.array(ArtifactRef),
  planSource: PlanSource.optional(),
  planNote: z.string().optional(),
  deadlineAt: Timestamp,
  /** Number of the run's last commit folded. */
  seq: z.int(),
  tasks: z.array(TaskView),
  answer: Content.optional(),
  error: Failure.optional(),
  cancelReason: z.string().optional(),
  artifacts: z.array(ArtifactRef),
  /** Set aside for calls whose outcome is not known yet. */
  reservedMicros: Micros,
  /** Open questions. */
  questions: z.array(QuestionView),
  /** How many tasks and artifacts a large run has beside those listed; tasks that have not ended well are listed first. */
  leftOut: z.strictObject({ tasks: z.int(), artifacts: z.int() }).optional(),
  traceparent: z.string().optional(),
});
export type RunView = z.infer<typeof RunView>;

/** Answer to `GET /v1/runs/{id}/plan`: what the run is to do, as it could be sent again. */
export const PlanView = z.strictObject({
  runId: RunId,
  source: PlanSource,
  /** Of the planner, or why there is no better plan. */
  note: z.string().optional(),
  tasks: z.array(TaskSpec).max(MAX_PLAN_TASKS),
});
export type PlanView = z.infer<typeof PlanView>;

/** A call as lists show it: one try of a key. `open`: reserved, its outcome is not known yet. */
export const CallView = CallSettlement.omit({ body: true, files: true, outcome: true }).extend({
  taskId: TaskId,
  attempt: z.int(),
  kind: CallKind,
  name: z.string(),
  effect: ToolEffect,
  outcome: CallOutcome.or(z.literal('open')),
  maxCostMicros: Micros,
  /** The last later attempt that started with this call's record at hand, so that it need not make the call again. */
  keptFor: z.int().optional(),
});
export type CallView = z.infer<typeof CallView>;

export const RunPage = z.strictObject({ runs: z.array(RunSummary), nextCursor: z.string().optional() });
export type RunPage = z.infer<typeof RunPage>;

export const WaitingTask = z.strictObject({ runId: RunId, taskId: TaskId });
export type WaitingTask = z.infer<typeof WaitingTask>;

/** Queries to the monitor; those about runs see one tenant each. */
export const HistoryQuery = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('ListRuns'),
    tenant: TenantId,
    status: RunStatus.optional(),
    limit: z.int().min(1).max(200).default(50),
    cursor: z.string().max(200).optional(),
  }),
  z.strictObject({ type: z.literal('GetRun'), tenant: TenantId, runId: RunId }),
  z.strictObject({ type: z.literal('GetCalls'), tenant: TenantId, runId: RunId }),
  /** Open questions of one run, or of all the tenant's runs. */
  z.strictObject({ type: z.literal('GetQuestions'), tenant: TenantId, runId: RunId.optional() }),
  /** Tasks that wait for an event of this type, in the order of their runs and ids, from the one after `after` on. */
  z.strictObject({ type: z.literal('GetWaits'), tenant: TenantId, event: EventType, after: WaitingTask.optional() }),
  /** The tenant's cap, and what its runs have spent. */
  z.strictObject({ type: z.literal('GetTenantBudget'), tenant: TenantId }),
  /** The run's events after a position, at most `limit`. */
  z.strictObject({
    type: z.literal('GetEvents'),
    tenant: TenantId,
    runId: RunId,
    after: z.string().optional(),
    limit: z.int().min(1).max(1000).default(500),
  }),
  /** Up to which sequence a shard's log is archived; the log is not trimmed past it. */
  z.strictObject({ type: z.literal('GetPosition'), shard: z.int().min(0).max(99) }),
]);
export type HistoryQuery = z.infer<typeof HistoryQuery>;
export type HistoryQueryInput = z.input<typeof HistoryQuery>;

export const HistoryAnswer = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('Runs'), page: RunPage }),
  z.strictObject({ type: z.literal('Run'), run: RunView }),
  z.strictObject({ type: z.literal('Calls'), calls: z.array(CallView), more: z.boolean() }),
  z.strictObject({ type: z.literal('Questions'), questions: z.array(QuestionView) }),
  z.strictObject({ type: z.literal('Waits'), waits: z.array(WaitingTask), more: z.boolean() }),
  z.strictObject({ type: z.literal('Events'), events: z.array(FeedEvent), more: z.boolean() }),
  z.strictObject({ type: z.literal('TenantBudget'), budget: TenantBudgetView }),
  z.strictObject({ type: z.literal('Position'), seq: z.int().nonnegative() }),
  z.strictObject({ type: z.literal('NotFound') }),
  /** It is not in the history, but the log has more than the history: ask again. */
  z.strictObject({ type: z.literal('Behind') }),
  z.strictObject({ type: z.literal('Invalid'), message: z.string() }),
]);
export type HistoryAnswer = z.infer<typeof HistoryAnswer>;
