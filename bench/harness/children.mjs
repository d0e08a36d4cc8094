/** Starts the processes of a system under measurement and talks to them: services by their ready file, our own by messages over IPC. */
import { fork } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PROBE = join(import.meta.dirname, 'probe.mjs');
const REPOSITORY = join(import.meta.dirname, '../..');
const START_MS = 30_000;

/** Everything this process has started and not yet ended, so that an interrupted benchmark leaves nothing behind. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

/** A process with a control channel: `ask({ do: … })` gives its answer. */
export class Child {
  #process;
  #waiting = new Map();
  #lastId = 0;
  #exited;

  /** @param tree the checkout whose code it runs */
  constructor(name, file, { env = {}, scratch, profileDir, tree = REPOSITORY, nodeArgs = [] } = {}) {
    this.name = name;
    const settings = {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', LOG_LEVEL: 'warn', ...env },
      ...(scratch && { NODE_COMPILE_CACHE: join(scratch, 'compile-cache') }),
      ...(profileDir && { BENCH_PROFILE: join(profileDir, name) }),
    };
    this.#process = fork(join(tree, file), {
      cwd: tree,
      env: settings,
      execArgv: ['--import', PROBE, ...nodeArgs],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    running.add(this.#process);
    this.#exited = new Promise((resolve) => this.#process.once('exit', (code, signal) => resolve(signal ?? code)));
    void this.#exited.then((how) => this.#over(how));
    this.#process.on('message', (message) => this.#answer(message));
  }

  get pid() {
    return this.#process.pid;
  }

  /** Rejects when the process ends first or does not answer in time. */
  ask(question, timeoutMs = 120_000) {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#settle(id, new Error(`${this.name} did not answer "${question.do}" within ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.#waiting.set(id, { resolve, reject, timer });
      this.#process.send({ benchId: id, ...question }, (error) => error && this.#settle(id, error));
    });
  }

  async stop() {
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 15_000);
    await this.#exited;
    clearTimeout(timer);
  }

  async kill() {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  #answer({ benchId, error, value }) {
    if (benchId !== undefined) this.#settle(benchId, error === undefined ? undefined : new Error(`${this.name}: ${error}`), value);
  }

  #settle(id, error, value) {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error) waiting.reject(error);
    else waiting.resolve(value);
  }

  #over(how) {
    running.delete(this.#process);
    for (const id of [...this.#waiting.keys()]) this.#settle(id, new Error(`${this.name} ended (${how})`));
  }
}

/** A service as deployed, from its built `main.js`; resolves once it listens. */
export async function startService(name, { scratch, env, ...rest }) {
  const readyFile = join(scratch, `${name}.ready`);
  rmSync(readyFile, { force: true });
  // As deployed; a profile tells more of modules that are not bundled.
  const main = rest.profileDir ? `apps/${name}/dist/main.js` : `dist/${name}/main.js`;
  const child = new Child(name, main, { scratch, env: { CADRE_READY_FILE: readyFile, ...env }, ...rest });
  const until = Date.now() + START_MS;
  while (!existsSync(readyFile)) {
    if (Date.now() > until) throw new Error(`${name} was not ready within ${START_MS} ms`);
    await sleep(20);
  }
  child.url = JSON.parse(readFileSync(readyFile, 'utf8')).url;
  return child;
}

/** In a process of ours: carries out what is asked, by the name in `do`. The probe has been there before us. */
export function answerQuestions(handlers) {
  globalThis[Symbol.for('cadre.bench.answer')](handlers);
}

/** Runs `start(i)` for 0 … count-1, so many at once. @param maxMs no more are started after this time */
export async function inFlight(count, width, start, maxMs = Infinity) {
  const until = performance.now() + maxMs;
  let next = 0;
  const line = async () => {
    while (next < count && performance.now() < until) await start(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, line));
}

/**
 * CPU milliseconds that each process has used so far, by name; of a server that is not ours, as the kernel counts them (in steps of 10 ms).
 */
export async function cpuByName(children, serverPid) {
  const own = await Promise.all(children.map(async (child) => [child.name, (await child.ask({ do: 'cpu' })).ms]));
  return Object.fromEntries([['server', serverCpuMs(serverPid)], ...own]);
}

function serverCpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
