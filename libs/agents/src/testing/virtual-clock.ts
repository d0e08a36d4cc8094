/** Time that passes only when told to. */
import type { Clock } from '@cadre/engine';

interface Timer {
  at: number;
  run: () => void;
}

export class VirtualClock implements Clock {
  private timers: Timer[] = [];

  /** @param idle settles once all that follows without timers has happened: a turn of the event loop */
  constructor(
    private readonly idle: () => Promise<void>,
    private time = 1_000_000,
  ) {}

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  soon(run: () => void): void {
    this.after(0, run);
  }

  /** Runs all timers that are due within this time, in order, each followed by what it sets off. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await this.idle();
      const next = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
    await this.idle();
  }
}
