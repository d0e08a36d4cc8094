/**
 * Requests through one inbox. The client's own `request` makes a timer and an error with its stack for each request, in case it fails; here
 * one sweep serves all that wait.
 */
import { createInbox, NoRespondersError, TimeoutError, type Msg, type NatsConnection } from '@nats-io/transport-node';

interface Waiting {
  subject: string;
  until: number;
  resolve(message: Msg): void;
  reject(error: Error): void;
}

export class RequestInbox {
  readonly #prefix: string;
  readonly #waiting = new Map<string, Waiting>();
  #lastToken = 0;
  #sweep: NodeJS.Timeout | undefined;

  /** @param timeoutMs how long each request waits for its answer */
  constructor(
    private readonly nats: NatsConnection,
    private readonly timeoutMs: number,
  ) {
    // Under the connection's own prefix, which permissions may demand.
    const { options } = nats as NatsConnection & { options?: { inboxPrefix?: string } };
    this.#prefix = `${createInbox(options?.inboxPrefix)}.`;
    nats.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (!error) this.#answer(message);
      },
    });
    void nats.closed().then(() => this.#rejectAll());
  }

  /** The first answer. Rejects with nats.js's `NoRespondersError` and `TimeoutError`, and when the connection is closed. */
  ask(subject: string, body: string): Promise<Msg> {
    return new Promise((resolve, reject) => {
      this.#lastToken += 1;
      const token = this.#lastToken.toString(36);
      this.nats.publish(subject, body, { reply: this.#prefix + token }); // throws when the connection is closed or draining
      this.#waiting.set(token, { subject, until: performance.now() + this.timeoutMs, resolve, reject });
      this.#sweep ??= setInterval(() => this.#expire(), Math.max(10, this.timeoutMs / 10));
    });
  }

  #answer(message: Msg): void {
    const waiting = this.#take(message.subject.slice(this.#prefix.length));
    if (waiting === undefined) return; // too late
    if (message.data.length === 0 && message.headers?.code === 503) waiting.reject(new NoRespondersError(waiting.subject));
    else waiting.resolve(message);
  }

  #expire(): void {
    const now = performance.now();
    // In the order in which they were asked, which is the order in which their time is up.
    for (const [token, { until }] of this.#waiting) {
      if (until > now) return;
      this.#take(token)?.reject(new TimeoutError());
    }
  }

  #rejectAll(): void {
    for (const token of [...this.#waiting.keys()]) this.#take(token)?.reject(new Error('the connection is closed'));
  }

  #take(token: string): Waiting | undefined {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    if (this.#waiting.size === 0) {
      clearInterval(this.#sweep);
      this.#sweep = undefined;
    }
    return waiting;
  }
}
