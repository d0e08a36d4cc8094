/** Commands: what may be asked of the owner of a shard. */
import { z } from 'zod';
import { ArtifactRef, Failure, Json, Micros, Traceparent } from './values.js';
import { BidderFigures } from './bidder-figures.js';
import { CallKey, CallReservation, CallSettlement, AnyToolName, MOST_TOOLS } from './calls.js';
import { QuestionChoice, QuestionId } from './questions.js';
import { AccountCommand } from './accounts.js';
import { AgentName, RunId, TaskId, TenantId, WorkerId, shardOf } from './ids.js';
import { Delegation, Goal, MAX_PLAN_TASKS, Params, Plan, RunOptions, TaskSpec } from './plan.js';
import { TaskResult } from './results.js';
import { QueuedMs } from './under-load.js';
import { EventType } from './scopes.js';

const command = { id: z.string().min(1).max(80), runId: RunId, traceparent: Traceparent.optional() };
const attempt = { taskId: TaskId, attempt: z.int().min(1) };
const held = { ...attempt, workerId: WorkerId };

export const StartRun = z.strictObject({
  type: z.literal('StartRun'),
  ...command,
  tenant: TenantId,
  goal: Goal,
  inputs: z.array(ArtifactRef).max(50),
  options: RunOptions,
  plan: Plan.optional(),
  params: Params.optional(),
  /** `plan` is the first part of a plan that is too large for one message; the others follow with `AddTasks`. */
  morePlan: z.literal(true).optional(),
  /** Digest of the request: the same run id with another digest is a conflict, with the same one a repetition. */
  fingerprint: z.string().min(1).max(80),
});
export type StartRun = z.infer<typeof StartRun>;

/**
 * A further part of a submitted plan; parts come in order, from 2. The plan is checked as a whole with the last one, and only then begins.
 */
export const AddTasks = z.strictObject({
  type: z.literal('AddTasks'),
  ...command,
  tenant: TenantId,
  part: z.int().min(2).max(10_000),
  tasks: z.array(TaskSpec).min(1).max(MAX_PLAN_TASKS),
  last: z.boolean(),
});
export type AddTasks = z.infer<typeof AddTasks>;

export const CancelRun = z.strictObject({ type: z.literal('CancelRun'), ...command, tenant: TenantId, reason: z.string().max(1000) });
export type CancelRun = z.infer<typeof CancelRun>;

/** Who at a worker does an attempt, and what it may do. */
const grant = {
  agent: AgentName,
  /** The agent's grant, one more than a definition may name for its memory; what the task allows of it may be called. */
  tools: z
    .array(AnyToolName)
    .max(MOST_TOOLS + 1)
    .default([]),
  /** The agent's own cap within one run. */
  agentCapMicros: Micros.optional(),
  /** Which life of the worker starts it: the epoch of its heartbeats. Another life cannot go on with the attempt. */
  life: z
    .string()
    .regex(/^[A-Za-z0-9]{1,40}$/)
    .optional(),
  /** How long the worker lets one call of its model take: attempts without a limit of their own may take longer then. */
  modelTimeoutMs: z.int().min(1).max(3_600_000).optional(),
};

/**
 * A worker binds an attempt to itself. Accepted once; answered with the `Assignment`. `insteadOf`: who was to do it, see `Offer`.
 */
export const StartAttempt = z.strictObject({
  type: z.literal('StartAttempt'),
  ...command,
  ...held,
  ...grant,
  insteadOf: AgentName.optional(),
  /** Of the offer. */
  queuedMs: QueuedMs.optional(),
  figures: BidderFigures.optional(),
});
export type StartAttempt = z.infer<typeof StartAttempt>;

/** Settles calls that ended and reserves the next ones, in one commit. Answered with `CallGrants`. */
export const RecordCalls = z.strictObject({
  type: z.literal('RecordCalls'),
  ...command,
  ...held,
  settle: z.array(CallSettlement).max(100).default([]),
  reserve: z.array(CallReservation).max(100).default([]),
});
export type RecordCalls = z.infer<typeof RecordCalls>;

/** The last calls of an attempt are settled with its end. */
const settle = { settle: z.array(CallSettlement).max(100).default([]) };

/** The worker would go on at once, with the same agent, with tasks of the run that its result makes ready: at most so many. */
export const Continuation = z.strictObject({ ...grant, slots: z.int().min(1).max(100) });
export type Continuation = z.infer<typeof Continuation>;

/** Answered with a `CompletionReply` when the worker goes on with another task. */
export const CompleteAttempt = z.strictObject({
  type: z.literal('CompleteAttempt'),
  ...command,
  ...held,
  ...settle,
  result: TaskResult,
  next: Continuation.optional(),
});
export type CompleteAttempt = z.infer<typeof CompleteAttempt>;

/**
 * `fresh`: the content is at fault, so the next attempt starts anew instead of resuming from the recorded calls. `cause`: `server`, the
 * model server is in trouble that passes by itself (it limits, loads, or cannot be reached); `time`, the default limit of the attempt was
 * too short.
 */
export const FailAttempt = z.strictObject({
  type: z.literal('FailAttempt'),
  ...command,
  ...held,
  ...settle,
  error: Failure,
  fresh: z.boolean().default(false),
  cause: z.enum(['server', 'time']).optional(),
});
export type FailAttempt = z.infer<typeof FailAttempt>;

/** A worker that stops hands its attempt back; it does not count against the retry policy. */
export const ReleaseAttempt = z.strictObject({ type: z.literal('ReleaseAttempt'), ...command, ...held, ...settle });
export type ReleaseAttempt = z.infer<typeof ReleaseAttempt>;

/**
 * An attempt gives work to other agents and ends with that; its slot is free. When the work has ended, the next attempt of the task finds
 * what came of it as the answer of the call `key`, which must be the attempt's only open one.
 */
export const DelegateWork = z.strictObject({
  type: z.literal('DelegateWork'),
  ...command,
  ...held,
  ...settle,
  key: CallKey,
  ...Delegation.shape,
});
export type DelegateWork = z.infer<typeof DelegateWork>;

/** The scheduler no longer hears of the worker that holds the attempt. */
export const LoseAttempt = z.strictObject({ type: z.literal('LoseAttempt'), ...command, ...held, reason: z.string().max(300) });
export type LoseAttempt = z.infer<typeof LoseAttempt>;

/** An attempt's time is up. Refused while it is not. */
export const ExpireAttempt = z.strictObject({ type: z.literal('ExpireAttempt'), ...command, ...attempt });
export type ExpireAttempt = z.infer<typeof ExpireAttempt>;

/** A person's answer to an open question of the run. */
export const AnswerQuestion = z.strictObject({
  type: z.literal('AnswerQuestion'),
  ...command,
  tenant: TenantId,
  questionId: QuestionId,
  choice: QuestionChoice,
  /** Who answers, for the record. */
  by: z.string().min(1).max(200),
  note: z.string().max(1000).optional(),
  /** With `approve`: how far the cap is raised. */
  raiseMicros: Micros.optional(),
  /** With `done`: what the call answered. */
  result: Json.optional(),
});
export type AnswerQuestion = z.infer<typeof AnswerQuestion>;

/** A question's time is up. Refused while it is not. */
export const ExpireQuestion = z.strictObject({ type: z.literal('ExpireQuestion'), ...command, questionId: QuestionId });
export type ExpireQuestion = z.infer<typeof ExpireQuestion>;

/** An event from outside, as a waiting task sees it. */
export const OutsideEvent = z.strictObject({
  id: z.string().min(1).max(200),
  type: EventType,
  source: z.string().min(1).max(500),
  data: Json.optional(),
});
export type OutsideEvent = z.infer<typeof OutsideEvent>;

/** A task that the engine does itself moves on: its time is up (refused while it is not), or the event that it waits for has come. */
export const WakeTask = z.strictObject({ type: z.literal('WakeTask'), ...command, taskId: TaskId, event: OutsideEvent.optional() });
export type WakeTask = z.infer<typeof WakeTask>;

/** A run's deadline, or its grace time after a cancel, has passed. Refused while it has not. */
export const ExpireRun = z.strictObject({ type: z.literal('ExpireRun'), ...command });
export type ExpireRun = z.infer<typeof ExpireRun>;

export const Command = z.discriminatedUnion('type', [
  StartRun,
  AddTasks,
  CancelRun,
  StartAttempt,
  RecordCalls,
  CompleteAttempt,
  FailAttempt,
  ReleaseAttempt,
  DelegateWork,
  LoseAttempt,
  ExpireAttempt,
  AnswerQuestion,
  ExpireQuestion,
  WakeTask,
  ExpireRun,
]);
export type Command = z.infer<typeof Command>;

/** All that the owner of a shard takes: commands about runs and about accounts. */
export const ShardCommand = z.union([Command, AccountCommand]);
export type ShardCommand = z.infer<typeof ShardCommand>;

/** Where a command belongs, 0 to 99. */
export function shardOfCommand(command: ShardCommand): number {
  return 'runId' in command ? shardOf(command.runId) : command.shard;
}

/** Why a command was refused. */
export const REJECTIONS = [
  'unknown-run', // no such run in this shard
  'unknown-task',
  'run-ended', // the run is terminal
  'run-conflict', // the run id is taken by another request
  'attempt-closed', // the attempt named is not the open one
  'attempt-taken', // another worker holds the attempt
  'unknown-question', // no such open question, or it does not allow the choice
  'not-granted', // the tool is not in the attempt's grant
  'budget-exceeded', // the tenant's account does not hold as much
  'not-awaited', // the task does not wait for this event
  'not-yet', // a deadline or delay has not passed
  'invalid-plan',
  'invalid-command',
  'forbidden', // another tenant's run
] as const;
export const Rejection = z.enum(REJECTIONS);
export type Rejection = z.infer<typeof Rejection>;

/** `accepted` and `duplicate` are sent only after what they say is stored. `unavailable`: not the owner; ask again. */
export const CommandReply = z.discriminatedUnion('outcome', [
  z.strictObject({ id: z.string(), outcome: z.literal('accepted'), result: Json.optional() }),
  z.strictObject({ id: z.string(), outcome: z.literal('duplicate'), result: Json.optional() }),
  z.strictObject({ id: z.string(), outcome: z.literal('rejected'), code: Rejection, message: z.string() }),
  z.strictObject({ id: z.string(), outcome: z.literal('unavailable'), message: z.string() }),
]);
export type CommandReply = z.infer<typeof CommandReply>;

/** The owner validates each command by itself, so that one bad command does not refuse its neighbours. */
export const CommandBatch = z.strictObject({ commands: z.array(z.unknown()).min(1).max(1000) });
export const ReplyBatch = z.strictObject({ replies: z.array(CommandReply) });
export type ReplyBatch = z.infer<typeof ReplyBatch>;
