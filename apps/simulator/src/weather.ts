/**
 * What goes wrong, and how often. Each seed has a weather of its own: some kinds of faults often, some seldom, some not at all, because
 * a fault of every kind at every step would only show that nothing works then.
 */
import type { Dice } from './chance.js';

/** Kinds of faults of single messages; each is a probability. */
export interface MessageFaults {
  /** The message never arrives. */
  lost: number;
  /** It arrives and is carried out; the answer does not come: done but timed out. */
  answerLost: number;
  /** It arrives after its sender has given up. */
  late: number;
  /** It arrives twice. */
  twice: number;
  /** It takes long, so that others overtake it. */
  slow: number;
  /** The sender dies before it is sent, after it was carried out, or with the answer. */
  crash: number;
}

/** Kinds of disasters; mean time between two of each kind in milliseconds, 0: none. */
export interface Disasters {
  crash: number;
  /** A process stands still and goes on as a zombie. */
  pause: number;
  /** A process is cut off from the broker. */
  partition: number;
  /** The broker answers nobody: a restart, or an election of its leader. */
  outage: number;
  /** A process is told to stop, and started again. */
  restart: number;
  /** The broker drops a lease before its time. */
  revoke: number;
}

export interface Weather {
  messages: MessageFaults;
  disasters: Disasters;
  /** Of two clocks, at most. */
  skewMs: number;
}

export const MESSAGE_FAULTS = ['lost', 'answerLost', 'late', 'twice', 'slow', 'crash'] as const;
export const DISASTERS = ['crash', 'pause', 'partition', 'outage', 'restart', 'revoke'] as const;

export const CALM: Weather = {
  messages: { lost: 0, answerLost: 0, late: 0, twice: 0, slow: 0, crash: 0 },
  disasters: { crash: 0, pause: 0, partition: 0, outage: 0, restart: 0, revoke: 0 },
  skewMs: 0,
};

export function drawWeather(dice: Dice): Weather {
  const messages = { ...CALM.messages };
  for (const kind of MESSAGE_FAULTS) if (dice.chance(0.6)) messages[kind] = 0.1 * dice.random() ** 3;
  if (messages.crash > 0) messages.crash /= 10;
  if (dice.chance(0.3)) messages.slow = dice.random() / 3;
  const disasters = { ...CALM.disasters };
  for (const kind of DISASTERS) if (dice.chance(0.5)) disasters[kind] = dice.int(1000, 12_000);
  return { messages, disasters, skewMs: dice.chance(0.5) ? 0 : dice.int(1, 300) };
}

/** How one message fares. */
export type Fate = 'well' | (typeof MESSAGE_FAULTS)[number];

export class Sky {
  /** Probability that anything at all is wrong with a message: asked first, since it is small. */
  #any = 0;
  #calm = false;
  #weather: Weather;

  constructor(
    weather: Weather,
    private readonly dice: Dice,
  ) {
    this.#weather = weather;
    this.#sum();
  }

  get weather(): Weather {
    return this.#weather;
  }

  get isCalm(): boolean {
    return this.#calm;
  }

  /** From here on nothing goes wrong. */
  clear(): void {
    this.#calm = true;
    this.#weather = CALM;
    this.#sum();
  }

  fate(): Fate {
    if (this.#any === 0) return 'well';
    let at = this.dice.random();
    if (at >= this.#any) return 'well';
    for (const kind of MESSAGE_FAULTS) {
      at -= this.#weather.messages[kind];
      if (at < 0) return kind;
    }
    return 'well';
  }

  /** Of one way, in milliseconds. */
  latencyMs(): number {
    return 0.2 + this.dice.random() * 1.5;
  }

  slowMs(): number {
    return 5 + this.dice.random() ** 2 * 400;
  }

  /** For choices that belong to faults. */
  get chance(): Dice {
    return this.dice;
  }

  #sum(): void {
    this.#any = MESSAGE_FAULTS.reduce((sum, kind) => sum + this.#weather.messages[kind], 0);
  }
}
