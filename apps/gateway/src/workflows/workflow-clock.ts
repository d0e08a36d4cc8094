/**
 * Starts runs of workflows at the times that their cron patterns name. Every gateway has such a clock, and whoever is first starts the run:
 * its id comes from the workflow and the time. After a silence (all gateways were down) the last time that was missed is made up for,
 * unless it is too long ago.
 */
import type { Clock } from '@cadre/engine';
import { TraceContext } from '@cadre/messaging';
import type { Logger } from 'pino';
import { dueAfter, dueUntil } from './trigger-problems.js';
import type { Triggered, TriggerEvent, WorkflowTriggers } from './workflow-triggers.js';

const EVERY_MS = 500;

type Due = Triggered & { tenant: string };

export interface ClockOptions {
  triggers: Pick<WorkflowTriggers, 'of' | 'start'>;
  clock: Clock;
  log: Logger;
  /** How long ago a missed time may be. */
  catchUpMs: number;
}

export class WorkflowClock {
  /** When each trigger is due next; Infinity: never. */
  readonly #next = new Map<string, number>();
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
    const triggers = [...this.options.triggers.of('cron')];
    const known = new Set(triggers.map(keyOf));
    for (const key of this.#next.keys()) if (!known.has(key)) this.#next.delete(key);
    const now = this.options.clock.now();
    await Promise.all(triggers.map((each) => this.#seeTo(each, now)));
  }

  async #seeTo(each: Due, now: number): Promise<void> {
    if (!('cron' in each.trigger)) return;
    const { cron, timezone } = each.trigger;
    const key = keyOf(each);
    const since = Math.max(now - this.options.catchUpMs, each.workflow.createdAt);
    const next = this.#next.get(key) ?? dueAfter(cron, timezone, since) ?? Infinity;
    this.#next.set(key, next);
    if (now < next) return;
    const due = dueUntil(cron, timezone, now);
    const later = due !== undefined && due > since && (await this.#start(each, key, due)) === 'later';
    if (!later) this.#next.set(key, dueAfter(cron, timezone, now) ?? Infinity);
  }

  /** Never rejects. @returns `later` when it is to be tried again */
  async #start({ tenant, ...each }: Due, key: string, due: number): Promise<'done' | 'later'> {
    const { log, triggers } = this.options;
    const { name } = each.workflow;
    const time = new Date(due).toISOString();
    const event: TriggerEvent = { id: time, type: 'cron', source: key, time, data: null };
    try {
      const runId = await triggers.start(tenant, each, event, TraceContext.start());
      log.info({ runId, workflow: name, due: time }, 'a workflow was started because its time had come');
      return 'done';
    } catch (error) {
      const later = (error as { retriable?: boolean }).retriable === true;
      const what = later ? 'a workflow that is due cannot be started now' : 'a workflow that was due cannot be started';
      log.warn({ err: error, workflow: name, due: time }, what);
      return later ? 'later' : 'done';
    }
  }
}

const keyOf = ({ tenant, workflow, trigger }: Due): string =>
  JSON.stringify([tenant, workflow.name, 'cron' in trigger ? [trigger.cron, trigger.timezone] : trigger.event]);
