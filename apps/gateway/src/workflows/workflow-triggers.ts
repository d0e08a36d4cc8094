/**
 * Starts workflows by themselves: those that ask for a type of event, and those whose time has come. A run's id comes from what started it,
 * so whoever starts it again, after a crash or in another gateway, arrives at the same run.
 */
import { CadreError, type Json, type OutsideEvent, type RunId, type TenantId, type Trigger, type WorkflowVersion } from '@cadre/contracts';
import { evaluateCondition, evaluateValue, fillIn } from '@cadre/engine';
import type { WorkflowStore } from '@cadre/event-log';
import type { TraceContext } from '@cadre/messaging';
import { runIdOfTrigger } from '../runs/run-identity.js';
import type { RunIntake } from '../runs/run-intake.js';
import { parseRunRequest } from '../runs/run-request.js';
import { requestOf } from './workflow-request.js';

/** What triggers see as `event`. */
export type TriggerEvent = OutsideEvent & { time: string };

export interface Triggered {
  workflow: WorkflowVersion;
  trigger: Trigger;
}

export type Started = { name: string; runId: RunId } | { name: string; error: CadreError };

export class WorkflowTriggers {
  /** The newest version of each that has triggers, by tenant and name. */
  readonly #newest = new Map<string, { tenant: TenantId; kept: WorkflowVersion }>();
  #stop: (() => void) | undefined;

  constructor(
    private readonly store: Pick<WorkflowStore, 'watch'>,
    private readonly intake: Pick<RunIntake, 'start' | 'shards'>,
  ) {}

  /** Resolves when all that are kept are known. Error `store-unavailable` (retriable). */
  async open(): Promise<void> {
    this.#stop = await this.store.watch((tenant, kept) => this.learn(tenant, kept));
  }

  close(): void {
    this.#stop?.();
  }

  /** Takes a version at once that will also come by itself. */
  learn(tenant: TenantId, kept: WorkflowVersion): void {
    const key = `${tenant}.${kept.name}`;
    const known = this.#newest.get(key);
    if (known === undefined || known.kept.version < kept.version) this.#newest.set(key, { tenant, kept });
  }

  /** All triggers of one kind. */
  *of(kind: 'event' | 'cron'): Iterable<Triggered & { tenant: TenantId }> {
    for (const { tenant, kept } of this.#newest.values()) {
      for (const trigger of kept.workflow.spec.on ?? []) if (kind in trigger) yield { tenant, workflow: kept, trigger };
    }
  }

  /** Starts every workflow of the tenant that asks for this event, each once. @returns one entry for each that does; never rejects */
  async take(tenant: TenantId, event: TriggerEvent, trace: TraceContext): Promise<Started[]> {
    const asking = new Map<string, Triggered>();
    for (const { tenant: whose, ...each } of this.of('event')) {
      const { workflow, trigger } = each;
      if (whose === tenant && !asking.has(workflow.name) && 'event' in trigger && wants(trigger, event)) asking.set(workflow.name, each);
    }
    return Promise.all([...asking.values()].map((each) => this.#startSafely(tenant, each, event, trace)));
  }

  /** Errors: those of `RunIntake.start`, `invalid-request` when the parameters do not fit. */
  async start(tenant: TenantId, { workflow, trigger }: Triggered, event: TriggerEvent, trace: TraceContext): Promise<RunId> {
    const runId = runIdOfTrigger(tenant, event.source, event.id, workflow.name, this.intake.shards);
    const params = filledParams(trigger, event);
    const request = parseRunRequest(requestOf(workflow, { params, inputs: [] }));
    const outcome = await this.intake.start({ tenant, runId, request, trace, origin: 'event' in trigger ? 'event' : 'clock' });
    // It was started by a version before this one.
    if (outcome.outcome === 'rejected' && outcome.code !== 'run-conflict') throw new CadreError(outcome.code, outcome.message);
    return runId;
  }

  async #startSafely(tenant: TenantId, each: Triggered, event: TriggerEvent, trace: TraceContext): Promise<Started> {
    const { name } = each.workflow;
    try {
      return { name, runId: await this.start(tenant, each, event, trace) };
    } catch (cause) {
      const known = cause instanceof CadreError ? cause : new CadreError('internal', String(cause), { cause });
      const { code, message, retriable } = known;
      return { name, error: new CadreError(code, `Workflow ${name} was not started: ${message}`, { retriable, cause }) };
    }
  }
}

function wants({ event: type, where }: Extract<Trigger, { event: string }>, event: TriggerEvent): boolean {
  if (type !== event.type) return false;
  if (where === undefined) return true;
  // An event without the field that is asked for is not wanted.
  const outcome = evaluateCondition(where, () => inputOf(event));
  return outcome.ok && outcome.value;
}

function filledParams({ params }: Trigger, event: TriggerEvent): Record<string, Json> {
  const filled = fillIn(params, (expression) => evaluateValue(expression, () => inputOf(event)));
  if (!filled.ok) throw new CadreError('invalid-request', `the parameters cannot be filled in: ${filled.message}`);
  return filled.value as Record<string, Json>;
}

const inputOf = (event: TriggerEvent) => ({ goal: '', results: {}, event: event as unknown as Json });
