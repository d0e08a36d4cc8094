/**
 * One life of one process. All that reaches its code comes through `enter`: timers, messages, answers. While the process is paused it
 * waits, as it would in the buffers of a stopped process; once it is dead nothing enters, so code that was waiting is never heard of again.
 */
import type { Chance, Clock } from '@cadre/engine';
import type { Dice } from './chance.js';
import type { Timeline } from './timeline.js';

export class Life {
  state: 'running' | 'paused' | 'dead' = 'running';
  /** False: it does not die of a message. */
  mortal = true;
  /** False: nothing gets from it to the broker or back. */
  connected = true;
  readonly clock: Clock;
  readonly chance: Chance;
  #backlog: (() => void)[] = [];
  #ids = 0;

  /**
   * @param name unique over all lives
   * @param skewMs how far its clock is off
   * @param onDeath called once, when it is killed
   */
  constructor(
    readonly name: string,
    private readonly timeline: Timeline,
    dice: Dice,
    skewMs: number,
    private readonly onDeath: () => void,
  ) {
    this.clock = {
      now: () => Math.floor(timeline.now) + skewMs,
      after: (ms, run) => {
        let event: { cancelled: boolean } | undefined = timeline.after(ms, () => this.enter(() => event?.cancelled || run()));
        return () => {
          if (event) event.cancelled = true;
          event = undefined;
        };
      },
      soon: (run) => void timeline.after(0, () => this.enter(run)),
    };
    this.chance = { random: () => dice.random(), newId: () => `${name}-${(this.#ids += 1)}` };
  }

  get isDead(): boolean {
    return this.state === 'dead';
  }

  enter(run: () => void): void {
    if (this.state === 'running') run();
    else if (this.state === 'paused') this.#backlog.push(run);
  }

  pause(): void {
    if (this.state === 'running') this.state = 'paused';
  }

  /** What came meanwhile enters now, one after the other. */
  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const run of backlog) this.timeline.after(0, () => this.enter(run));
  }

  kill(): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.#backlog = [];
    this.onDeath();
  }
}
