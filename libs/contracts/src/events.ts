/** Events: what happened in a run. Commits hold them; state is their fold. */
import { z } from 'zod';
import { ArtifactRef, Content, Failure, Json, Micros, Timestamp, Usage } from './values.js';
import { AgentName, RunId, TaskId, TenantId, WorkerId } from './ids.js';
import { Delegation, Params, PlanSource, RunOptions, TaskSpec } from './plan.js';
import { BidderFigures } from './bidder-figures.js';
import { AccountCommit } from './accounts.js';
import { Missing, TaskResult } from './results.js';
import { QueuedMs } from './under-load.js';
import { CallKey, CallKind, CallReservation, CallSettlement, SpendLimit, AnyToolName } from './calls.js';
import { Question, QuestionChoice, QuestionId } from './questions.js';

const task = { taskId: TaskId };
const attempt = { taskId: TaskId, attempt: z.int().min(1) };

export const RunStarted = z.strictObject({
  type: z.literal('RunStarted'),
  tenant: TenantId,
  goal: z.string(),
  inputs: z.array(ArtifactRef),
  options: RunOptions,
  fingerprint: z.string(),
  deadlineAt: Timestamp,
  traceparent: z.string().optional(),
  params: Params.optional(),
});
/**
 * Tasks join the run: the planning task at its start, the plan's tasks and the answer task once it is known, the tasks of a scope's items
 * as they open.
 */
export const TasksAdded = z.strictObject({
  type: z.literal('TasksAdded'),
  source: PlanSource.or(z.literal('engine')),
  tasks: z.array(TaskSpec).min(1),
  note: z.string().optional(),
  /**
   * Of a plan that comes in parts: which one this is, from 1, and whether more are to come. Nothing starts before the last one is there.
   */
  part: z.int().min(1).optional(),
  more: z.literal(true).optional(),
});
/** What the expressions of a task gave when it began; these go before its specification. */
export const TaskResolved = z.strictObject({
  type: z.literal('TaskResolved'),
  ...task,
  title: z.string().min(1).max(200).optional(),
  instructions: z.string().min(1).max(8000).optional(),
  input: Json.optional(),
  agents: z.array(AgentName).max(6).optional(),
});
/**
 * A scope or a wait has begun. `count`: how many items, or rounds at most, a scope will have. `wakeAt`: when its time is up. `delegated`: a
 * task whose agent has given work to others waits for it, as a scope with one item for each time that it has done so; the last of `count`
 * is the one that begins.
 */
export const TaskOpened = z.strictObject({
  type: z.literal('TaskOpened'),
  ...task,
  count: z.int().min(0).optional(),
  items: z.array(Json).optional(),
  wakeAt: Timestamp.optional(),
  delegated: z.strictObject({ key: CallKey, ...Delegation.shape }).optional(),
});
/** All tasks of an item (from 0) of a scope have ended. */
export const ItemEnded = z.strictObject({ type: z.literal('ItemEnded'), ...task, item: z.int().min(0), ok: z.boolean() });
/** An attempt is open and may be started from `notBefore` on. */
export const AttemptScheduled = z.strictObject({
  type: z.literal('AttemptScheduled'),
  ...attempt,
  notBefore: Timestamp,
  agent: AgentName.optional(),
  /**
   * Of a scope whose items an agent combines, at its first attempt: they have ended; `partial`: not all of them well, or the deadline has
   * cut them off.
   */
  joined: z.enum(['whole', 'partial']).optional(),
});
export const AttemptStarted = z.strictObject({
  type: z.literal('AttemptStarted'),
  ...attempt,
  agent: AgentName,
  workerId: WorkerId,
  deadlineAt: Timestamp,
  /** The task sets no limit of its own: the one that it got, before the run's deadline cut it off. */
  defaultLimitMs: z.int().min(1).optional(),
  /** What it may call. */
  tools: z.array(AnyToolName),
  agentCapMicros: Micros.optional(),
  /** Of the worker. */
  life: z.string().optional(),
  /** The worker goes on from this task, whose result is in the same commit. */
  after: TaskId.optional(),
  /**
   * The task asks for this agent, which was removed and has handed on to `agent`. With `queuedMs`: this agent was to do it, but had no free
   * slot.
   */
  insteadOf: AgentName.optional(),
  /** The task had been without a free slot so long: done by another agent, or with less, because of that. */
  queuedMs: QueuedMs.optional(),
  /** Of a bid. */
  figures: BidderFigures.optional(),
});
/** Granted: these calls may be made, and this much money is set aside for them. */
export const CallsReserved = z.strictObject({ type: z.literal('CallsReserved'), ...attempt, calls: z.array(CallReservation).min(1) });
export const CallsSettled = z.strictObject({ type: z.literal('CallsSettled'), ...attempt, calls: z.array(CallSettlement).min(1) });
/** A call did not fit under a cap. `then`: the task fails, goes on with `model`, or asks. Never granted later without an answer. */
export const CallRefused = z.strictObject({
  type: z.literal('CallRefused'),
  ...attempt,
  key: CallKey,
  kind: CallKind,
  name: z.string(),
  maxCostMicros: Micros,
  limit: SpendLimit,
  then: z.enum(['stop', 'degrade', 'ask']),
  model: z.string().optional(),
});
/** The attempt is closed without a result. `counted`: against the retry policy. */
export const AttemptFailed = z.strictObject({
  type: z.literal('AttemptFailed'),
  ...attempt,
  error: Failure,
  counted: z.boolean(),
  /**
   * `server`: the task waits for a model server that is in passing trouble, and the next attempt is scheduled for then. `time`: the default
   * limit was too short, and the next attempt may take longer.
   */
  cause: z.enum(['server', 'time']).optional(),
  /** The next attempt starts anew. */
  fresh: z.literal(true).optional(),
});
/** The task waits for a person. */
export const QuestionAsked = z.strictObject({ type: z.literal('QuestionAsked'), ...task, question: Question });
export const QuestionAnswered = z.strictObject({
  type: z.literal('QuestionAnswered'),
  ...task,
  questionId: QuestionId,
  choice: QuestionChoice,
  by: z.string(),
  note: z.string().optional(),
  /** How far the cap was raised. */
  raiseMicros: Micros.optional(),
});
/** `attempt` 0: the engine did it. */
export const TaskCompleted = z.strictObject({
  type: z.literal('TaskCompleted'),
  ...task,
  attempt: z.int().min(0),
  result: TaskResult,
});
export const TaskFailed = z.strictObject({ type: z.literal('TaskFailed'), ...task, error: Failure });
/** `condition`: it was not needed. `dependency`: it cannot start any more. `alternative`: the task it stands in for did not fail. */
export const TaskSkipped = z.strictObject({
  type: z.literal('TaskSkipped'),
  ...task,
  cause: z.enum(['condition', 'dependency', 'alternative']),
  reason: z.string(),
});
export const TaskCancelled = z.strictObject({ type: z.literal('TaskCancelled'), ...task });
/** No task starts and no call is granted any more; running attempts have until `graceUntil`. */
export const CancelRequested = z.strictObject({ type: z.literal('CancelRequested'), reason: z.string(), graceUntil: Timestamp });

const ended = { artifacts: z.array(ArtifactRef), usage: Usage };
/** `partial`: something of what was asked for was not done. `missing`: what. */
export const RunCompleted = z.strictObject({
  type: z.literal('RunCompleted'),
  answer: Content,
  partial: z.boolean(),
  missing: Missing.optional(),
  ...ended,
});
export const RunFailed = z.strictObject({ type: z.literal('RunFailed'), error: Failure, ...ended });
export const RunCancelled = z.strictObject({ type: z.literal('RunCancelled'), reason: z.string(), ...ended });

export const RunEvent = z.discriminatedUnion('type', [
  RunStarted,
  TasksAdded,
  TaskResolved,
  TaskOpened,
  ItemEnded,
  AttemptScheduled,
  AttemptStarted,
  CallsReserved,
  CallsSettled,
  CallRefused,
  AttemptFailed,
  QuestionAsked,
  QuestionAnswered,
  TaskCompleted,
  TaskFailed,
  TaskSkipped,
  TaskCancelled,
  CancelRequested,
  RunCompleted,
  RunFailed,
  RunCancelled,
]);
export type RunEvent = z.infer<typeof RunEvent>;
export type RunEventType = RunEvent['type'];

/** All events of one decision. `seq` counts the run's commits from 1; `cause` is the command's id. */
export const Commit = z.strictObject({
  runId: RunId,
  seq: z.int().min(1),
  at: Timestamp,
  cause: z.string(),
  events: z.array(RunEvent).min(1),
});
export type Commit = z.infer<typeof Commit>;

/** One log message: the commits of a tick, or a new owner's claim (no commits). */
export const Block = z.strictObject({
  v: z.literal(1),
  id: z.string().min(1).max(80),
  shard: z.int().min(0).max(99),
  owner: z.string().min(1).max(80),
  kind: z.enum(['claim', 'commits']),
  at: Timestamp,
  commits: z.array(Commit),
  /** Decisions about tenants' accounts; they come before the commits. Left out: none. */
  accounts: z.array(AccountCommit).min(1).optional(),
  /** Written so: in large commits, alike events are written as `PackedEvents`. */
  packed: z.literal(true).optional(),
});
export type Block = z.infer<typeof Block>;

/** Limits of a block: commits per block, bytes of its JSON, blocks on their way at once. */
export const BLOCK_LIMITS = { commits: 256, bytes: 512 * 1024, inFlight: 2 } as const;
