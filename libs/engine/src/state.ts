/** State of runs: plain JSON, the fold of their commits. Snapshots hold it as it is. */
import type {
  AgentName,
  ArtifactRef,
  Content,
  Failure,
  PlanSource,
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

export interface TaskState {
  spec: TaskSpec;
  kind: 'plan' | 'work' | 'answer';
  status: TaskStatus;
  /** Number of the open or last attempt; 0 before the first. */
  attempt: number;
  /** Attempts that count against the retry policy so far. */
  counted: number;
  /** The open attempt may not start earlier. */
  notBefore: number;
  /** When the open attempt was scheduled; ageing counts from here. */
  scheduledAt?: number;
  /** The agent that the open attempt is reserved for, if any. */
  wantedAgent?: AgentName;
  /** Who works, or last worked, on it. */
  agent?: AgentName;
  workerId?: WorkerId;
  startedAt?: number;
  /** When the running attempt's time is up. */
  deadlineAt?: number;
  endedAt?: number;
  result?: TaskResult;
  error?: Failure;
  /** Why it was skipped. */
  skipped?: { cause: 'condition' | 'dependency' | 'alternative'; reason: string };
  /** Of all attempts: what closed ones used and what the open one has recorded so far. */
  usage: Usage;
  /** Calls recorded by the open attempt: all numbers up to `upTo` and those in `beyond` (messages may overtake each other). */
  recorded?: { upTo: number; beyond: number[]; usage: Usage };
  /** The attempt closed last without a result, by whom and why (the failure's code): recognises repeated commands. */
  lastClosed?: { attempt: number; workerId?: WorkerId; code: string };
  /** Tasks that name this one in `dependsOn`; kept so that a decision need not search. */
  dependents?: TaskId[];
  /** Tasks that name this one in `alternativeTo`. */
  alternatives?: TaskId[];
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
  planSource?: PlanSource;
  planNote?: string;
  /** In plan order. */
  tasks: Record<string, TaskState>;
  answer?: Content;
  partial?: boolean;
  error?: Failure;
  cancelReason?: string;
  artifacts: ArtifactRef[];
  usage: Usage;
}

/** What remains of a run after it ended, for the retention time, so that a repeated start does not run twice. */
export interface EndedRun {
  fingerprint: string;
  tenant: TenantId;
  status: RunStatus;
  endedAt: number;
}

export interface ShardState {
  open: Record<string, RunState>;
  ended: Record<string, EndedRun>;
}
