/** Agents and workers: definitions, heartbeats, offers, cancellations. */
import { z } from 'zod';
import { Micros, Timestamp } from './values.js';
import { AnyToolName, MOST_TOOLS } from './calls.js';
import { BidderFigures } from './bidder-figures.js';
import { AgentName, RunId, TaskId, TenantId, WorkerId } from './ids.js';
import { Labels } from './labels.js';
import { MemorySettings } from './memory.js';
import { Skill } from './plan.js';
import { Thinking } from './thinking.js';
import { QueuedMs, QueueRelief, UnderLoad, UnderModelLoad } from './under-load.js';

/** Each may be left out: of a definition, which then has the default, and of a template and what is made from it. */
const settings = {
  restsOn: z.array(AnyToolName).max(MOST_TOOLS),
  model: z.string().min(1).max(200),
  /** Tried in this order when the model before is of no use: gone, unknown there, out of quota, or its window too small. */
  fallbackModels: z.array(z.string().min(1).max(200)).max(5),
  underLoad: UnderModelLoad,
  /**
   * Tasks of one run that are at hand together are done in one go: at most so many, and the first waits so long for others. Of a model only
   * without tools.
   */
  batch: z.strictObject({ maxTasks: z.int().min(2).max(50), waitMs: z.int().min(0).max(5000) }),
  temperature: z.number().min(0).max(2),
};
const limits = {
  maxOutputTokens: z.int().min(64).max(1_000_000),
  maxSteps: z.int().min(1).max(200),
  maxTokens: z.int().min(100).max(10_000_000),
  maxMs: z.int().min(100).max(3_600_000),
};

export const AgentDefinition = z.strictObject({
  name: AgentName,
  description: z.string().min(1).max(500),
  skills: z.array(Skill).min(1).max(20),
  instructions: z.string().min(1).max(20_000),
  /** Names of the tools it may call; no grant, no call. */
  tools: z.array(AnyToolName).max(MOST_TOOLS),
  /**
   * Of its tools those that its results rest on: of work in which none of them has answered, but with an error, no result counts. Of agents
   * that a model plays.
   */
  restsOn: settings.restsOn.optional(),
  model: settings.model.optional(),
  fallbackModels: settings.fallbackModels.default([]),
  /** Attempts of this agent at work at once, over all workers that have it. */
  maxParallel: z.int().min(1).max(10_000).optional(),
  /** What tasks may ask for, beside the labels of its worker. */
  labels: Labels.optional(),
  /** Only workers with these labels have it. */
  requires: Labels.optional(),
  underLoad: UnderLoad.optional(),
  batch: settings.batch.optional(),
  temperature: settings.temperature.default(0),
  /** To be told to think before it answers, and how. */
  thinking: Thinking.optional(),
  /** To remember what it was asked and answered in earlier tasks; of agents that a model plays. */
  memory: MemorySettings.optional(),
  limits: z
    .strictObject({
      maxSteps: limits.maxSteps.default(24),
      maxTokens: limits.maxTokens.default(200_000),
      /** Left out: as long as the task's attempt may take. */
      maxMs: limits.maxMs.optional(),
      /** Of one model call. Left out: 8192, and up to four times as many after a message that was cut off. */
      maxOutputTokens: limits.maxOutputTokens.optional(),
      /** Of all it does in one run. */
      maxCostMicros: Micros.optional(),
    })
    .prefault({}),
});
export type AgentDefinition = z.infer<typeof AgentDefinition>;

/** What a template gives by default, and a definition made from it may say otherwise. */
export const AgentSettings = z.strictObject({
  instructions: AgentDefinition.shape.instructions.optional(),
  /** Default: all that the template has. */
  tools: AgentDefinition.shape.tools.optional(),
  restsOn: settings.restsOn.optional(),
  model: settings.model.optional(),
  fallbackModels: settings.fallbackModels.optional(),
  underLoad: settings.underLoad.optional(),
  batch: settings.batch.optional(),
  temperature: settings.temperature.optional(),
  thinking: Thinking.optional(),
  memory: MemorySettings.optional(),
  limits: z
    .strictObject({
      maxSteps: limits.maxSteps.optional(),
      maxTokens: limits.maxTokens.optional(),
      maxMs: limits.maxMs.optional(),
      maxOutputTokens: limits.maxOutputTokens.optional(),
      maxCostMicros: Micros.optional(),
    })
    .optional(),
});
export type AgentSettings = z.infer<typeof AgentSettings>;

/** What a worker tells of a template: agents made from it can be granted these tools, and no others. */
export const TemplateSummary = z.strictObject({
  name: AgentName,
  description: z.string().min(1).max(500),
  tools: z.array(AnyToolName).max(MOST_TOOLS),
});
export type TemplateSummary = z.infer<typeof TemplateSummary>;

/** From what a worker makes agents at run time. */
export const AgentTemplate = TemplateSummary.extend({
  defaults: AgentSettings.extend({ instructions: AgentDefinition.shape.instructions }),
});
export type AgentTemplate = z.infer<typeof AgentTemplate>;

export const AGENT_STATES = ['created', 'initializing', 'idle', 'running', 'paused', 'error', 'terminated'] as const;
export const AgentState = z.enum(AGENT_STATES);
export type AgentState = z.infer<typeof AgentState>;

export const AgentSummary = z.strictObject({
  name: AgentName,
  description: z.string(),
  skills: z.array(Skill),
  model: z.string().optional(),
  maxParallel: z.int().min(1).max(10_000).optional(),
  /** Left out: not told. */
  tools: z.array(AnyToolName).max(MOST_TOOLS).optional(),
  labels: Labels.optional(),
  /** What becomes of tasks that wait for a slot of it. */
  underLoad: QueueRelief.optional(),
});
export type AgentSummary = z.infer<typeof AgentSummary>;

export const HeldAttempt = z.strictObject({ runId: RunId, taskId: TaskId, attempt: z.int().min(1) });
export type HeldAttempt = z.infer<typeof HeldAttempt>;

/** How often a worker beats, and after how long a silence it counts as lost. */
export const HEARTBEAT = { everyMs: 250, lostAfterMs: 2500 } as const;

/** Of one worker. */
export const MOST_MCP_SERVERS = 20;

/** A server of tools as a worker sees it. It is started when one of its tools is first called. */
export const McpServerState = z.strictObject({
  server: z.string().max(40),
  state: z.enum(['idle', 'connecting', 'ready', 'down']),
  /** Why it is down. */
  trouble: z.string().max(300).optional(),
  /** Approved and granted to somebody. */
  tools: z.int().nonnegative(),
  /** Tools that are not called until they are approved anew: their server tells them otherwise now. */
  withheld: z.array(AnyToolName).max(MOST_TOOLS).optional(),
});
export type McpServerState = z.infer<typeof McpServerState>;

/** The first one announces a worker; `terminated` takes its leave; silence means it is lost. `epoch` is new with each start. */
export const Heartbeat = z.strictObject({
  workerId: WorkerId,
  epoch: z.string().regex(/^[A-Za-z0-9]{1,40}$/),
  seq: z.int().nonnegative(),
  at: Timestamp,
  startedAt: Timestamp,
  specialty: z.string().min(1).max(60),
  /** Each of its agents has them, too. */
  labels: Labels.optional(),
  state: AgentState,
  agents: z.array(AgentSummary).min(1),
  slots: z.int().min(0).max(10_000),
  /** From which it makes agents that are defined at run time. */
  templates: z.array(TemplateSummary).max(50).optional(),
  /** How far it has read their definitions: the revision of the last one. It has all of them up to there that name one of its templates. */
  definitions: z.int().nonnegative().optional(),
  /** Servers that its agents have tools of. */
  mcp: z.array(McpServerState).max(MOST_MCP_SERVERS).optional(),
  /** Attempts accepted (offer taken) or being worked on. */
  held: z.array(HeldAttempt),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

export const Offer = z.strictObject({
  runId: RunId,
  taskId: TaskId,
  attempt: z.int().min(1),
  agent: AgentName,
  /** Who was asked for by name, was removed, and has handed on to `agent`; with `queuedMs`: whose slots are full. */
  insteadOf: AgentName.optional(),
  /** It has been without a free slot so long that, as its agent's definition says, another does it or it is done with less. */
  queuedMs: QueuedMs.optional(),
  /**
   * Which offer is begun first of several that wait for a slot: of the tenant with the least at work (by the newest offer of each), the
   * most urgent one (the smallest number), and of equals the one that came first.
   */
  turn: z.strictObject({ tenant: TenantId, atWork: z.int().nonnegative(), urgency: z.int() }),
  /** For planning tasks: the agents at hand. */
  catalogue: z.array(AgentSummary).optional(),
  /** For bids. */
  figures: BidderFigures.optional(),
});
export type Offer = z.infer<typeof Offer>;
export const OfferBatch = z.strictObject({ offers: z.array(Offer).min(1).max(250) });
export type OfferBatch = z.infer<typeof OfferBatch>;

/**
 * Attempts whose work is no longer wanted. Without `runCancelled` the attempt is closed in the log: nobody waits for its end. With it, its
 * run is being cancelled: the calls on their way are stopped and settled, and the attempt reports that it ended.
 */
export const UnwantedAttempt = HeldAttempt.extend({ runCancelled: z.literal(true).optional() });
export type UnwantedAttempt = z.infer<typeof UnwantedAttempt>;
export const CancelBatch = z.strictObject({ attempts: z.array(UnwantedAttempt).min(1).max(1000) });
export type CancelBatch = z.infer<typeof CancelBatch>;

/** Agents for whose slots ready work waits: their workers leave it to the scheduler what comes next. Said again while it is so. */
export const Backlog = z.strictObject({ agents: z.array(AgentName).min(1).max(10_000) });
export type Backlog = z.infer<typeof Backlog>;

/** A worker as lists show it. */
export const WorkerView = Heartbeat.omit({ seq: true, held: true }).extend({ held: z.int(), lastSeenAt: Timestamp, lost: z.boolean() });
export type WorkerView = z.infer<typeof WorkerView>;
