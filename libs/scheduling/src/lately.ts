/** Remembers names for a while: each for one to two times the period, in two sets that take turns. */
export class Lately {
  #now = new Set<string>();
  #before = new Set<string>();
  #turnedAt = 0;

  constructor(private readonly periodMs: number) {}

  add(name: string, now: number): void {
    if (now - this.#turnedAt >= this.periodMs) {
      this.#before = now - this.#turnedAt >= 2 * this.periodMs ? new Set() : this.#now;
      this.#now = new Set();
      this.#turnedAt = now;
    }
    this.#now.add(name);
  }

  has(name: string): boolean {
    return this.#now.has(name) || this.#before.has(name);
  }
}
