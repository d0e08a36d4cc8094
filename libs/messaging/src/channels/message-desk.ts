/**
 * The one way to send and receive, for agents and for whoever uses the API. Rights, addressees, sizes, schemas and filters are enforced
 * here, against the definition as it is at that moment; whoever calls says in whose name, and has made sure of it.
 */
import {
  Message,
  utf8Bytes,
  type ChannelName,
  type ChannelRight,
  type KeptChannel,
  type MessageAccepted,
  type MessagePage,
  type PlacedMessage,
  type SendRequest,
  type Subscription,
  type TenantId,
} from '@cadre/contracts';
import {
  invalidMessage,
  invalidSubscription,
  messageTooLarge,
  noReply,
  notKept,
  unknownChannel,
  type ChannelFault,
} from './channel-errors.js';
import type { MessageSurroundings } from './channel-ports.js';
import { addressFaults, assertMay, expressionFaults, isWanted, may, passesCheck, reaches } from './channel-rules.js';
import { ChannelWatch } from './channel-watch.js';
import { Listening } from './listening.js';
import { Mailbox } from './mailbox.js';
import { dataFaults } from './payload-schema.js';

/** A message to be sent; a missing id is made up. */
export type Draft = SendRequest & Pick<Message, 'runId' | 'taskId'>;

/** Bytes of messages, as JSON, in one page. */
const PAGE_BYTES = 512 * 1024;
/** Messages looked at for one page. */
const PAGE_LOOKED_AT = 2000;
const BATCH = 100;

export class MessageDesk {
  readonly #watch: ChannelWatch;

  constructor(private readonly around: MessageSurroundings) {
    this.#watch = new ChannelWatch(around.store);
  }

  /** Errors: `unknown-channel`, `forbidden`, `invalid-message`, `message-too-large`, `store-unavailable` (retriable; with the same id). */
  async send(tenant: TenantId, name: ChannelName, draft: Draft): Promise<MessageAccepted> {
    const kept = await this.#need(tenant, name, draft.from, 'send');
    const message = this.#messageOf(kept, draft);
    return { id: message.id, ...(await this.around.carrier.publish(kept, message)) };
  }

  /**
   * What a durable channel keeps for a reader, one page of at most `limit` messages. `next` may be past messages that were not wanted.
   * Errors: `unknown-channel`, `forbidden`, `invalid-request`, `store-unavailable`.
   */
  async read(
    tenant: TenantId,
    name: ChannelName,
    subscription: Subscription,
    after: number,
    limit: number,
    maxBytes = PAGE_BYTES,
  ): Promise<MessagePage> {
    const kept = await this.readable(tenant, name, subscription);
    if (!kept.channel.durable) throw notKept(name);
    const messages: PlacedMessage[] = [];
    let [next, bytes, looked] = [after, 0, 0];
    for (;;) {
      const batch = await this.around.carrier.read(kept, next, BATCH);
      for (const each of batch) {
        const wanted = reaches(each.message, subscription) && isWanted(each.message, subscription);
        if (wanted) bytes += utf8Bytes(JSON.stringify(each.message));
        const full = messages.length > 0 && wanted && (messages.length >= limit || bytes > maxBytes);
        if (full || looked >= PAGE_LOOKED_AT) return { messages, next, more: true };
        if (wanted) messages.push(each);
        next = each.position;
        looked += 1;
      }
      if (batch.length < BATCH) return { messages, next, more: false };
    }
  }

  /**
   * Listens from now on, or from a position of a durable channel on. Must be closed, or its signal aborted.
   * Errors: `unknown-channel`, `forbidden`, `invalid-request`, `store-unavailable`.
   */
  async listen(
    tenant: TenantId,
    name: ChannelName,
    subscription: Subscription,
    options: { after?: number; signal: AbortSignal },
  ): Promise<Listening> {
    const kept = await this.readable(tenant, name, subscription);
    return this.#listening(
      kept,
      subscription.name,
      options,
      (message) => reaches(message, subscription) && isWanted(message, subscription),
    );
  }

  /**
   * Sends a message and gives the first reply to it, in its channel or in the one that `replyTo` names. In durable channels a repeated
   * request, with the same id, is not sent again and finds a reply that has come meanwhile. Errors: those of `send`, `reply-timeout`; the
   * signal's reason.
   */
  async request(
    tenant: TenantId,
    name: ChannelName,
    draft: Draft,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<Message> {
    const until = performance.now() + timeoutMs;
    const kept = await this.#need(tenant, name, draft.from, 'send');
    const replies = await this.#need(tenant, draft.replyTo ?? name, draft.from, 'receive');
    const message = this.#messageOf(kept, draft);
    const isReply = (each: Message) =>
      each.correlationId === message.id && each.id !== message.id && reaches(each, { name: draft.from, skills: [] });
    // What is kept can be found afterwards; what passes has to be waited for before.
    const early = replies.channel.durable ? undefined : await this.#listening(replies, draft.from, { signal }, isReply);
    try {
      const { position } = await this.around.carrier.publish(kept, message);
      const after = replies.generation === kept.generation ? (position ?? 0) : 0;
      const listening = early ?? (await this.#listening(replies, draft.from, { after, signal }, isReply));
      const heard = await listening.next(Math.max(0, until - performance.now())).finally(() => listening.close());
      signal.throwIfAborted();
      if (heard !== undefined) return heard.message;
    } finally {
      early?.close();
    }
    throw noReply(replies.channel.name, timeoutMs);
  }

  /** Channels of a tenant that somebody may receive from and that keep nothing. */
  async passing(tenant: TenantId, name: string): Promise<KeptChannel[]> {
    return (await this.around.store.list(tenant)).filter(({ channel }) => !channel.durable && may(channel, name, 'receive'));
  }

  /** Gathers what passes for somebody, from when this has resolved. */
  gather(kept: KeptChannel, who: Pick<Subscription, 'name' | 'skills'>): Promise<Mailbox> {
    return Mailbox.open(this.around.carrier, kept, who);
  }

  /** A channel that may be read so. Errors: `unknown-channel`, `forbidden`, `invalid-request`, `store-unavailable`. */
  async readable(tenant: TenantId, name: ChannelName, subscription: Subscription): Promise<KeptChannel> {
    const kept = await this.#need(tenant, name, subscription.name, 'receive');
    assertSubscription(kept, subscription);
    return kept;
  }

  async close(): Promise<void> {
    await this.#watch.close();
  }

  #listening(
    kept: KeptChannel,
    name: string,
    { after, signal }: { after?: number; signal: AbortSignal },
    wanted: (message: Message) => boolean,
  ): Promise<Listening> {
    const current = async () => {
      const found = await this.around.store.get(kept.tenant, kept.channel.name);
      if (found === undefined) return 'removed' as const;
      return may(found.channel, name, 'receive') ? found : ('not-allowed' as const);
    };
    const watch = this.#watch.add.bind(this.#watch);
    return Listening.open({ kept, carrier: this.around.carrier, watch, current, wanted, after, signal });
  }

  async #need(tenant: TenantId, name: ChannelName, participant: string, right: ChannelRight): Promise<KeptChannel> {
    const kept = await this.around.store.get(tenant, name);
    if (kept === undefined) throw unknownChannel(name);
    assertMay(kept.channel, participant, right);
    return kept;
  }

  #messageOf({ channel }: KeptChannel, draft: Draft): Message {
    const bytes = utf8Bytes(JSON.stringify(draft.data));
    if (bytes > channel.limits.messageBytes) throw messageTooLarge(bytes, channel.limits.messageBytes);
    const message: Message = { ...draft, id: draft.id ?? this.around.newId(), channel: channel.name, at: this.around.now() };
    const faults: ChannelFault[] = [
      ...addressFaults(channel, draft.to),
      ...expressionFaults('audience', draft.audience),
      ...(channel.schema === undefined ? [] : dataFaults(channel.schema, draft.data)),
    ];
    if (faults.length === 0 && !passesCheck(channel, message))
      faults.push({ path: 'data', message: `does not pass the check of the channel: ${channel.check}` });
    if (faults.length > 0) throw invalidMessage(channel.name, faults);
    return message;
  }
}

function assertSubscription({ channel }: KeptChannel, { types, where }: Subscription): void {
  const faults = expressionFaults('where', where);
  if (channel.kind === 'topic' && types === undefined)
    faults.push({ path: 'types', message: `${channel.name} is a topic channel: say which types you want (> is all)` });
  if (faults.length > 0) throw invalidSubscription(faults);
}
