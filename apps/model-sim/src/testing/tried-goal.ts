/** For specs: a goal, and what has to become of it without a language model. */
export interface TriedGoal {
  goal: string;
  /** Names of input files. Left out: none. */
  files?: string[];
  /** What is named as not done. Empty: all of it is done. */
  missing: RegExp[];
  /** What must not be named: it is done. */
  done?: RegExp[];
}
