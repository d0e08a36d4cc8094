/**
 * Starts runs of workflows at the times that their cron patterns name. Every gateway has such a clock, and whoever is first starts the run: its id comes from the workflow
 * and the time. After a silence (all gateways were down) the last time that was missed is made up for, unless it is too long ago.
 */
import type { Clock } from '@cadre/engine';
import { TraceContext } from '@cadre/messaging';
import type { Logger } from 'pino';
import { dueAfter } from './trigger-problems.js';
import type { Triggered, TriggerEvent, WorkflowTriggers } from './workflow-triggers.js';

const EVERY_MS = 500;
/** Patterns name whole seconds; a clock that stood still for longer only makes up for the last time. */
const MOST_TIMES = 10_000;

export interface ClockOptions {
  triggers: Pick<WorkflowTriggers, 'of' | 'start'>;
  clock: Clock;
  log: Logger;
  /** How long ago a missed time may be. */
  catchUpMs: number;
}

export class WorkflowClock {
  /** Until when each trigger has been seen to. */
  readonly #seen = new Map<string, number>();
  #stop: (() => void) | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(private readonly options: ClockOptions) {}

  start(): void {
    this.#looking = this.look().finally(() => {
      if (!this.#stopped) this.#stop = this.options.clock.after(EVERY_MS, () => this.start());
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stop?.();
    await this.#looking;
  }

  /** Starts what is due. Never rejects: what cannot be started now is due again at the next look. */
  async look(): Promise<void> {
    const now = this.options.clock.now();
    const known = new Set<string>();
    const work: Promise<void>[] = [];
    for (const each of this.options.triggers.of('cron')) {
      if (!('cron' in each.trigger)) continue;
      const { cron, timezone } = each.trigger;
      const key = JSON.stringify([each.tenant, each.workflow.name, cron, timezone]);
      known.add(key);
      const since = Math.max(this.#seen.get(key) ?? 0, now - this.options.catchUpMs, each.workflow.createdAt);
      const due = lastDue(cron, timezone, since, now);
      if (due === undefined) this.#seen.set(key, Math.max(since, this.#seen.get(key) ?? 0));
      else work.push(this.#start(each, key, due));
    }
    for (const key of this.#seen.keys()) if (!known.has(key)) this.#seen.delete(key);
    await Promise.all(work);
  }

  async #start({ tenant, ...each }: Triggered & { tenant: string }, key: string, due: number): Promise<void> {
    const { log, triggers } = this.options;
    const { name } = each.workflow;
    const time = new Date(due).toISOString();
    const event: TriggerEvent = { id: time, type: 'cron', source: key, time, data: null };
    try {
      const runId = await triggers.start(tenant, each, event, TraceContext.start());
      log.info({ runId, workflow: name, due: time }, 'a workflow was started because its time had come');
      this.#seen.set(key, due);
    } catch (error) {
      const later = (error as { retriable?: boolean }).retriable === true;
      log.warn(
        { err: error, workflow: name, due: time },
        later ? 'a workflow that is due cannot be started now' : 'a workflow that was due cannot be started',
      );
      if (!later) this.#seen.set(key, due);
    }
  }
}

/** The last time after `since` and not after `now`. */
function lastDue(cron: string, timezone: string, since: number, now: number): number | undefined {
  let last: number | undefined;
  let next = dueAfter(cron, timezone, since);
  for (let times = 0; next !== undefined && next <= now && times < MOST_TIMES; times += 1) {
    last = next;
    next = dueAfter(cron, timezone, next);
  }
  return last;
}
