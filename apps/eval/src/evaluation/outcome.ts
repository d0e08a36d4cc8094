/** What an evaluated run has come to, as its checks see it. */

export interface ToolResult {
  name: string;
  /** JSON as the model was given it. */
  result: string;
}

export interface Outcome {
  runId: string;
  goal: string;
  status: string;
  error?: string;
  /** The run's answer. */
  answer: string;
  /** Skills and instructions of the tasks that were planned, in order. */
  plan: { title: string; skills: string[]; instructions: string }[];
  /** Text of each artifact by name. */
  files: Record<string, string>;
  inputs: Record<string, string>;
  tools: ToolResult[];
  costMicros: number;
  ms: number;
}

/** @returns why the outcome is wrong; undefined if it is right */
export type Check = (outcome: Outcome) => string | undefined;
