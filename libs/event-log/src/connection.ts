/** Small things about a NATS connection that several parts of this library share. */
import { createInbox, type NatsConnection, type Status } from '@nats-io/transport-node';

/** A fresh inbox under the connection's own prefix, which permissions may demand. */
export function freshInbox(nats: NatsConnection): string {
  const { options } = nats as NatsConnection & { options?: { inboxPrefix?: string } };
  return createInbox(options?.inboxPrefix);
}

/** Calls back on each change of the connection until the returned function is called or the connection is closed. */
export function watchConnection(nats: NatsConnection, onStatus: (type: Status['type']) => void): () => void {
  const statuses = nats.status() as AsyncIterable<Status> & { stop?: () => void };
  void (async () => {
    for await (const status of statuses) onStatus(status.type);
    if (nats.isClosed()) onStatus('close');
  })();
  return () => statuses.stop?.();
}

/** Says when the connection is up: a request made while it is down, or open when it breaks, is lost and would only time out. */
export class ConnectionState {
  readonly #changes = new Set<(up: boolean) => void>();
  readonly #unwatch: () => void;
  #up = true;

  constructor(nats: NatsConnection) {
    this.#unwatch = watchConnection(nats, (type) => {
      // When it is closed for good it counts as up: whoever asks next gets the error.
      if (type === 'disconnect') this.#set(false);
      if (type === 'reconnect' || type === 'close') this.#set(true);
    });
  }

  /** Resolves when the connection is up, at the latest after that time. */
  async whenUp(limitMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#up) return;
    const found = new AbortController();
    const change = (up: boolean): void => (up ? found.abort() : undefined);
    this.#changes.add(change);
    await pause(limitMs, signal === undefined ? found.signal : AbortSignal.any([found.signal, signal]));
    this.#changes.delete(change);
  }

  /** The outcome of a request, or an error at once when the connection breaks meanwhile. */
  async whileUp<T>(request: Promise<T>): Promise<T> {
    let change!: (up: boolean) => void;
    const broken = new Promise<never>((_, reject) => {
      change = (up) => (up ? undefined : reject(new Error('the connection broke')));
      this.#changes.add(change);
    });
    try {
      return await Promise.race([request, broken]);
    } finally {
      this.#changes.delete(change);
    }
  }

  close(): void {
    this.#unwatch();
  }

  #set(up: boolean): void {
    this.#up = up;
    for (const change of [...this.#changes]) change(up);
  }
}

/** Waits; returns early when the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** 25 ms, doubled with each failure up to the limit, with jitter. */
export function backoffMs(failures: number, limitMs = 1000): number {
  const full = Math.min(25 * 2 ** failures, limitMs);
  return full / 2 + Math.random() * (full / 2);
}
