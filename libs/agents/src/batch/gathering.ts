/** Brings together what is at hand at the same time: the first one waits a while for others, then all are taken in one go. */
import type { Clock, EndSignal } from '@cadre/engine';
import { abortError, untilAborted } from '../abort.js';

export interface GatherWish {
  /** Only what names the same is taken together. */
  group: string;
  /** At most so many. */
  max: number;
  /** How long the first one waits for others, in milliseconds. */
  waitMs: number;
}

interface Seat<T, R> {
  item: T;
  resolve(value: R): void;
  reject(error: unknown): void;
}

interface Table<T, R> {
  seats: Set<Seat<T, R>>;
  stopTimer(): void;
}

export interface GatheringParts<T, R> {
  clock: Pick<Clock, 'after'>;
  /** So many can be at hand at once: nobody waits for more. */
  most: number;
  /**
   * Is given what was gathered, within the call that completes it, and says what becomes of each, in the same order. When it rejects, all
   * of them do.
   */
  perform(items: T[]): Promise<PromiseSettledResult<R>[]>;
}

export class Gathering<T, R> {
  private readonly tables = new Map<string, Table<T, R>>();

  constructor(private readonly parts: GatheringParts<T, R>) {}

  /** What becomes of the item. Rejects as soon as the signal aborts; an item that is not taken by then leaves the others. */
  join({ group, max, waitMs }: GatherWish, item: T, signal: EndSignal): Promise<R> {
    if (signal.aborted) return Promise.reject(abortError(signal));
    const table = this.tables.get(group) ?? this.open(group, waitMs);
    const outcome = new Promise<R>((resolve, reject) => {
      const seat = { item, resolve, reject };
      const leave = () => this.leave(group, table, seat);
      const over = <V>(end: (value: V) => void) => {
        return (value: V) => {
          signal.removeEventListener('abort', leave);
          end(value);
        };
      };
      Object.assign(seat, { resolve: over(resolve), reject: over(reject) });
      table.seats.add(seat);
      signal.addEventListener('abort', leave, { once: true });
    });
    if (table.seats.size >= Math.min(max, this.parts.most)) this.take(group, table);
    return untilAborted(outcome, signal);
  }

  private open(group: string, waitMs: number): Table<T, R> {
    const table: Table<T, R> = { seats: new Set(), stopTimer: () => undefined };
    table.stopTimer = this.parts.clock.after(waitMs, () => this.take(group, table));
    this.tables.set(group, table);
    return table;
  }

  private leave(group: string, table: Table<T, R>, seat: Seat<T, R>): void {
    if (this.tables.get(group) !== table) return;
    table.seats.delete(seat);
    if (table.seats.size > 0) return;
    table.stopTimer();
    this.tables.delete(group);
  }

  private take(group: string, table: Table<T, R>): void {
    table.stopTimer();
    this.tables.delete(group);
    const seats = [...table.seats];
    const settle = (results: PromiseSettledResult<R>[]) => {
      for (const [place, { resolve, reject }] of seats.entries()) {
        const result = results[place];
        if (result?.status === 'fulfilled') resolve(result.value);
        else reject(result?.reason ?? new Error('nothing was said of what became of it'));
      }
    };
    this.parts.perform(seats.map(({ item }) => item)).then(settle, (error: unknown) => {
      for (const { reject } of seats) reject(error);
    });
  }
}
