/**
 * How an attempt is told that it is to stop: what an `AbortController` does, at a fraction of its cost. A whole `AbortSignal` is made only
 * where something asks for one, as tools and models do.
 */
import type { EndSignal } from '@cadre/engine';

export class Ending implements EndSignal {
  aborted = false;
  reason: unknown;
  #listeners: (() => void)[] = [];
  #full: AbortController | undefined;

  /** Tells everybody, once. */
  abort(reason?: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
    this.#full?.abort(reason);
  }

  /** Each listener is called at most once. */
  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.aborted) this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const index = this.#listeners.lastIndexOf(listener);
    if (index !== -1) this.#listeners.splice(index, 1);
  }

  get signal(): AbortSignal {
    if (this.#full === undefined) {
      this.#full = new AbortController();
      if (this.aborted) this.#full.abort(this.reason);
    }
    return this.#full.signal;
  }
}

/** For who needs all of an `AbortSignal`. */
export function wholeSignal(signal: EndSignal): AbortSignal {
  return signal instanceof Ending ? signal.signal : (signal as AbortSignal);
}
