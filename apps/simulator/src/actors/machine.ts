/** Where a process runs: it is started there, dies, is told to stop, and is started again, each time as a new life. */
import { Life } from '../life.js';
import type { Dice } from '../chance.js';
import type { Surroundings } from '../surroundings.js';
import { Wire } from '../wire.js';

/** What a process does while it lives. */
export interface Duty {
  /** As on SIGTERM: ends in order. */
  stop(): Promise<void>;
}

/** Starts the code of a process. */
export type Boot = (wire: Wire) => Duty;

export class Machine {
  #life: Life | undefined;
  #duty: Duty | undefined;
  #lives = 0;
  #stopping = false;

  /** @param downMs how long it stays down after a death */
  constructor(
    readonly name: string,
    private readonly around: Surroundings,
    private readonly dice: Dice,
    private readonly boot: Boot,
    private readonly skewMs: number,
    private readonly downMs: () => number,
  ) {}

  get life(): Life | undefined {
    return this.#life?.isDead === false ? this.#life : undefined;
  }

  /** A new life, unless there is one. */
  start(): void {
    if (this.life) return;
    this.#lives += 1;
    this.#stopping = false;
    const name = `${this.name}.${this.#lives}`;
    const life = new Life(name, this.around.timeline, this.dice.fork(), this.skewMs, () => this.#died(life));
    this.#life = life;
    this.around.trace.say(name, () => 'starts');
    this.#duty = this.boot(new Wire(life, this.around));
  }

  /** Stops in order and starts again. */
  restart(): void {
    const { life } = this;
    if (!life || this.#stopping) return;
    this.#stopping = true;
    this.around.trace.say(life.name, () => 'is told to stop');
    // The duty's own code runs within the life.
    life.clock.soon(() => void this.#duty?.stop().then(() => life.kill()));
  }

  #died(life: Life): void {
    const { timeline, trace } = this.around;
    trace.say(life.name, () => 'is dead');
    timeline.after(this.downMs(), () => this.start());
  }
}
