/**
 * Messages over NATS. Those of durable channels are stored in one stream, each on a subject that ends with its id and expects to be the
 * first there: however late it is sent again, it is stored once. They are read by direct gets, which need no consumer. The others go over
 * core NATS.
 */
import { Message, STREAMS, SUBJECTS, type KeptChannel, type PlacedMessage } from '@cadre/contracts';
import { JetStreamApiError, jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { channelsUnavailable } from './channel-errors.js';
import type { MessageCarrier, Published } from './channel-ports.js';
import { getBatch } from './direct-batch.js';

/** The subject has a message already; the second one in replicated streams. */
const NOT_FIRST = new Set([10071, 10164]);
const TIMEOUT_MS = 5000;
/** A channel keeps at most so large a part more than it has to. */
const SURPLUS = 0.1;

export class NatsMessageCarrier implements MessageCarrier {
  readonly #stream: JetStreamClient;
  readonly #manager: Promise<JetStreamManager>;
  /** Messages that this process may still store in a channel before it looks for surplus ones, by channel. */
  readonly #untilTrim = new Map<string, number>();

  constructor(private readonly nats: NatsConnection) {
    this.#stream = jetstream(nats, { timeout: TIMEOUT_MS });
    this.#manager = jetstreamManager(nats, { timeout: TIMEOUT_MS, checkAPI: false });
  }

  async publish(kept: KeptChannel, message: Message): Promise<Published> {
    const body = JSON.stringify(message);
    if (kept.channel.durable) return this.#store(kept, message.id, body);
    try {
      this.nats.publish(passing(kept), body);
      await this.nats.flush();
    } catch (cause) {
      throw channelsUnavailable(cause);
    }
    return { repeated: false };
  }

  async read(kept: KeptChannel, after: number, limit: number): Promise<PlacedMessage[]> {
    for (let seq = after + 1; ;) {
      const query = { seq, next_by_subj: stored(kept, '*'), batch: limit };
      const found = await getBatch(this.nats, STREAMS.messages, query, TIMEOUT_MS).catch((cause: unknown) => {
        throw channelsUnavailable(cause);
      });
      const messages = found.flatMap(({ seq: position, data }) => {
        const message = messageIn(data);
        return message === undefined ? [] : [{ position, message }];
      });
      const last = found.at(-1);
      if (messages.length > 0 || last === undefined) return messages;
      seq = last.seq + 1;
    }
  }

  async end(): Promise<number> {
    return this.#asked(async (manager) => (await manager.streams.info(STREAMS.messages)).state.last_seq);
  }

  async subscribe(kept: KeptChannel, heard: (message: Message) => void): Promise<() => void> {
    try {
      const subscription = this.nats.subscribe(kept.channel.durable ? stored(kept, '*') : passing(kept), {
        callback: (error, { data }) => {
          const message = error === null ? messageIn(data) : undefined;
          if (message !== undefined) heard(message);
        },
      });
      await this.nats.flush();
      return () => subscription.unsubscribe();
    } catch (cause) {
      throw channelsUnavailable(cause);
    }
  }

  async drop(kept: KeptChannel): Promise<void> {
    await this.#asked((manager) => manager.streams.purge(STREAMS.messages, { filter: stored(kept, '*') }));
  }

  async #store(kept: KeptChannel, id: string, body: string): Promise<Published> {
    const subject = stored(kept, id);
    const ttl = `${Math.ceil(kept.channel.limits.ageMs / 1000)}s`;
    try {
      const { seq } = await this.#stream.publish(subject, body, { expect: { lastSubjectSequence: 0 }, ttl });
      await this.#trim(kept);
      return { position: seq, repeated: false };
    } catch (cause) {
      if (!(cause instanceof JetStreamApiError) || !NOT_FIRST.has(cause.code)) throw channelsUnavailable(cause);
      const found = await this.#asked((manager) => manager.streams.getMessage(STREAMS.messages, { last_by_subj: subject }));
      if (found === null) throw channelsUnavailable(cause);
      return { position: found.seq, repeated: true };
    }
  }

  /** Of what is stored the oldest goes, once in a while; that it fails is made up for by the next time. */
  async #trim(kept: KeptChannel): Promise<void> {
    const filter = stored(kept, '*');
    const { messages: keep } = kept.channel.limits;
    const left = (this.#untilTrim.get(filter) ?? 0) - 1;
    if (left >= 0) return void this.#untilTrim.set(filter, left);
    this.#untilTrim.set(filter, Math.floor(keep * SURPLUS));
    await this.#asked((manager) => manager.streams.purge(STREAMS.messages, { filter, keep })).catch(() => this.#untilTrim.delete(filter));
  }

  async #asked<T>(ask: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    try {
      return await ask(await this.#manager);
    } catch (cause) {
      throw channelsUnavailable(cause);
    }
  }
}

const passing = ({ tenant, generation, channel }: KeptChannel): string => SUBJECTS.passing(channel.kind, tenant, channel.name, generation);
const stored = ({ tenant, generation, channel }: KeptChannel, id: string): string => SUBJECTS.message(tenant, channel.name, generation, id);

/** Anything may come over the wire; what is no message is passed over. */
function messageIn(data: Uint8Array): Message | undefined {
  try {
    return Message.safeParse(JSON.parse(Buffer.from(data).toString())).data;
  } catch {
    return undefined;
  }
}
