/** A decision in the making: events gathered so far, and the state as they leave it. The state that it starts from is only read. */
import type { RunEvent } from '@cadre/contracts';
import type { DecideContext } from '../decision.js';
import { applyEvent } from '../evolve.js';
import { RunDraft } from '../run-draft.js';
import type { RunState, Spent, TaskState } from '../state.js';

type TaskEvent = Extract<RunEvent, { taskId: string }>;

export class Draft extends RunDraft {
  readonly events: RunEvent[] = [];
  readonly context: DecideContext;
  readonly #before: Spent;

  /** @param begun the event that the state has just been made from, which then is a part of the decision */
  constructor(state: RunState, context: DecideContext, begun?: RunEvent) {
    super(state);
    this.context = context;
    this.#before = state.spent;
    if (begun !== undefined) this.events.push(begun);
  }

  get now(): number {
    return this.context.now;
  }

  get random(): number {
    return this.context.random;
  }

  /** How much more of the tenant's money this decision binds than was bound before it; negative when it frees some. */
  boundMicros(): number {
    const { spent } = this.run;
    return spent.settledMicros + spent.reservedMicros - this.#before.settledMicros - this.#before.reservedMicros;
  }

  /** @returns the task as the event leaves it */
  emit(event: TaskEvent): TaskState;
  emit(event: RunEvent): void;
  emit(event: RunEvent): TaskState | undefined {
    this.events.push(event);
    applyEvent(this.run, this, event, this.now);
    return 'taskId' in event ? this.need(event.taskId) : undefined;
  }
}
