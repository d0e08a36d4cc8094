/**
 * Runs the end-to-end suites one at a time, and then all others side by side. Each of the former starts a whole system of a dozen processes: two
 * at once would only show how an overloaded machine behaves.
 */
import TestRunner from 'jest-runner';

const IN_TURN = /\.e2e\.spec\.ts$/;

export default class InTurnRunner {
  supportsEventEmitters = true;
  #inTurn;
  #sideBySide;

  constructor(config, context) {
    this.#inTurn = new TestRunner({ ...config, maxWorkers: 1 }, context);
    this.#sideBySide = new TestRunner(config, context);
  }

  on(event, listener) {
    const off = [this.#inTurn, this.#sideBySide].map((runner) => runner.on(event, listener));
    return () => off.forEach((each) => each());
  }

  async runTests(tests, watcher, options) {
    const inTurn = tests.filter(({ path }) => IN_TURN.test(path));
    const rest = tests.filter(({ path }) => !IN_TURN.test(path));
    if (inTurn.length > 0) await this.#inTurn.runTests(inTurn, watcher, options);
    if (rest.length > 0 && !watcher.isInterrupted()) await this.#sideBySide.runTests(rest, watcher, options);
  }
}
