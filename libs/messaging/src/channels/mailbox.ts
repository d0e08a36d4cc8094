/**
 * What has passed in a channel for one participant and was not read yet. Its memory is bounded: what does not fit is not kept, and counted.
 */
import type { KeptChannel, Message, Subscription } from '@cadre/contracts';
import type { MessageCarrier } from './channel-ports.js';
import { isWanted, reaches } from './channel-rules.js';
import { MessageQueue } from './message-queue.js';

const LIMITS = { messages: 200, bytes: 512 * 1024 };

export interface Mail {
  messages: Message[];
  /** There are others that are wanted. */
  more: boolean;
  /** So many were not kept since the last time. */
  missed: number;
}

export class Mailbox {
  private constructor(
    /** Of the channel: one that was made anew under the same name has another. */
    readonly generation: string,
    private readonly queue: MessageQueue,
    readonly close: () => void,
  ) {}

  /** Errors: `store-unavailable`. */
  static async open(carrier: MessageCarrier, kept: KeptChannel, who: Pick<Subscription, 'name' | 'skills'>): Promise<Mailbox> {
    const queue = new MessageQueue(LIMITS);
    const close = await carrier.subscribe(kept, (message) => {
      if (reaches(message, who)) queue.push(message);
    });
    return new Mailbox(kept.generation, queue, close);
  }

  /** Takes what is wanted out; the rest stays for later. */
  take(subscription: Pick<Subscription, 'types' | 'where'>, most: { messages: number; bytes: number }): Mail {
    const taken = this.queue.takeWanted((message) => isWanted(message, subscription), most);
    return { ...taken, missed: this.queue.takeMissed() };
  }

  /** Until something comes in, at the longest for that time; `wake` ends it. */
  wait(ms: number): Promise<void> {
    return this.queue.wait(ms);
  }

  wake(): void {
    this.queue.wake();
  }
}
