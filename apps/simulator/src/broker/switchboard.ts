/** Subjects and who listens to them: offers, cancellations, heartbeats, and the command subjects of shards. */
import type { CommandReply } from '@cadre/contracts';
import type { Life } from '../life.js';

type Listener<T> = { life: Life; hear: (message: T) => void };

/** One subject space for messages of one kind. */
export class Subjects<T> {
  readonly #listeners = new Map<string, Set<Listener<T>>>();

  listen(subject: string, life: Life, hear: (message: T) => void): () => void {
    const listeners = this.#listeners.get(subject) ?? new Set();
    this.#listeners.set(subject, listeners);
    const listener = { life, hear };
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** The living ones that the broker knows of. */
  at(subject: string): Listener<T>[] {
    return [...(this.#listeners.get(subject) ?? [])].filter(({ life }) => !life.isDead);
  }
}

/** A batch of commands as it arrives; `answer` may be called by several listeners, the first counts. */
export interface CommandRequest {
  commands: string[];
  answer: (replies: CommandReply[]) => void;
}
