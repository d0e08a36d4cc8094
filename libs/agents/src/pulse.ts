/**
 * Heartbeats: one each quarter of a second, and one soon after each change, so that nobody is in doubt for long about what is held here.
 */
import { HEARTBEAT } from '@cadre/contracts';
import type { Heartbeat } from '@cadre/contracts';
import type { Clock } from '@cadre/engine';

const SOON_MS = 100;

export type Vitals = Pick<Heartbeat, 'state' | 'slots' | 'held' | 'definitions' | 'templates' | 'mcp'>;

export class Pulse {
  private seq = 0;
  private next: (() => void) | undefined;
  private soon: (() => void) | undefined;

  /** @param send may throw, for instance while the connection is down: a beat lost is nothing */
  constructor(
    private readonly identity: Omit<Heartbeat, keyof Vitals | 'seq' | 'at'>,
    private readonly vitals: () => Vitals,
    private readonly clock: Clock,
    private readonly send: (heartbeat: Heartbeat) => void,
  ) {}

  start(): void {
    this.next = this.clock.after(HEARTBEAT.everyMs, () => this.start());
    this.beat();
  }

  beatSoon(): void {
    if (this.next === undefined) return;
    this.soon ??= this.clock.after(SOON_MS, () => {
      this.soon = undefined;
      this.beat();
    });
  }

  /** Sends the last beat: the worker takes its leave. */
  stop(): void {
    this.next?.();
    this.soon?.();
    this.next = undefined;
    this.beat();
  }

  private beat(): void {
    try {
      this.send({ ...this.identity, ...this.vitals(), seq: this.seq, at: this.clock.now() });
      this.seq += 1;
    } catch {
      // The connection is down or closed; the next beat tells all that this one would have.
    }
  }
}
