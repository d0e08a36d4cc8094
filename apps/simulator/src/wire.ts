/** Between one life of a process and the broker: latency, and everything that can go wrong with a message. */
import type { CrashPoint } from '@cadre/contracts';
import type { Broker } from './broker/broker.js';
import type { Subjects } from './broker/switchboard.js';
import type { Life } from './life.js';
import type { Timeline } from './timeline.js';
import type { Trace } from './trace.js';
import type { Fate, Sky } from './weather.js';

/** What is between processes and the broker. */
export interface WireSurroundings {
  timeline: Timeline;
  broker: Broker;
  sky: Sky;
  trace: Trace;
}

/** No answer came. What was asked may or may not have been done. */
export class NoAnswer extends Error {}

const TIMEOUT_MS = 600;

export class Wire {
  constructor(
    readonly life: Life,
    private readonly around: WireSurroundings,
  ) {}

  /**
   * Asks the broker to do something. Rejects with `NoAnswer` when no answer comes in time, and with what the doing throws.
   * @param port names the kind of request, for the trace
   */
  ask<T>(port: string, act: () => T, timeoutMs = TIMEOUT_MS): Promise<T> {
    return this.request<T>(port, (answer) => answer(act()), timeoutMs);
  }

  /** Like `ask`, for what is answered later, by somebody else, or more than once. Throwing in `act` rejects. */
  request<T>(port: string, act: (answer: (value: T) => void) => void, timeoutMs = TIMEOUT_MS): Promise<T> {
    const { sky, timeline, trace } = this.around;
    const { life } = this;
    if (life.isDead) return new Promise<T>(() => undefined);
    const fate = this.#fate();
    if (fate !== 'well') trace.say(life.name, () => `${port}: ${fate}`);
    return new Promise<T>((resolve, reject) => {
      if (fate === 'crash' && sky.chance.chance(0.4)) return life.kill();
      let open = true;
      const giveUp = life.clock.after(timeoutMs, () => {
        open = false;
        reject(new NoAnswer(`${port}: no answer within ${timeoutMs} ms`));
      });
      const back = (settle: () => void): void => this.#back(fate, () => open && ((open = false), giveUp(), settle()));
      const arrive = (): void => {
        if (!this.around.broker.isUp || !life.connected) return;
        try {
          act((value) => back(() => resolve(value)));
        } catch (error) {
          back(() => reject(error as Error));
        }
        if (fate === 'crash') life.kill();
      };
      if (fate === 'lost') return;
      timeline.after(this.#wayMs(fate, timeoutMs), arrive);
      if (fate === 'twice') timeline.after(this.#wayMs('slow', timeoutMs), arrive);
    });
  }

  /** Tells the listeners of a subject. Never known to have arrived. */
  publish<T>(port: string, subjects: Subjects<T>, subject: string, message: T): void {
    const { timeline, trace } = this.around;
    if (this.life.isDead) return;
    const fate = this.#fate();
    if (fate !== 'well') trace.say(this.life.name, () => `${port}: ${fate}`);
    if (fate === 'lost') return;
    if (fate === 'crash') return this.life.kill();
    const arrive = (): void => {
      if (!this.around.broker.isUp || !this.life.connected) return;
      for (const { life, hear } of subjects.at(subject)) this.toListener(life, () => hear(message));
    };
    timeline.after(this.#wayMs(fate, TIMEOUT_MS), arrive);
    if (fate === 'twice') timeline.after(this.#wayMs('slow', TIMEOUT_MS), arrive);
  }

  /** From the broker to a process that listens. */
  toListener(life: Life, run: () => void): void {
    const { sky, timeline } = this.around;
    const ms = sky.fate() === 'slow' ? sky.slowMs() : sky.latencyMs();
    timeline.after(ms, () => life.connected && life.enter(run));
  }

  /** A named point in the code is passed: it may be its last. */
  pass(point: CrashPoint): void {
    const { sky, trace } = this.around;
    if (!this.life.mortal || !sky.chance.chance(sky.weather.messages.crash)) return;
    trace.say(this.life.name, () => `dies at ${point}`);
    this.life.kill();
  }

  #fate(): Fate {
    const fate = this.around.sky.fate();
    return fate === 'crash' && !this.life.mortal ? 'lost' : fate;
  }

  #back(fate: Fate, settle: () => void): void {
    const { sky, timeline, broker } = this.around;
    if (fate === 'answerLost' || !broker.isUp || !this.life.connected) return;
    timeline.after(sky.latencyMs(), () => this.life.connected && this.life.enter(settle));
  }

  #wayMs(fate: Fate, timeoutMs: number): number {
    const { sky } = this.around;
    if (fate === 'slow') return sky.slowMs();
    if (fate === 'late') return timeoutMs + sky.slowMs() * 3;
    return sky.latencyMs();
  }
}
