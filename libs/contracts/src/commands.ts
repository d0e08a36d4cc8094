/** Commands: what may be asked of the owner of a shard. */
import { z } from 'zod';
import { ArtifactRef, Failure, Json, Traceparent, Usage } from './values.js';
import { AgentName, RunId, TaskId, TenantId, WorkerId } from './ids.js';
import { Goal, Plan, RunOptions } from './plan.js';
import { CallRecord, TaskResult } from './results.js';

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
  /** Digest of the request: the same run id with another digest is a conflict, with the same one a repetition. */
  fingerprint: z.string().min(1).max(80),
});
export type StartRun = z.infer<typeof StartRun>;

export const CancelRun = z.strictObject({ type: z.literal('CancelRun'), ...command, tenant: TenantId, reason: z.string().max(1000) });
export type CancelRun = z.infer<typeof CancelRun>;

/** A worker binds an attempt to itself. Accepted once; answered with the `Assignment`. */
export const StartAttempt = z.strictObject({ type: z.literal('StartAttempt'), ...command, ...held, agent: AgentName });
export type StartAttempt = z.infer<typeof StartAttempt>;

export const RecordCalls = z.strictObject({
  type: z.literal('RecordCalls'),
  ...command,
  ...held,
  calls: z.array(CallRecord).min(1).max(100),
});
export type RecordCalls = z.infer<typeof RecordCalls>;

export const CompleteAttempt = z.strictObject({ type: z.literal('CompleteAttempt'), ...command, ...held, result: TaskResult });
export type CompleteAttempt = z.infer<typeof CompleteAttempt>;

export const FailAttempt = z.strictObject({ type: z.literal('FailAttempt'), ...command, ...held, error: Failure, usage: Usage });
export type FailAttempt = z.infer<typeof FailAttempt>;

/** A worker that stops hands its attempt back; it does not count against the retry policy. */
export const ReleaseAttempt = z.strictObject({ type: z.literal('ReleaseAttempt'), ...command, ...held, usage: Usage });
export type ReleaseAttempt = z.infer<typeof ReleaseAttempt>;

/** The scheduler no longer hears of the worker that holds the attempt. */
export const LoseAttempt = z.strictObject({ type: z.literal('LoseAttempt'), ...command, ...held, reason: z.string().max(300) });
export type LoseAttempt = z.infer<typeof LoseAttempt>;

/** An attempt's time is up. Refused while it is not. */
export const ExpireAttempt = z.strictObject({ type: z.literal('ExpireAttempt'), ...command, ...attempt });
export type ExpireAttempt = z.infer<typeof ExpireAttempt>;

/** A run's deadline has passed. Refused while it has not. */
export const ExpireRun = z.strictObject({ type: z.literal('ExpireRun'), ...command });
export type ExpireRun = z.infer<typeof ExpireRun>;

export const Command = z.discriminatedUnion('type', [
  StartRun,
  CancelRun,
  StartAttempt,
  RecordCalls,
  CompleteAttempt,
  FailAttempt,
  ReleaseAttempt,
  LoseAttempt,
  ExpireAttempt,
  ExpireRun,
]);
export type Command = z.infer<typeof Command>;

/** Why a command was refused. */
export const REJECTIONS = [
  'unknown-run', // no such run in this shard
  'unknown-task',
  'run-ended', // the run is terminal
  'run-conflict', // the run id is taken by another request
  'attempt-closed', // the attempt named is not the open one
  'attempt-taken', // another worker holds the attempt
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
