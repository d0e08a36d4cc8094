/** A live system on which accidents happen: its processes can be armed with a crash point, killed, frozen and held back. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalService, ProcessChange } from '@cadre/local-system';
import { LiveSystem } from '@cadre/local-system/testing';
import type { CrashPoint } from '@cadre/contracts';
import { LogWitness } from './log-witness.js';

export interface StageOptions {
  env?: Record<string, string>;
  services: readonly LocalService[];
  /** A broker of the caller's; else one is started with the system. */
  natsUrl?: string;
  /** Where data are kept; default: a temporary folder that goes with the stage. A folder given is kept. */
  dataDir?: string;
}

/** One that was frozen does within it what it was about to do, and hears that its attempts are closed. */
const WAKING_MS = 2000;

interface SeenChange {
  name: string;
  change: ProcessChange;
  at: number;
}

export class Stage {
  readonly #changes: SeenChange[];
  readonly #armed: Map<string, string>;
  readonly #held: Map<string, PromiseWithResolvers<void>>;
  readonly #frozen = new Set<string>();
  #wokenAt = 0;

  private constructor(
    readonly live: LiveSystem,
    readonly witness: LogWitness,
    state: { changes: SeenChange[]; armed: Map<string, string>; held: Map<string, PromiseWithResolvers<void>> },
  ) {
    this.#changes = state.changes;
    this.#armed = state.armed;
    this.#held = state.held;
  }

  static async start({ env = {}, services, natsUrl, dataDir }: StageOptions): Promise<Stage> {
    const state = { changes: [] as SeenChange[], armed: new Map<string, string>(), held: new Map<string, PromiseWithResolvers<void>>() };
    const live = await LiveSystem.start(
      { LOG_LEVEL: 'info', ...env },
      {
        services,
        ...(natsUrl === undefined ? {} : { natsUrl }),
        ...(dataDir === undefined ? {} : { dataDir }),
        longestBackoffMs: 300,
        onChange: (name, change) => void state.changes.push({ name, change, at: Date.now() }),
        envOf: async (name) => {
          await state.held.get(name)?.promise;
          const point = state.armed.get(name);
          state.armed.delete(name);
          return point === undefined ? {} : { CADRE_CRASH_AT: point };
        },
      },
    );
    return new Stage(live, await LogWitness.start(live.natsUrl), state);
  }

  /** Restarts a process in good order so that it dies at the n-th passing of the point. Settles when it is asked to end. */
  arm(name: string, point: CrashPoint, passing = 1): number {
    this.#armed.set(name, `${point}:${passing}`);
    return this.signal(name, 'SIGTERM');
  }

  /** @returns when */
  signal(name: string, signal: NodeJS.Signals): number {
    const pid = this.live.system.pids()[name];
    if (pid === undefined) throw new Error(`${name} does not run`);
    const at = Date.now();
    process.kill(pid, signal);
    if (signal === 'SIGSTOP') this.#frozen.add(name);
    if (signal === 'SIGCONT') {
      this.#frozen.delete(name);
      this.#wokenAt = at;
    }
    return at;
  }

  /** Nothing is frozen, and what was has had time to do what it was about to do. */
  get isAwake(): boolean {
    return this.#frozen.size === 0 && Date.now() - this.#wokenAt > WAKING_MS;
  }

  /** From now on the process, when it has ended, is not started again until it is let go. */
  hold(name: string): void {
    if (!this.#held.has(name)) this.#held.set(name, Promise.withResolvers());
  }

  letGo(name: string): void {
    this.#held.get(name)?.resolve();
    this.#held.delete(name);
  }

  /** Settles when the process, after `since`, was ended by SIGKILL. @returns when that was noticed, or undefined when it did not happen */
  async killed(name: string, since: number, withinMs: number): Promise<number | undefined> {
    return (await this.#changed(name, since, withinMs, (change) => change.state === 'restarting' && change.reason.includes('SIGKILL')))?.at;
  }

  /** Settles when the process, after `since`, was ready. */
  async ready(name: string, since: number, withinMs = 30_000): Promise<number> {
    const seen = await this.#changed(name, since, withinMs, (change) => change.state === 'ready');
    if (seen === undefined)
      throw new Error(`${name} did not get ready within ${withinMs} ms; its log: ${this.live.dataDir}/logs/${name}.log`);
    return seen.at;
  }

  /** Settles when the service itself says that it can do its work: what a rolling restart waits for before it goes on. */
  async serving(name: string, withinMs = 60_000): Promise<void> {
    for (const until = Date.now() + withinMs; ; await sleep(50)) {
      const answer = await this.#urlOf(name)
        .then((url) => fetch(`${url}/readyz`))
        .catch(() => undefined);
      if (answer?.ok) return;
      if (Date.now() > until) throw new Error(`${name} does not serve: ${(await answer?.text()) ?? 'no answer'}`);
    }
  }

  async stop(): Promise<void> {
    for (const name of this.#held.keys()) this.letGo(name);
    await this.witness.close().catch(() => undefined);
    await this.live.stop();
  }

  async #urlOf(name: string): Promise<string> {
    return (JSON.parse(await readFile(join(this.live.dataDir, 'run', `${name}.json`), 'utf8')) as { url: string }).url;
  }

  async #changed(name: string, since: number, withinMs: number, fits: (change: ProcessChange) => boolean): Promise<SeenChange | undefined> {
    const until = Date.now() + withinMs;
    for (;;) {
      const found = this.#changes.find((seen) => seen.name === name && seen.at >= since && fits(seen.change));
      if (found !== undefined || Date.now() > until) return found;
      await sleep(10);
    }
  }
}
