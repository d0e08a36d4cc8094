/** Channels: who may send and receive, and the messages. Errors of all methods: as those of `CadreClient`. */
import {
  CadreError,
  type Channel,
  ChannelList,
  KeptChannel,
  Message,
  MessageAccepted,
  MessagePage,
  type ReplyRequest,
  type SendRequest,
} from '@cadre/contracts';
import { z } from 'zod';
import { check, type HttpExchange } from './http-exchange.js';
import { JSON_BODY } from './request-parts.js';
import { isPassing, pause, RECONNECT, serverEvents } from './server-events.js';

export type ChannelInput = z.input<typeof Channel>;
export type MessageInput = z.input<typeof SendRequest>;
export type ReplyRequestInput = z.input<typeof ReplyRequest>;

export interface ListenOptions {
  /** Who listens. Default: `api`. */
  as?: string;
  /** Patterns of types: `*` for any word, `>` for the rest. Required for topic channels. */
  types?: string[];
  /** An expression over `message`. */
  where?: string;
  /** Of a durable channel: only what is after this position; 0 is all. Default: what comes from now on. */
  after?: number;
  signal?: AbortSignal;
}

/** `position`: in a durable channel. */
export interface HeardMessage {
  position?: number;
  message: Message;
}

const EndEvent = z.object({ reason: z.string() });
const path = (name: string, rest = ''): string => `/v1/channels/${encodeURIComponent(name)}${rest}`;

export class ChannelsClient {
  constructor(private readonly http: HttpExchange) {}

  async list(): Promise<KeptChannel[]> {
    return (await this.http.json('/v1/channels', ChannelList)).channels;
  }

  get(name: string): Promise<KeptChannel> {
    return this.http.json(path(name), KeptChannel);
  }

  /** Makes a channel, or changes one. May be repeated. Errors: 422 `invalid-channel`, 409 `channel-conflict`. */
  put(channel: ChannelInput): Promise<KeptChannel> {
    return this.http.json(path(channel.name), KeptChannel, { method: 'PUT', headers: JSON_BODY, body: JSON.stringify(channel) });
  }

  /** With the messages that it keeps. */
  async remove(name: string): Promise<void> {
    await this.http.request(path(name), { method: 'DELETE' });
  }

  /** Errors: 403 `forbidden`, 422 `invalid-message`, 413 `message-too-large`. With an `id` it may be repeated in a durable channel. */
  send(name: string, message: MessageInput): Promise<MessageAccepted> {
    return this.http.json(path(name, '/messages'), MessageAccepted, { method: 'POST', headers: JSON_BODY, body: JSON.stringify(message) });
  }

  /** Sends a message and gives the first reply. Errors: those of `send`, 504 `reply-timeout`. */
  request(name: string, message: ReplyRequestInput, options: { signal?: AbortSignal } = {}): Promise<Message> {
    const body = JSON.stringify(message);
    return this.http.json(path(name, '/requests'), Message, { method: 'POST', headers: JSON_BODY, body, ...options });
  }

  /** What a durable channel keeps, one page; `next` is where to go on `after`. */
  page(name: string, { signal, limit, ...options }: ListenOptions & { limit?: number } = {}): Promise<MessagePage> {
    const headers = { accept: 'application/json' };
    return this.http.json(path(name, `/messages${search({ ...options, limit })}`), MessagePage, { headers, ...(signal && { signal }) });
  }

  /**
   * The messages of a channel as they come, through lost connections, until it is removed or the signal aborts. A durable channel goes on
   * where it was; of another one what is sent while the connection is lost is missed. Errors: `forbidden` when the right is taken away,
   * `listener-overrun` (retriable) when messages pass faster than they are taken.
   */
  async *listen(name: string, options: ListenOptions = {}): AsyncGenerator<HeardMessage, void, undefined> {
    const { signal, ...query } = options;
    const where = path(name, `/messages${search(query)}`);
    let last: string | undefined;
    let contactAt: number | undefined;
    let delayMs: number = RECONNECT.firstDelayMs;
    for (;;) {
      signal?.throwIfAborted();
      try {
        for await (const item of serverEvents(this.http, where, last, signal)) {
          contactAt = Date.now();
          delayMs = RECONNECT.firstDelayMs;
          if (typeof item === 'string') continue;
          if (item.event === 'end') return end(name, check(EndEvent, item.data, where).reason);
          last = item.id ?? last;
          const position = item.id === undefined ? {} : { position: Number(item.id) };
          yield { ...position, message: check(Message, item.data, where) };
        }
      } catch (error) {
        if (!isPassing(error) || contactAt === undefined || Date.now() - contactAt > RECONNECT.giveUpMs) throw error;
      }
      await pause(delayMs, signal);
      delayMs = Math.min(RECONNECT.lastDelayMs, delayMs * 2);
    }
  }
}

function end(name: string, reason: string): void {
  if (reason === 'removed') return;
  if (reason === 'overrun') {
    throw new CadreError('listener-overrun', `Messages pass in the channel ${name} faster than they are taken.`, {
      retriable: true,
      remedy: 'take a narrower filter, or make the channel durable',
    });
  }
  throw new CadreError('forbidden', `The right to receive from the channel ${name} was taken away.`);
}

function search({ types, ...query }: Omit<ListenOptions, 'signal'> & { limit?: number | undefined }): string {
  const params = new URLSearchParams(types === undefined ? {} : { types: types.join(',') });
  for (const [key, value] of Object.entries(query)) if (value !== undefined) params.set(key, String(value));
  return params.size === 0 ? '' : `?${params}`;
}
