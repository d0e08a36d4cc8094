/** The events of one run as they are published, in a queue for one reader. */
import { CadreError, FeedEvent } from '@cadre/contracts';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';

/** A reader that is so far behind is cut off; it comes back and reads from the archive. */
const MAX_QUEUED = 20_000;

export class LiveEvents {
  private readonly subscription: Subscription;
  private queue: FeedEvent[] = [];
  private wake: () => void = () => undefined;

  constructor(
    nats: NatsConnection,
    subject: string,
    private readonly signal: AbortSignal,
  ) {
    this.subscription = nats.subscribe(subject, { callback: (error, message) => void (error === null && this.hear(message)) });
    signal.addEventListener('abort', this.onAbort, { once: true });
  }

  /** The next event; `quiet` when none has come within the time, `ended` after the signal. Error `feed-overrun` for a slow reader. */
  async next(quietMs: number): Promise<FeedEvent | 'quiet' | 'ended'> {
    if (this.queue.length > MAX_QUEUED) throw new CadreError('feed-overrun', 'the reader is too slow', { retriable: true });
    if (this.queue.length === 0 && !this.signal.aborted) await this.waken(quietMs);
    if (this.signal.aborted) return 'ended';
    return this.queue.shift() ?? 'quiet';
  }

  close(): void {
    this.signal.removeEventListener('abort', this.onAbort);
    this.subscription.unsubscribe();
    this.queue = [];
  }

  private readonly onAbort = (): void => this.wake();

  private waken(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake(), ms);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = () => undefined;
        resolve();
      };
    });
  }

  /** What does not fit is left out here; the archive has the event as it should be. */
  private hear(message: Msg): void {
    try {
      const parsed = FeedEvent.safeParse(message.json());
      if (parsed.success && this.queue.length <= MAX_QUEUED) this.queue.push(parsed.data);
    } catch {
      return;
    }
    this.wake();
  }
}
