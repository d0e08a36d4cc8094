/**
 * Times between the beginnings of consecutive steps of one run, seen where the steps are done: with one run at a time, what a step takes.
 */
export class StepGaps {
  #run;
  #at = 0;
  #gaps = [];

  seen(run) {
    const now = performance.now();
    if (run === this.#run) this.#gaps.push(now - this.#at);
    this.#run = run;
    this.#at = now;
    if (this.#gaps.length > 100_000) this.#gaps = [];
  }

  /** Those since the last call. */
  take() {
    const gaps = this.#gaps;
    this.#gaps = [];
    this.#run = undefined;
    return gaps;
  }
}
