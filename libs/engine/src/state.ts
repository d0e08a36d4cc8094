/** State of runs: plain JSON, the fold of their commits. Snapshots hold it as it is. */
import type { Account } from './account/account-state.js';
import type {
  AgentName,
  BidderFigures,
  ArtifactRef,
  CallBody,
  CallKey,
  CallKind,
  Content,
  Failure,
  Json,
  Params,
  PlanSource,
  Question,
  QuestionChoice,
  QuestionId,
  RunId,
  RunOptions,
  RunStatus,
  TaskId,
  TaskResult,
  TaskSpec,
  TaskStatus,
  TenantId,
  Usage,
  WorkerId,
} from '@cadre/contracts';

/** Money under one cap, in millionths of a US dollar. */
export interface Spent {
  /** What ended calls cost, beyond their reservations too. */
  settledMicros: number;
  /** Set aside for calls whose outcome is not known yet. */
  reservedMicros: number;
  /** How far people have raised the cap. */
  raisedMicros?: number;
}

export const NOTHING_SPENT: Spent = { settledMicros: 0, reservedMicros: 0 };

/** The last try of a call. `open`: reserved, its outcome is not known yet. */
export interface CallState {
  try: number;
  kind: CallKind;
  name: string;
  /** Left out: none. */
  effect?: 'idempotent' | 'once';
  status: 'open' | 'done' | 'failed' | 'unknown';
  /** What is set aside for it while it is open. */
  maxCostMicros: number;
  /** The price of its model is not known. */
  unpriced?: true;
  /** What it answered, once done. */
  ok?: boolean;
  body?: CallBody;
  files?: ArtifactRef[];
}

export interface QuestionState extends Question {
  askedAt: number;
  /** Left out: it is open. A question whose task has ended without an answer is not kept. */
  answer?: { choice: QuestionChoice; by: string; at: number };
}

/** A scope at work, or ended: which of its items have come to what. */
export interface ScopeState {
  /** Items, or rounds at most. */
  count: number;
  /** What the items are about. */
  items?: Json[];
  /** How many have been opened, in order. */
  opened: number;
  succeeded: number;
  /** Those that failed, in the order in which they did. */
  failed: number[];
  /** By item that is being worked on: how many of its tasks have not ended. */
  working: Record<number, number>;
  /** An agent combines what is not the whole of it. */
  partial?: true;
}

/** A task whose agent has given work to others waits for it; see `delegations.ts`. */
export interface Delegating {
  /** The call that is answered with what comes of it. */
  key: CallKey;
  handOff?: true;
}

/**
 * What a task no longer has may be undefined instead of missing: a copy without a field is slow, and the snapshot's JSON does not show it.
 */
export interface TaskState {
  spec: TaskSpec;
  kind: 'plan' | 'work' | 'answer';
  status: TaskStatus;
  /** Place in the plan, from 0. */
  order: number;
  /** Number of the open or last attempt; 0 before the first. */
  attempt: number;
  /** Counts fresh starts, from 1: attempts of one round resume from the calls recorded before them. */
  round: number;
  /** Why the round before this one failed. */
  roundError?: string;
  /** This round has calls that the next attempt resumes from. */
  resumable?: true | undefined;
  /** Attempts that count against the retry policy so far. */
  counted: number;
  /** Its model server is in trouble: since when, and how many attempts in a row have found it so. */
  serverWait?: { since: number; attempts: number } | undefined;
  /** The open attempt may not start earlier. */
  notBefore: number;
  /** When the open attempt was scheduled; ageing counts from here. */
  scheduledAt?: number;
  /** The agent that the open attempt is reserved for, if any. */
  wantedAgent?: AgentName | undefined;
  /** Who works, or last worked, on it. */
  agent?: AgentName;
  workerId?: WorkerId | undefined;
  /** Who was to do it, when another agent works, or last worked, on it; and how long it had been without a free slot, if that is why. */
  insteadOf?: AgentName | undefined;
  queuedMs?: number | undefined;
  startedAt?: number | undefined;
  /** When the running attempt's time is up. */
  deadlineAt?: number | undefined;
  /** The limit of the last attempt, where the task sets none of its own; whether that has ended it. */
  defaultLimitMs?: number | undefined;
  timedOut?: true | undefined;
  endedAt?: number;
  result?: TaskResult;
  error?: Failure | undefined;
  /** Why it was skipped. */
  skipped?: { cause: 'condition' | 'dependency' | 'alternative'; reason: string };
  /** What the running attempt may call, and its agent's own cap. */
  tools?: string[] | undefined;
  agentCapMicros?: number | undefined;
  /** Which life of the worker runs it. */
  life?: string | undefined;
  /** The task from whose result its worker went on with the running attempt. */
  after?: TaskId | undefined;
  /** Of a bid: what the system knew of whoever makes it. */
  figures?: BidderFigures | undefined;
  /** Sum over the settled calls of all attempts. */
  usage: Usage;
  spent: Spent;
  /** Calls of the running attempt that are reserved and not settled. */
  openCalls?: CallKey[] | undefined;
  /** Calls that must happen once and of which nobody knows whether they have. */
  unknownEffects?: CallKey[] | undefined;
  /** Questions that it waits for. */
  openQuestions?: QuestionId[] | undefined;
  /** The cheaper model that its budget has brought it to. */
  degradedTo?: string;
  /** A person has allowed it to call models without a known price. */
  unpricedAllowed?: true;
  /** The attempt closed last without a result, by whom and why: recognises repeated commands. */
  lastClosed?: { attempt: number; workerId?: WorkerId; code: string; message: string };
  /** Also of a task that waits for what its agent has given to others. */
  scope?: ScopeState | undefined;
  delegating?: Delegating | undefined;
  /** How often its agent has given work to others, and the tasks that this made. */
  delegated?: { count: number; tasks: TaskId[] };
  /** When the time of an open scope or wait is up. */
  wakeAt?: number | undefined;
  /** Tasks that name this one in `dependsOn`; kept so that a decision need not search. */
  dependents?: TaskId[];
  /** Tasks that name this one in `alternativeTo`. */
  alternatives?: TaskId[];
}

/** Whether a task has not ended. */
export function isOpen({ status }: TaskState): boolean {
  return status === 'waiting' || status === 'ready' || status === 'running' || status === 'asking' || status === 'open';
}

export interface RunState {
  runId: RunId;
  tenant: TenantId;
  goal: string;
  inputs: ArtifactRef[];
  options: RunOptions;
  fingerprint: string;
  status: RunStatus;
  /** Number of the last commit folded. */
  seq: number;
  createdAt: number;
  deadlineAt: number;
  endedAt?: number;
  traceparent?: string;
  params?: Params;
  planSource?: PlanSource;
  planNote?: string;
  /** Of a plan that comes in parts: how many have come, and whether more are to come. */
  planParts?: number;
  morePlan?: true;
  /** In plan order. */
  tasks: Record<string, TaskState>;
  taskCount: number;
  /** Bytes of their ids. */
  idBytes?: number;
  /** How many tasks have not ended. */
  openTasks: number;
  /** By task: how many of its dependencies have not ended. None: no entry. The answer task, which waits for all, is not listed. */
  waits: Record<string, number>;
  /** By task and key: the calls of tasks that have not ended; of earlier rounds only those with an effect. */
  calls: Record<string, Record<CallKey, CallState>>;
  answer?: Content;
  partial?: boolean;
  missing?: string[];
  error?: Failure;
  cancelReason?: string;
  artifacts: ArtifactRef[];
  usage: Usage;
  spent: Spent;
  /** By agent. */
  agentsSpent: Record<string, Spent>;
  /** All questions that are open or were answered. */
  questions: Record<QuestionId, QuestionState>;
  /** How many questions were asked; their ids count on from it. */
  asked: number;
}

/** What remains of a run after it ended, for the retention time, so that a repeated start does not run twice. */
export interface EndedRun {
  fingerprint: string;
  tenant: TenantId;
  status: RunStatus;
  endedAt: number;
  /** How its questions were answered. */
  answers?: Record<QuestionId, QuestionChoice>;
}

export interface ShardState {
  open: Record<string, RunState>;
  ended: Record<string, EndedRun>;
  /** By tenant. */
  accounts: Record<TenantId, Account>;
}
