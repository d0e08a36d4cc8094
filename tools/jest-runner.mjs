/**
 * Runs the end-to-end suites one at a time: each starts a whole system of a dozen processes, and two at once would only show how an
 * overloaded machine behaves. The unit suites, one thread each, and what waits most of its time for brokers run beside them on the core
 * that they leave; the rest comes after both, side by side.
 */
import TestRunner from 'jest-runner';

const WHOLE_SYSTEM = /\.e2e\.spec\.ts$/;
/** Takes all cores by itself, so it comes when the unit suites are over. */
const ALL_CORES = /simulator/;
const ONE_THREAD = /\.unit\.spec\.ts$/;
/** For elections, for leases to end, for connections to come back. */
const MOSTLY_WAITS = /\/(cluster|jetstream-leases|log-trouble|shard-follower|scheduler)\.int\.spec\.ts$/;
/** Long ones on one thread, which at the end would leave a core idle. */
const LONG = /\.sim\.spec\.ts$/;

/** Orders by whether a path fits. */
const first = (pattern) => (a, b) => pattern.test(b.path) - pattern.test(a.path);
const last = (pattern) => (a, b) => pattern.test(a.path) - pattern.test(b.path);

export default class LaneRunner {
  supportsEventEmitters = true;
  #inTurn;
  #beside;
  #sideBySide;

  constructor(config, context) {
    this.#inTurn = new TestRunner({ ...config, maxWorkers: 1 }, context);
    this.#beside = new TestRunner({ ...config, maxWorkers: 1 }, context);
    this.#sideBySide = new TestRunner(config, context);
  }

  on(event, listener) {
    const off = [this.#inTurn, this.#beside, this.#sideBySide].map((runner) => runner.on(event, listener));
    return () => off.forEach((each) => each());
  }

  async runTests(tests, watcher, options) {
    const systems = tests.filter(({ path }) => WHOLE_SYSTEM.test(path)).sort(last(ALL_CORES));
    const beside =
      systems.length === 0 ? [] : tests.filter(({ path }) => ONE_THREAD.test(path) || MOSTLY_WAITS.test(path)).sort(first(ONE_THREAD));
    const rest = tests.filter((test) => !systems.includes(test) && !beside.includes(test)).sort(first(LONG));
    const run = async (runner, part) =>
      void (part.length > 0 && !watcher.isInterrupted() && (await runner.runTests(part, watcher, options)));
    if (options.serial) for (const part of [systems, beside]) await run(this.#inTurn, part);
    else await Promise.all([run(this.#inTurn, systems), run(this.#beside, beside)]);
    await run(this.#sideBySide, rest);
  }
}
