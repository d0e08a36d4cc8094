/** Seeded chance (sfc32). The same seed gives the same numbers; forks are independent of how much their parent is used. */
export class Dice {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  #forks = 0;

  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = Math.imul(seed, 0x9e3779b9) ^ stream;
    this.#c = 0x243f6a88 ^ Math.imul(stream, 0x85ebca6b);
    this.#d = 1;
    for (let i = 0; i < 15; i += 1) this.#next();
  }

  /** Another stream of chance. */
  fork(): Dice {
    this.#forks += 1;
    return new Dice(this.#a ^ Math.imul(this.#d, 0x27d4eb2f), Math.imul(this.#forks, 0x165667b1) ^ this.#b);
  }

  /** In [0, 1). */
  random(): number {
    return (this.#next() >>> 0) / 4294967296;
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random() < probability;
  }

  /** A whole number from `least` to `most`. */
  int(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1));
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T;
  }

  /** Each item with the given probability, in order. */
  some<T>(items: readonly T[], probability: number): T[] {
    return items.filter(() => this.chance(probability));
  }

  #next(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return t;
  }
}
