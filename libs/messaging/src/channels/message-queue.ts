/** Messages that have come in and were not taken yet, for one reader. Its memory is bounded: what does not fit is not kept, and counted. */
import { utf8Bytes, type Message } from '@cadre/contracts';

export const QUEUE_LIMITS = { messages: 1000, bytes: 4 * 1024 * 1024 } as const;

/** For what a message takes beside its data. */
const ROOM_BYTES = 500;

export class MessageQueue {
  readonly #messages: { message: Message; bytes: number }[] = [];
  #bytes = 0;
  #missed = 0;
  #waiting: (() => void) | undefined;
  #woken = false;

  /** @param limits of what waits here */
  constructor(private readonly limits: { messages: number; bytes: number } = QUEUE_LIMITS) {}

  push(message: Message): void {
    const bytes = utf8Bytes(JSON.stringify(message.data)) + ROOM_BYTES;
    if (this.#messages.length >= this.limits.messages || this.#bytes + bytes > this.limits.bytes) this.#missed += 1;
    else {
      this.#messages.push({ message, bytes });
      this.#bytes += bytes;
    }
    this.wake();
  }

  shift(): Message | undefined {
    const first = this.#messages.shift();
    this.#bytes -= first?.bytes ?? 0;
    return first?.message;
  }

  /**
   * Takes the first ones that are wanted out of their order. `more`: others that are wanted did not fit. At least one is given, however
   * long.
   */
  takeWanted(wanted: (message: Message) => boolean, most: { messages: number; bytes: number }): { messages: Message[]; more: boolean } {
    const messages: Message[] = [];
    let bytes = 0;
    for (const each of this.#messages.filter(({ message }) => wanted(message))) {
      if (messages.length > 0 && (messages.length >= most.messages || bytes + each.bytes > most.bytes)) return { messages, more: true };
      this.#messages.splice(this.#messages.indexOf(each), 1);
      this.#bytes -= each.bytes;
      messages.push(each.message);
      bytes += each.bytes;
    }
    return { messages, more: false };
  }

  /** How many were not kept since this was asked before. */
  takeMissed(): number {
    const missed = this.#missed;
    this.#missed = 0;
    return missed;
  }

  /** Ends a wait, or the next one if there is none: whoever looks first and waits then misses nothing. */
  wake(): void {
    if (this.#waiting === undefined) this.#woken = true;
    else this.#waiting();
  }

  /** Until something comes in or `wake` is called, at the longest for that time. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
        this.#woken = false;
        resolve();
      };
      const timer = setTimeout(end, ms);
      if (this.#woken) end();
      else this.#waiting = end;
    });
  }
}
