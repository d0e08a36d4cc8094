/** Counts by name. A name that counts nothing takes no memory. */
export class Tally<K = string> {
  readonly #counts = new Map<K, number>();

  of(name: K): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: K, by: 1 | -1 = 1): void {
    const count = this.of(name) + by;
    if (count > 0) this.#counts.set(name, count);
    else this.#counts.delete(name);
  }
}
