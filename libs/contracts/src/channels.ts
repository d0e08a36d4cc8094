/**
 * Channels and messages. A channel says who may send and receive, what a message may hold and whether messages are kept; a message is what
 * one participant tells others. Participants are agents, by their names, and whoever uses the API, by the name that it gives itself.
 */
import { z } from 'zod';
import { AgentName, RunId, TaskId, TenantId } from './ids.js';
import { EventType, Expression } from './scopes.js';
import { Json, Timestamp } from './values.js';

/** One NATS subject token, so that no name reaches another channel's subject. */
export const ChannelName = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'a channel name is lower-case letters, digits and -, at most 64');
export type ChannelName = z.infer<typeof ChannelName>;

/** One NATS subject token. */
export const MessageId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'a message id is letters, digits, - and _, at most 64');
export type MessageId = z.infer<typeof MessageId>;

/**
 * Who gets a message. `direct`: the one that it names. `multicast`: those that it names. `broadcast`: every member that may receive.
 * `topic`: of those, who has asked for its type.
 */
export const CHANNEL_KINDS = ['direct', 'broadcast', 'multicast', 'topic'] as const;
export const ChannelKind = z.enum(CHANNEL_KINDS);
export type ChannelKind = z.infer<typeof ChannelKind>;

export const ChannelRight = z.enum(['send', 'receive']);
export type ChannelRight = z.infer<typeof ChannelRight>;

/** `*` is everybody of the tenant. */
export const ChannelMember = z.strictObject({
  name: z.union([z.literal('*'), AgentName], { error: 'a member is the name of a participant, or *' }),
  rights: z.array(ChannelRight).min(1).max(10),
});
export type ChannelMember = z.infer<typeof ChannelMember>;

const DAY_MS = 86_400_000;
/** Bytes are those of JSON in UTF-8. */
export const CHANNEL_LIMITS = {
  messageBytes: 64 * 1024,
  messages: 10_000,
  ageMs: 30 * DAY_MS,
  definitionBytes: 32 * 1024,
  channels: 1000,
} as const;

/** A channel as people define it. */
export const Channel = z.strictObject({
  name: ChannelName,
  description: z.string().max(500).optional(),
  kind: ChannelKind,
  members: z
    .array(ChannelMember)
    .min(1)
    .max(200)
    .default([{ name: '*', rights: ['send', 'receive'] }]),
  /** Whether messages are kept, so that they can be read later and are not lost with a reader. */
  durable: z.boolean().default(false),
  /** What `data` must be: JSON Schema, the keywords that `docs/MESSAGES.md` lists. */
  schema: z.record(z.string(), Json).optional(),
  /** Must hold for a message to be taken; sees `message`. */
  check: Expression.optional(),
  limits: z
    .strictObject({
      /** Of the data of one message. */
      messageBytes: z.int().min(1).max(CHANNEL_LIMITS.messageBytes).default(CHANNEL_LIMITS.messageBytes),
      /** Kept at least; a tenth more may be there. */
      messages: z.int().min(1).max(CHANNEL_LIMITS.messages).default(1000),
      /** How long a message is kept. */
      ageMs: z
        .int()
        .min(1000)
        .max(CHANNEL_LIMITS.ageMs)
        .default(7 * DAY_MS),
    })
    .prefault({}),
});
export type Channel = z.infer<typeof Channel>;

/**
 * A channel as it is kept. `generation` is new each time the channel is made, so that what an earlier one of the name has left behind is
 * not its.
 */
export const KeptChannel = z.strictObject({
  tenant: TenantId,
  generation: z.string().regex(/^[0-9a-f]{12}$/),
  createdAt: Timestamp,
  changedAt: Timestamp,
  channel: Channel,
});
export type KeptChannel = z.infer<typeof KeptChannel>;

/** Answer to `GET /v1/channels`: by name. */
export const ChannelList = z.strictObject({ channels: z.array(KeptChannel) });
export type ChannelList = z.infer<typeof ChannelList>;

const addressed = {
  /** What it is about: `discovery`, `risk.alert`. */
  type: EventType,
  /** In a channel of kind direct one name, of kind multicast up to 100, else none. */
  to: z.array(AgentName).min(1).max(100).optional(),
  /** Of those who would get it, who does: an expression over `subscriber` with `name` and `skills`. */
  audience: Expression.optional(),
  /** Of a reply: the id of the message that it answers. */
  correlationId: MessageId.optional(),
  /** Another channel in which a reply is looked for. */
  replyTo: ChannelName.optional(),
};

/** What travels, and what listeners get. */
export const Message = z.strictObject({
  id: MessageId,
  channel: ChannelName,
  from: AgentName,
  ...addressed,
  at: Timestamp,
  /** Set when an agent has sent it in a run. */
  runId: RunId.optional(),
  taskId: TaskId.optional(),
  data: Json,
});
export type Message = z.infer<typeof Message>;

/** A message with its place in a durable channel, from 1; what is sent later has a higher one. */
export const PlacedMessage = z.strictObject({ position: z.int().min(1), message: Message });
export type PlacedMessage = z.infer<typeof PlacedMessage>;

/** Body of `POST /v1/channels/{name}/messages`. */
export const SendRequest = z.strictObject({
  /** In a durable channel the same id again is the same message. Default: a new one. */
  id: MessageId.optional(),
  /** Who sends it. */
  from: AgentName.default('api'),
  ...addressed,
  data: Json.default(null),
});
export type SendRequest = z.infer<typeof SendRequest>;

/** Answer to that. `position`: where a durable channel keeps it. `repeated`: it was there already. */
export const MessageAccepted = z.strictObject({ id: MessageId, position: z.int().min(1).optional(), repeated: z.boolean() });
export type MessageAccepted = z.infer<typeof MessageAccepted>;

/** Longest time to wait for a reply, or for the first message when reading. */
export const MAX_MESSAGE_WAIT_MS = 60_000;

/** Body of `POST /v1/channels/{name}/requests`: sends the message and answers with the first reply to it. */
export const ReplyRequest = SendRequest.omit({ correlationId: true }).extend({
  timeoutMs: z.int().min(1).max(MAX_MESSAGE_WAIT_MS).default(10_000),
});
export type ReplyRequest = z.infer<typeof ReplyRequest>;

/** Types of messages: words with dots between them, `*` for any one word, `>` at the end for all that follows. */
export const TypePattern = z
  .string()
  .max(100)
  .regex(
    /^(>|(\*|[A-Za-z0-9_-]+)(\.(\*|[A-Za-z0-9_-]+))*(\.>)?)$/,
    'a pattern of types is words with dots between them, * for any word, > for the rest',
  );
export type TypePattern = z.infer<typeof TypePattern>;

/** Who reads a channel and what of it. */
export const Subscription = z.strictObject({
  name: AgentName,
  skills: z.array(z.string().max(100)).max(20).default([]),
  /** Required for channels of kind topic. */
  types: z.array(TypePattern).min(1).max(20).optional(),
  /** An expression over `message`. */
  where: Expression.optional(),
});
export type Subscription = z.infer<typeof Subscription>;

/** Answer to `GET /v1/channels/{name}/messages` with `Accept: application/json`; `next` is the position to go on `after`. */
export const MessagePage = z.strictObject({ messages: z.array(PlacedMessage), next: z.int().min(0), more: z.boolean() });
export type MessagePage = z.infer<typeof MessagePage>;
