/**
 * The plan as a model writes it: few fields, nothing that refers to itself, no bounds that a grammar stumbles over. What it comes to is a
 * `Plan`, which is checked like every other one.
 */
import { PATTERN_KINDS, PRIORITIES, ReasoningEffort, ThinkingStyle } from '@cadre/contracts';
import { z } from 'zod';

const text = z.string();
const words = z.array(z.string());

/** One thing to do for an item, or one stage of several. */
export const PlannedStep = z.object({
  title: text.optional(),
  instructions: text,
  skills: words.optional(),
  agent: text.optional(),
});
export type PlannedStep = z.infer<typeof PlannedStep>;

/** How one task is done by several. Which fields count depends on the kind. */
export const PlannedPattern = z.object({
  kind: z.enum(PATTERN_KINDS),
  /** Who votes, bids, explores, or may be given work. */
  agents: words.optional(),
  /** How many vote or explore where no agents are named. */
  count: z.number().optional(),
  /** The items. */
  over: words.optional(),
  /** The task whose result is the list of items. */
  from: text.optional(),
  /** What is done with each item: one step, or several stages. */
  steps: z.array(PlannedStep).optional(),
  /** What may be voted for. */
  choices: words.optional(),
  /** Votes count by their confidence. */
  weighted: z.boolean().optional(),
  /** Fraction of the votes that the winner needs. */
  majority: z.number().optional(),
  /** How often at most those who vote or explore hear of each other and go on. */
  rounds: z.number().optional(),
});
export type PlannedPattern = z.infer<typeof PlannedPattern>;

export const PlannedTask = z.object({
  id: text,
  title: text,
  instructions: text,
  skills: words.optional(),
  agent: text.optional(),
  fallbackAgents: words.optional(),
  dependsOn: words.optional(),
  require: z.union([z.enum(['all', 'any', 'settled']), z.number()]).optional(),
  priority: z.enum(PRIORITIES).optional(),
  estimatedMs: z.number().optional(),
  condition: text.optional(),
  /** A JSON Schema, as `ResultSchema` takes it. */
  resultSchema: z.record(z.string(), z.unknown()).optional(),
  /** How it is to be thought about. */
  thinking: z.object({ style: ThinkingStyle.optional(), directives: words.optional(), effort: ReasoningEffort.optional() }).optional(),
  /** Whom its agent may ask, give work or send messages to. */
  peers: words.optional(),
  /** The files that it has to leave. */
  shares: words.optional(),
  pattern: PlannedPattern.optional(),
  why: text.optional(),
});
export type PlannedTask = z.infer<typeof PlannedTask>;

/** An agent for this plan: one of the catalogue, for a task of its own making. */
export const PlannedAgent = z.object({
  name: text,
  base: text,
  description: text,
  skills: words,
  instructions: text,
  tools: words.optional(),
});
export type PlannedAgent = z.infer<typeof PlannedAgent>;

export const PlanReply = z.object({
  plan: z.object({ tasks: z.array(PlannedTask), agents: z.array(PlannedAgent).optional() }),
  note: text.optional(),
  confidence: z.number().optional(),
});
