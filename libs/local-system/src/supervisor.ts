/**
 * Keeps a set of processes running: starts them stage by stage, restarts what ends, ever more slowly when it keeps ending, and stops all in
 * the opposite order. Knows nothing of what they do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit } from './node-process.js';
import { CONFIG_EXIT_CODE, type ProcessSpec, type RunningProcess } from './running-process.js';

export type ProcessChange =
  | { state: 'starting' }
  | { state: 'ready'; pid: number; tookMs: number }
  /** It ended, or failed to come back; another start follows after `inMs`. */
  | { state: 'restarting'; reason: string; inMs: number }
  /** It is not started again. */
  | { state: 'given-up'; reason: string };

export interface SupervisorOptions {
  onChange?: (name: string, change: ProcessChange) => void;
  /** Wait before the first restart; doubled each time. Default 300 ms. */
  backoffMs?: number;
  /** Up to this. Default 10 s. */
  longestBackoffMs?: number;
}

/** Who ran this long starts again without having to wait. */
const STEADY_MS = 20_000;

interface Supervised {
  spec: ProcessSpec;
  running: RunningProcess | undefined;
  /** Settles when nothing more will be started. */
  watch: Promise<unknown>;
}

export class Supervisor {
  private readonly all = new Map<string, Supervised>();
  private readonly stopping = new AbortController();
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly specs: ProcessSpec[],
    private readonly options: SupervisorOptions = {},
  ) {}

  /** Settles when all are ready, or a stop was asked for. When one fails, the others are stopped and its error is thrown. */
  async start(): Promise<void> {
    const stages = [...new Set(this.specs.map(({ stage }) => stage))].sort((a, b) => a - b);
    for (const stage of stages) {
      try {
        await Promise.all(this.specs.filter((spec) => spec.stage === stage).map((spec) => this.startOne(spec)));
      } catch (error) {
        // The first failure counts: what follows it only tells of the stop.
        if (this.stopping.signal.aborted) return;
        await this.stop();
        throw error;
      }
      if (this.stopping.signal.aborted) return;
    }
  }

  /** The processes now running. */
  pids(): Record<string, number> {
    const running = [...this.all.values()].flatMap(({ spec, running: process }) =>
      process === undefined ? [] : [[spec.name, process.pid] as const],
    );
    return Object.fromEntries(running);
  }

  /** Stops all, highest stage first. The same promise each time. */
  stop(): Promise<void> {
    return (this.stopped ??= this.stopAll());
  }

  /** Ends all at once. */
  kill(): void {
    this.stopping.abort();
    for (const { running } of this.all.values()) running?.kill();
  }

  private async stopAll(): Promise<void> {
    this.stopping.abort();
    const stopStage = ({ stage, stopStage: other = stage }: ProcessSpec): number => other;
    const stages = [...new Set(this.specs.map(stopStage))].sort((a, b) => b - a);
    for (const stage of stages) {
      const ofStage = [...this.all.values()].filter(({ spec }) => stopStage(spec) === stage);
      await Promise.all(ofStage.map(({ running }) => running?.stop()));
      await Promise.all(ofStage.map(({ watch }) => watch));
    }
  }

  private async startOne(spec: ProcessSpec): Promise<void> {
    const entry: Supervised = { spec, running: undefined, watch: Promise.resolve() };
    this.all.set(spec.name, entry);
    const first = this.launch(entry);
    entry.watch = first.then(
      () => this.keepRunning(entry),
      () => undefined,
    );
    await first;
  }

  private async launch(entry: Supervised): Promise<void> {
    const { name } = entry.spec;
    const { signal } = this.stopping;
    this.options.onChange?.(name, { state: 'starting' });
    const startedAt = Date.now();
    const running = await entry.spec.launch(signal);
    // A stop that was asked for in the meantime could not see this process.
    if (signal.aborted) return await running.stop();
    entry.running = running;
    this.options.onChange?.(name, { state: 'ready', pid: running.pid, tookMs: Date.now() - startedAt });
  }

  private async keepRunning(entry: Supervised): Promise<void> {
    const { backoffMs = 300, longestBackoffMs = 10_000 } = this.options;
    const { signal } = this.stopping;
    let failures = 0;
    let reason = '';
    while (!signal.aborted) {
      if (entry.running !== undefined) {
        const since = Date.now();
        const exit = await entry.running.exited;
        entry.running = undefined;
        if (signal.aborted) return;
        reason = describeExit(exit);
        if (exit.code === CONFIG_EXIT_CODE) return this.giveUp(entry, reason);
        failures = Date.now() - since > STEADY_MS ? 0 : failures + 1;
      }
      const inMs = Math.min(longestBackoffMs, backoffMs * 2 ** Math.max(0, failures - 1));
      this.options.onChange?.(entry.spec.name, { state: 'restarting', reason, inMs });
      await sleep(inMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.launch(entry);
      } catch (error) {
        if ((error as { code?: unknown }).code === 'service-misconfigured') return this.giveUp(entry, (error as Error).message);
        failures += 1;
        reason = (error as Error).message.split('\n')[0] ?? '';
      }
    }
  }

  private giveUp(entry: Supervised, reason: string): void {
    this.options.onChange?.(entry.spec.name, { state: 'given-up', reason });
  }
}
