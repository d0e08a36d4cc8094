/** Virtual time: a queue of events, earliest first, equal times in the order in which they were set. */
import type { Trace } from './trace.js';

/** The virtual day begins here: 2026-01-01, milliseconds since 1970. */
export const DAWN = 1_767_225_600_000;

export interface TimelineEvent {
  at: number;
  order: number;
  cancelled: boolean;
  run: () => void;
}

export class Timeline {
  now = DAWN;
  /** Events taken so far. */
  steps = 0;
  readonly #heap: TimelineEvent[] = [];
  #order = 0;

  constructor(private readonly trace: Trace) {
    trace.timeFrom(() => this.now - DAWN);
  }

  after(ms: number, run: () => void): TimelineEvent {
    this.#order += 1;
    const event = { at: this.now + Math.max(0, ms), order: this.#order, cancelled: false, run };
    this.#push(event);
    return event;
  }

  /** Takes the next event and runs it. @returns false when there is none */
  step(): boolean {
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) {
      if (event.cancelled) continue;
      this.now = Math.max(this.now, event.at);
      this.steps += 1;
      this.trace.mix(event.order);
      this.trace.mix(event.at * 16);
      event.run();
      return true;
    }
    return false;
  }

  #push(event: TimelineEvent): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): TimelineEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (isBefore(last, heap[child]!)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: TimelineEvent, b: TimelineEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
