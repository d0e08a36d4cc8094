/** What happened, as one number, and on demand as lines to read. */
export class Trace {
  /** Readable lines, when they are wanted. */
  readonly lines: string[] | undefined;
  #hash = 0x811c9dc5;
  #now: () => number = () => 0;

  constructor(readable: boolean) {
    this.lines = readable ? [] : undefined;
  }

  /** Whose time stands before the lines. */
  timeFrom(now: () => number): void {
    this.#now = now;
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193);
  }

  mixText(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.mix(text.charCodeAt(i));
  }

  /** @param text made only when lines are wanted */
  say(who: string, text: () => string): void {
    this.lines?.push(`${(this.#now() / 1000).toFixed(3).padStart(9)} ${who.padEnd(9)} ${text()}`);
  }
}
