/** Some messages of a stream by one direct get. The client's own leaves its subscription open when the batch has ended. */
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';

export interface BatchQuery {
  /** The first that may come. */
  seq: number;
  /** Wildcards are allowed. */
  next_by_subj: string;
  batch: number;
}

export interface StoredMessage {
  seq: number;
  data: Uint8Array;
}

const NO_MESSAGE = 404;
const END_OF_BATCH = 204;

/** In the order of the stream. Rejects when the answer is an error or is not complete in time. */
export function getBatch(nats: NatsConnection, stream: string, query: BatchQuery, timeoutMs: number): Promise<StoredMessage[]> {
  const { options } = nats as NatsConnection & { options?: { inboxPrefix?: string } };
  const inbox = createInbox(options?.inboxPrefix);
  return new Promise((resolve, reject) => {
    const found: StoredMessage[] = [];
    const end = (error?: Error): void => {
      clearTimeout(timer);
      if (!nats.isClosed()) subscription.unsubscribe();
      if (error === undefined) resolve(found);
      else reject(error);
    };
    const timer = setTimeout(() => end(new Error(`no whole answer within ${timeoutMs} ms`)), timeoutMs);
    const take = (message: Msg): void => {
      const code = message.headers?.code ?? 0;
      if (code === 0) found.push({ seq: Number(message.headers?.get('Nats-Sequence')), data: message.data });
      else if (code === NO_MESSAGE || code === END_OF_BATCH) end();
      else end(new Error(`${code} ${message.headers?.description}`));
    };
    const subscription = nats.subscribe(inbox, { callback: (error, message) => (error ? end(error) : take(message)) });
    nats.publish(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(query), { reply: inbox });
  });
}
