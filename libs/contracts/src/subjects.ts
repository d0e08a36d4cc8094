/** Every NATS name of Cadre, in one place. */
import type { ChannelKind } from './channels.js';
import { shardName } from './ids.js';

export const STREAMS = {
  log: (shard: number) => `CADRE_LOG_${shardName(shard)}`,
  ingress: 'CADRE_INGRESS',
  events: 'CADRE_EVENTS',
  /** What came in and could not be used, with the reason. */
  dead: 'CADRE_DEAD',
  /** Messages of durable channels. */
  messages: 'CADRE_MESSAGES',
} as const;

export const BUCKETS = {
  ...{ leases: 'cadre_leases', blobs: 'cadre_blobs', definitions: 'cadre_defs', context: 'cadre_context', channels: 'cadre_channels' },
  results: 'cadre_results',
  agents: 'cadre_agents',
} as const;

const CHANNEL_WORDS: Record<ChannelKind, string> = { direct: 'dm', broadcast: 'bc', multicast: 'mc', topic: 'topic' };

export const SUBJECTS = {
  /** Blocks of a shard's log. */
  log: (shard: number) => `cadre.log.${shardName(shard)}`,
  /** Commands to the owner of a shard: core request, a `CommandBatch`, answered by a `ReplyBatch`. */
  shardCommands: (shard: number) => `cadre.shard.${shardName(shard)}.cmd`,
  /** CloudEvents from outside. */
  ingress: (tenant: string, type: string) => `cadre.in.${tenant}.${type}`,
  ingressAll: 'cadre.in.>',
  /** Messages set aside, by where they came in. */
  dead: (origin: string) => `cadre.dead.${origin}`,
  deadAll: 'cadre.dead.>',
  /** The event feed of one run. */
  events: (tenant: string, runId: string) => `cadre.ev.${tenant}.${runId}`,
  eventsAll: 'cadre.ev.>',
  /** What a task's model writes, while it writes it: a `TokenPart`. `*` for all tasks of a run. */
  tokens: (tenant: string, runId: string, taskId: string) => `cadre.stream.${tenant}.${runId}.${taskId}`,
  heartbeat: (workerId: string) => `cadre.hb.${workerId}`,
  heartbeats: 'cadre.hb.*',
  /** Offers to one life of one worker. */
  offers: (workerId: string, epoch: string) => `cadre.agent.${workerId}.${epoch}.offer`,
  /** Cancellations to one worker. */
  cancels: (workerId: string) => `cadre.agent.${workerId}.cancel`,
  /** From the scheduler to all workers: a `Backlog`. */
  backlog: 'cadre.agents.backlog',
  /** From workers to the leading scheduler: core request, an `GovernorAsk`. */
  modelGovernor: 'cadre.models.governor',
  /** Read model queries, answered by any monitor: core request, a `HistoryQuery`. */
  history: 'cadre.query.history',
  /** Messages of a channel that keeps none. */
  passing: (kind: ChannelKind, tenant: string, channel: string, generation: string) =>
    `cadre.${CHANNEL_WORDS[kind]}.${tenant}.${channel}.${generation}`,
  /** A message of a durable channel has a subject of its own: it is stored once, however often it is sent. `*` for all of a channel. */
  message: (tenant: string, channel: string, generation: string, id: string) => `cadre.msg.${tenant}.${channel}.${generation}.${id}`,
  messagesAll: 'cadre.msg.>',
} as const;

/** Headers of a NATS message beside those of CloudEvents (`ce-*`) and `traceparent`. */
export const HEADERS = {
  blockId: 'Cadre-Block',
  claim: 'Cadre-Claim',
  messageId: 'Nats-Msg-Id',
  expectedLastSequence: 'Nats-Expected-Last-Sequence',
  traceparent: 'traceparent',
} as const;
