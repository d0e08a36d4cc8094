/** Heartbeats: one each quarter of a second, and one soon after each change, so that a freed slot is not idle until the next. */
import { HEARTBEAT } from '@cadre/contracts';
import type { Heartbeat } from '@cadre/contracts';

const SOON_MS = 10;

export type Vitals = Pick<Heartbeat, 'state' | 'slots' | 'held'>;

export class Pulse {
  private seq = 0;
  private interval: NodeJS.Timeout | undefined;
  private soon: NodeJS.Timeout | undefined;

  /** @param send may throw, for instance while the connection is down: a beat lost is nothing */
  constructor(
    private readonly identity: Omit<Heartbeat, keyof Vitals | 'seq' | 'at'>,
    private readonly vitals: () => Vitals,
    private readonly send: (heartbeat: Heartbeat) => void,
  ) {}

  start(): void {
    this.beat();
    this.interval = setInterval(() => this.beat(), HEARTBEAT.everyMs);
  }

  beatSoon(): void {
    if (this.interval === undefined) return;
    this.soon ??= setTimeout(() => {
      this.soon = undefined;
      this.beat();
    }, SOON_MS);
  }

  /** Sends the last beat: the worker takes its leave. */
  stop(): void {
    clearInterval(this.interval);
    clearTimeout(this.soon);
    this.interval = undefined;
    this.beat();
  }

  private beat(): void {
    try {
      this.send({ ...this.identity, ...this.vitals(), seq: this.seq, at: Date.now() });
      this.seq += 1;
    } catch {
      // The connection is down or closed; the next beat tells all that this one would have.
    }
  }
}
