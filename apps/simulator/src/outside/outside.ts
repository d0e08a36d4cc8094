/**
 * The world outside: model servers and the things that tools act upon. It answers late, with errors or not at all, and what it has done it
 * has done, whether anybody hears of it or not. It counts effects by key, and asks the watch whether a call may be made at all.
 */
import { CadreError } from '@cadre/contracts';
import type { Dice } from '../chance.js';
import type { Life } from '../life.js';
import type { Surroundings } from '../surroundings.js';

/** How well the world outside behaves; probabilities of each call. */
export interface OutsideManners {
  /** Refused before anything is done, and says so. */
  refuses: number;
  /** Fails without saying whether anything was done. */
  fails: number;
  /** Done, but the answer is lost. */
  silent: number;
  /** Takes very long. */
  slow: number;
}

export const POLITE: OutsideManners = { refuses: 0, fails: 0, silent: 0, slow: 0 };

export function drawManners(dice: Dice): OutsideManners {
  const rate = (): number => (dice.chance(0.6) ? 0.25 * dice.random() ** 2 : 0);
  return { refuses: rate(), fails: rate(), silent: rate(), slow: rate() };
}

/** What the outside tells the watch. */
export interface CallWitness {
  /** A worker is about to make a call. */
  dispatched(key: string, place: string, who: string): void;
  /** An effect happens. */
  happened(key: string, tool: string): void;
}

export interface OutsideCall<T> {
  key: string;
  /** Where in the work the call is made, whatever its key. */
  place: string;
  name: string;
  /** It does something to the world, which is counted under its key. */
  effect: boolean;
  answer: () => T;
  /** Codes of its errors. */
  faults?: { refused: string; broke: string };
}

const TOOL_FAULTS = { refused: 'tool-busy', broke: 'tool-broke' };

/** Nothing takes longer than this from the worker until it is done. */
export const LONGEST_CALL_MS = 1500;

export class Outside {
  /** How often each effect has happened. */
  readonly effects = new Map<string, number>();

  constructor(
    private readonly around: Surroundings,
    private readonly manners: OutsideManners,
    private readonly dice: Dice,
    private readonly witness: CallWitness,
  ) {}

  call<T>(life: Life, call: OutsideCall<T>): Promise<T> {
    const { timeline, trace, sky } = this.around;
    const { key, name, faults = TOOL_FAULTS } = call;
    if (life.isDead) return new Promise<T>(() => undefined);
    this.witness.dispatched(key, call.place, life.name);
    const { refuses, fails, silent, slow } = sky.isCalm ? POLITE : this.manners;
    const draw = this.dice.random();
    trace.say(life.name, () => `calls ${name} ${key.slice(0, 6)}`);
    return new Promise<T>((resolve, reject) => {
      const answer = (ms: number, settle: () => void): void => void timeline.after(ms, () => life.enter(settle));
      const fail = (code: string, billed: 'no' | 'unknown'): void => {
        const error = new CadreError(code, 'the world outside does not help', { retriable: true, billed });
        answer(this.#ms(), () => reject(error));
      };
      if (draw < refuses) return fail(faults.refused, 'no');
      const isSlow = this.dice.chance(slow);
      timeline.after(isSlow ? this.dice.int(200, LONGEST_CALL_MS) : this.#ms(), () => {
        const done = draw >= refuses + fails / 2;
        if (done && call.effect) this.#happen(key, name);
        if (draw < refuses + fails) return fail(faults.broke, 'unknown');
        if (draw >= refuses + fails + silent) answer(this.#ms(), () => resolve(call.answer()));
      });
    });
  }

  #happen(key: string, name: string): void {
    this.effects.set(key, (this.effects.get(key) ?? 0) + 1);
    this.around.trace.mixText(key.slice(0, 4));
    this.witness.happened(key, name);
  }

  #ms(): number {
    return 1 + this.dice.random() * 60;
  }
}
