/** What attempts produce. */
import { z } from 'zod';
import { ArtifactRef, Content, Json, Timestamp, WorkspacePath } from './values.js';
import { AnyToolName } from './calls.js';
import { TaskContext } from './context.js';
import { AgentName, RunId, TaskId, TenantId } from './ids.js';
import { Cache, Plan, PlanSource, Specialist } from './plan.js';
import { ResultSchema } from './result-schema.js';
import { UnknownConfidence } from './scopes.js';
import { TaskThinking } from './thinking.js';
import { NeverUnderLoad, QueuedMs, ReducedThinking } from './under-load.js';

/** The task whose result an earlier one is. */
export const ResultOrigin = z.strictObject({ runId: RunId, taskId: TaskId });
export type ResultOrigin = z.infer<typeof ResultOrigin>;

/** What was asked for and is in no output, in short phrases. */
export const Missing = z.array(z.string().min(1).max(300)).min(1).max(50);
export type Missing = z.infer<typeof Missing>;

/**
 * What is out of the ordinary with a result. `unstructured`: the agent did not keep to the form it was asked for, and its words are the
 * answer. `without-tools`: it says itself that it is not sure, and none of the tools that its results rest on has brought anything.
 */
export const ResultMark = z.enum(['unstructured', 'without-tools', 'limit-reached']);
export type ResultMark = z.infer<typeof ResultMark>;

export const TaskResult = z.strictObject({
  answer: Content,
  /** Left out: its agent gave none. That is neither sure nor unsure. */
  confidence: z.number().min(0).max(1).optional(),
  mark: ResultMark.optional(),
  artifacts: z.array(ArtifactRef).max(200),
  /** The model that the task went on with when its budget did not allow the wanted one, or the server had no room for it. */
  degradedTo: z.string().max(200).optional(),
  /** How much less its agent has thought, because the server had no room, or the task had waited too long for a slot. */
  reducedTo: ReducedThinking.optional(),
  /**
   * The agent that was to do it: another one has, since this one was removed or, with `queuedMs`, had no free slot. The owner of the run
   * says it.
   */
  insteadOf: AgentName.optional(),
  /**
   * How long it had been without a free slot, where it was done by another agent or with less because of that. The owner of the run says
   * it.
   */
  queuedMs: QueuedMs.optional(),
  /** Of a scope: some of its items failed, or its deadline has cut it off. */
  partial: z.literal(true).optional(),
  /** What the task asked for and its result has not. Of the answer: what the goal asked for and no output has. */
  missing: Missing.optional(),
  /** What it has read and written of the context store, if anything. */
  context: TaskContext.optional(),
  /** Nobody worked for it: it is the result of this earlier task. */
  cachedFrom: ResultOrigin.optional(),
  /** A `ThinkingTrace` as JSON; only when the run collects them. Later tasks never see it. */
  thinking: Content.optional(),
  /** Set by the planning task only; the log has it as `TasksAdded`. */
  plan: z.strictObject({ plan: Plan, source: PlanSource, note: z.string().max(2000).optional() }).optional(),
});
export type TaskResult = z.infer<typeof TaskResult>;

/** A result that stands for later ones, as it is kept until its time is over. */
export const KeptResult = z.strictObject({
  result: TaskResult.pick({ answer: true, confidence: true, artifacts: true }),
  from: ResultOrigin,
  keptAt: Timestamp,
  /** Afterwards it does not count. */
  until: Timestamp,
});
export type KeptResult = z.infer<typeof KeptResult>;

/** How one task ended, as later tasks see it. */
export const TaskOutcome = z.strictObject({
  taskId: TaskId,
  title: z.string(),
  agent: AgentName.optional(),
  status: z.enum(['completed', 'failed', 'skipped', 'cancelled']),
  answer: Content.optional(),
  confidence: z.number().optional(),
  mark: ResultMark.optional(),
  artifacts: z.array(ArtifactRef),
  error: z.string().optional(),
  missing: Missing.optional(),
});
export type TaskOutcome = z.infer<typeof TaskOutcome>;

/** What an answer accounts for: what it does not show as done is missing from the run. */
export const AnswerAccount = z.strictObject({
  /** Of the goal, in its own words. */
  parts: z.array(z.string()).max(50),
  /** Work that failed, or could not start because of a failure, and that nothing stands in for. */
  undone: z.array(z.string()).max(50),
});
export type AnswerAccount = z.infer<typeof AnswerAccount>;

/** All that a worker needs to work on an attempt: the answer to `StartAttempt`. */
export const Assignment = z.strictObject({
  runId: RunId,
  tenant: TenantId,
  taskId: TaskId,
  attempt: z.int().min(1),
  kind: z.enum(['plan', 'work', 'answer']),
  goal: z.string(),
  title: z.string(),
  instructions: z.string(),
  input: Json.optional(),
  inputs: z.array(ArtifactRef),
  /**
   * For work: the dependencies, direct and indirect (of long chains the nearest). For the answer: every task of the plan. In plan order;
   * shortened if too long.
   */
  results: z.array(TaskOutcome),
  /** Counts fresh starts, from 1: attempts of one round resume from the calls recorded before them. */
  /** For the answer of a run that Cadre has planned: what it has to account for. */
  account: AnswerAccount.optional(),
  round: z.int().min(1),
  /** What may be called. */
  tools: z.array(AnyToolName),
  /** Why the round before this one failed. */
  previousError: z.string().optional(),
  /** The run's wish; goes before the agent's own. */
  model: z.string().optional(),
  /** What is left of the budget brought the task to this model: what is not on record yet is asked of it. */
  degradedTo: z.string().max(200).optional(),
  /** It has been without a free slot so long: what the agent's definition gives up for that is given up from the start. */
  queuedMs: QueuedMs.optional(),
  /** Nothing is given up, however long its calls wait. */
  underLoad: NeverUnderLoad.optional(),
  /** The run's wish: what the agent thinks is kept beside its result. */
  collectThinking: z.literal(true).optional(),
  deadlineAt: Timestamp,
  /** The task sets no limit of its own: the one that it got. Less is left when the run's deadline comes first. */
  defaultLimitMs: z.int().min(1).optional(),
  /** So many attempts in a row have found the model server in trouble: whether it is back is asked once, without quick tries. */
  waited: z.int().min(1).optional(),
  traceparent: z.string().optional(),
  /**
   * An earlier result may stand for this one, and this one for later ones. `minConfidence`: a result that is less sure counts for neither.
   */
  cache: Cache.extend({ minConfidence: z.number().min(0).max(1).optional(), unknownConfidence: UnknownConfidence.optional() }).optional(),
  /** What the answer has to be. */
  resultSchema: ResultSchema.optional(),
  thinking: TaskThinking.optional(),
  peers: z.array(AgentName).max(20).optional(),
  shares: z.array(WorkspacePath).min(1).max(50).optional(),
  specialist: Specialist.optional(),
});
export type Assignment = z.infer<typeof Assignment>;

/** What a worker that brought a result goes on with: these attempts were bound to it in the same commit. */
export const CompletionReply = z.strictObject({ next: z.array(Assignment).min(1) });
export type CompletionReply = z.infer<typeof CompletionReply>;
