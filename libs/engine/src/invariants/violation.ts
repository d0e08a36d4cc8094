/** A broken invariant. `invariant` is its number in the design; `clause` names the rule that was broken. */
export interface Violation {
  invariant: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12;
  clause: string;
  message: string;
  runId?: string;
  taskId?: string;
  /** Sequence of the block in the shard's stream. */
  blockSeq?: number;
}

/** Takes note of a violation. */
export type Report = (violation: Violation) => void;

/** Takes note of what is wrong in a run that the listener knows. */
export type Complain = (invariant: Violation['invariant'], clause: string, message: string, taskId?: string) => void;
