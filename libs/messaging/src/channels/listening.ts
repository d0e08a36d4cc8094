/**
 * One reader at a channel, until it stops, the channel is removed or the right to receive is taken away. Of a durable channel it reads what
 * is kept, from its position on, as fast as it takes it: a hint by the broker says when to look, and in silence it looks now and then. Of
 * another channel it gets what passes, through a queue with bounds.
 */
import { CadreError, type KeptChannel, type Message, type TenantId } from '@cadre/contracts';
import type { MessageCarrier } from './channel-ports.js';
import { MessageQueue } from './message-queue.js';

/** `overrun`: too slow for what passed. */
export type ListeningEnd = 'stopped' | 'removed' | 'not-allowed' | 'overrun';

export interface Heard {
  message: Message;
  /** In a durable channel. */
  position?: number;
}

export interface ListeningParts {
  kept: KeptChannel;
  carrier: MessageCarrier;
  /** Calls back when the channel may have changed. @returns what ends it */
  watch(tenant: TenantId, name: string, changed: () => void): Promise<() => void>;
  /** As it is now, if this reader may still receive from it, else why not. */
  current(): Promise<KeptChannel | 'removed' | 'not-allowed'>;
  wanted(message: Message): boolean;
  /** Of a durable channel. Default: what comes from now on. */
  after?: number | undefined;
  signal: AbortSignal;
}

const PAGE = 100;
/** After so long a silence a durable channel is looked at, sooner when something was said; the last one goes on. */
const QUIET_MS = [20, 100, 500, 2000, 5000];
/** After so long a time the channel is looked up again, should the broker's word of a change have been lost. */
const CHECK_MS = 15_000;

export class Listening {
  #end: ListeningEnd | undefined;
  #page: Heard[] = [];
  #silences = QUIET_MS.length - 1;
  #checkAt = 0;
  #closes: (() => void)[] = [];

  private constructor(
    private readonly parts: ListeningParts,
    private readonly queue: MessageQueue,
    private position: number,
  ) {}

  /** Hears all that is sent after this has resolved. Errors: `store-unavailable`. */
  static async open(parts: ListeningParts): Promise<Listening> {
    const { kept, carrier, signal } = parts;
    const durable = kept.channel.durable;
    const position = durable ? (parts.after ?? (await carrier.end(kept))) : 0;
    const listening = new Listening(parts, new MessageQueue(durable ? { messages: 0, bytes: 0 } : undefined), position);
    await listening.#begin();
    if (signal.aborted) listening.#finish('stopped');
    return listening;
  }

  /** Why `next` gave nothing any more. */
  get end(): ListeningEnd | undefined {
    return this.#end;
  }

  /** The next message; undefined when it is over, or none has come within the time. */
  async next(withinMs = Number.POSITIVE_INFINITY): Promise<Heard | undefined> {
    const until = performance.now() + withinMs;
    for (;;) {
      const heard = this.#end === undefined ? await this.#take() : undefined;
      if (heard !== undefined) return heard;
      const left = until - performance.now();
      if (this.#end !== undefined || left <= 0) return undefined;
      await this.queue.wait(Math.min(left, this.#pauseMs(), CHECK_MS));
      await this.#check();
    }
  }

  close(): void {
    this.#finish('stopped');
  }

  async #begin(): Promise<void> {
    const { kept, carrier, watch, signal } = this.parts;
    const stop = (): void => this.#finish('stopped');
    signal.addEventListener('abort', stop, { once: true });
    this.#closes.push(() => signal.removeEventListener('abort', stop));
    try {
      this.#closes.push(
        await watch(kept.tenant, kept.channel.name, () => {
          this.#checkAt = 0;
          this.queue.wake();
        }),
      );
      this.#closes.push(await carrier.subscribe(kept, (message) => this.#hear(message)));
      // It may have gone before the watch stood.
      await this.#check();
    } catch (error) {
      this.#finish('stopped');
      throw error;
    }
  }

  #hear(message: Message): void {
    if (this.parts.kept.channel.durable) {
      this.#silences = 0;
      this.queue.wake();
    } else if (this.parts.wanted(message)) this.queue.push(message);
  }

  async #take(): Promise<Heard | undefined> {
    if (!this.parts.kept.channel.durable) return this.#takePassing();
    for (;;) {
      const next = this.#page.shift();
      if (next === undefined && !(await this.#readOn())) return undefined;
      if (this.#end !== undefined) return undefined;
      if (next !== undefined && this.parts.wanted(next.message)) return next;
    }
  }

  #takePassing(): Heard | undefined {
    const message = this.queue.shift();
    if (message !== undefined) return { message };
    if (this.queue.takeMissed() > 0) this.#finish('overrun');
    return undefined;
  }

  /** @returns whether there was something to read */
  async #readOn(): Promise<boolean> {
    try {
      const found = await this.parts.carrier.read(this.parts.kept, this.position, PAGE);
      this.#page = found;
      this.position = found.at(-1)?.position ?? this.position;
      return found.length > 0;
    } catch (error) {
      // The broker comes back, and then it is read on from here.
      if (error instanceof CadreError && error.retriable) return false;
      throw error;
    }
  }

  #pauseMs(): number {
    if (!this.parts.kept.channel.durable) return CHECK_MS;
    const ms = QUIET_MS[this.#silences] ?? CHECK_MS;
    this.#silences = Math.min(this.#silences + 1, QUIET_MS.length - 1);
    return ms;
  }

  async #check(): Promise<void> {
    if (this.#end !== undefined || performance.now() < this.#checkAt) return;
    this.#checkAt = performance.now() + CHECK_MS;
    const now = await this.parts.current().catch((error: unknown) => {
      if (error instanceof CadreError && error.retriable) return this.parts.kept;
      throw error;
    });
    if (typeof now === 'string') this.#finish(now);
    else if (now.generation !== this.parts.kept.generation) this.#finish('removed');
  }

  #finish(end: ListeningEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    for (const close of this.#closes.splice(0)) close();
    this.queue.wake();
  }
}
