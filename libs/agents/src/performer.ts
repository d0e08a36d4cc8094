/** Who does the work of an attempt: the agent loop with a model, or code. */
import type {
  AgentDefinition,
  AgentSummary,
  ArtifactRef,
  Assignment,
  Plan,
  ReducedThinking,
  ResultMark,
  TaskContext,
  ThinkingTrace,
} from '@cadre/contracts';
import type { CallDesk } from './call-desk.js';

export interface Work {
  assignment: Assignment;
  agent: AgentDefinition;
  /** Where calls are made. What is not made here is made again by the next attempt. */
  calls: CallDesk;
  /** Aborts when the attempt ends early: cancelled, out of time, handed back, closed by others. A `CadreError` is its reason. */
  signal: AbortSignal;
  /** For planning: the agents at hand. */
  catalogue?: AgentSummary[];
  /** The span of the attempt. */
  traceparent?: string;
  /** Runs when the attempt has ended, whatever its outcome; what was given last runs first. */
  onClose(close: () => void | Promise<void>): void;
}

export interface Performance {
  answer: string;
  /** From 0 to 1; left out: not known. */
  confidence?: number | undefined;
  /** What is out of the ordinary with the answer. */
  mark?: ResultMark | undefined;
  /** What the task asked for and the answer has not. */
  missing?: string[];
  /** Default: none. */
  artifacts?: ArtifactRef[];
  /** What it has read and written of the context store, if anything. */
  context?: TaskContext;
  /** Of the planning task. */
  plan?: { plan: Plan; note?: string };
  /** What the agent thought; kept only if the run collects it. */
  thinking?: ThinkingTrace;
  /** The model that the work went on with when the budget did not allow the wanted one, or its server had no room. */
  degradedTo?: string;
  /** How much less was thought, because the server had no room. */
  reducedTo?: ReducedThinking;
}

/** Does the work. A `CadreError` that it rejects with becomes the attempt's failure. */
export type Performer = (work: Work) => Promise<Performance>;
