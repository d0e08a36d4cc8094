import type { Block, Json, RunView } from '@cadre/contracts';

/** A broken invariant. `invariant` is its number in the design; `clause` names the rule. */
export interface Violation {
  invariant: 1 | 2 | 3 | 4 | 5 | 7 | 9 | 11;
  clause: string;
  message: string;
  runId?: string;
  taskId?: string;
  /** Sequence of the block in the shard's stream. */
  blockSeq?: number;
}

/** What to check: a shard's blocks, and whatever other evidence there is. */
export interface InvariantEvidence {
  /** From the first block on, in order. */
  blocks: readonly { seq: number; block: Block }[];
  /** Stored snapshots: shard states and the sequence they stand for. */
  snapshots?: readonly { seq: number; state: Json }[];
  /** Run views of the read model, once it has caught up. */
  views?: readonly RunView[];
  /** Runs whose start was answered `accepted` or `duplicate`. */
  submissions?: readonly { runId: string; fingerprint?: string }[];
  /** Ids of commands (commit causes) that were answered `accepted`. */
  acceptedCommands?: readonly { runId: string; commandId: string }[];
  /** Sums of the owners' counters. */
  commands?: { received: number; accepted: number; duplicate: number; rejected: number; deadLettered: number };
  /** The system is quiet: each accepted run must have ended. */
  finished?: boolean;
  /** Time of the check, milliseconds since 1970; with it, runs past their deadline plus `graceMs` (default 5000) are reported. */
  now?: number;
  graceMs?: number;
}

export function checkInvariants(_evidence: InvariantEvidence): Violation[] {
  throw new Error('to come');
}
