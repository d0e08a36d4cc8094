/**
 * Follows the calls of a run and reports what breaks invariants 6 (money), 7 (nothing is reserved after a cancel), 8 (effects that must
 * happen once) and 10 (grants). The sums are its own, made from the events alone: a mistake of the engine's bookkeeping must not be made
 * here again.
 */
import { addUsage, DELEGATING_TOOLS, NO_USAGE } from '@cadre/contracts';
import type { CallReservation, CallSettlement, RunEvent, Usage } from '@cadre/contracts';
import { MoneyAudit } from './money-audit.js';
import type { Complain } from './violation.js';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

const DELEGATING: ReadonlySet<string> = new Set(DELEGATING_TOOLS);

interface AuditCall {
  reservation: CallReservation;
  state: 'open' | 'done' | 'failed' | 'unknown';
  /** The attempt that may settle it. */
  attempt: number;
}

interface AuditGrant {
  agent: string;
  agentCapMicros: number | undefined;
  tools: ReadonlySet<string>;
}

export class CallAudit {
  readonly #complain: Complain;
  readonly #money: MoneyAudit;
  /** By task and key, while the task is open. */
  readonly #calls = new Map<string, Map<string, AuditCall>>();
  readonly #grants = new Map<string, AuditGrant>();
  readonly #allowedTools = new Map<string, ReadonlySet<string>>();
  /** Calls that were refused, by task, until a person answers. */
  readonly #refused = new Map<string, Set<string>>();
  /** Tasks that were stopped for good by a refusal. */
  readonly #stopped = new Set<string>();
  readonly #questions = new Map<string, EventOf<'QuestionAsked'>['question']>();
  /** Calls (task and key) that a person says have happened, or that wait for the work of others; settled once more, by that. */
  readonly #byHand = new Set<string>();
  #usage: Usage = NO_USAGE;
  #cancelled = false;

  constructor(complain: Complain) {
    this.#complain = complain;
    this.#money = new MoneyAudit(complain);
  }

  event(event: RunEvent): void {
    switch (event.type) {
      case 'RunStarted':
        return this.#money.start(event.options.budget);
      case 'TasksAdded':
        for (const spec of event.tasks) {
          this.#money.addTask(spec);
          if (spec.tools) this.#allowedTools.set(spec.id, new Set(spec.tools));
        }
        return;
      case 'TaskOpened':
        return this.#delegated(event);
      case 'AttemptScheduled':
        if (this.#stopped.has(event.taskId))
          this.#complain(6, 'retry-after-refusal', `${event.taskId} goes on after a final refusal`, event.taskId);
        return;
      case 'AttemptStarted':
        return this.#started(event);
      case 'CallsReserved':
        for (const call of event.calls) this.#reserved(event, call);
        return;
      case 'CallsSettled':
        for (const call of event.calls) this.#settled(event, call);
        return;
      case 'CallRefused':
        return this.#noteRefusal(event);
      case 'QuestionAsked':
        this.#questions.set(event.question.questionId, event.question);
        return;
      case 'QuestionAnswered':
        return this.#answered(event);
      case 'AttemptFailed':
        this.#expectNoneOpen(event.taskId, event.type);
        if (event.fresh) this.#forgetRound(event.taskId);
        return;
      case 'TaskCompleted':
      case 'TaskFailed':
      case 'TaskCancelled':
        this.#expectNoneOpen(event.taskId, event.type);
        this.#calls.delete(event.taskId);
        return;
      case 'CancelRequested':
        this.#cancelled = true;
        return;
      case 'RunCompleted':
      case 'RunFailed':
      case 'RunCancelled':
        return this.#ended(event);
      default:
        return;
    }
  }

  #started(event: EventOf<'AttemptStarted'>): void {
    const { taskId, agent, agentCapMicros, tools } = event;
    const allowed = this.#allowedTools.get(taskId);
    const beyond = allowed && tools.filter((tool) => !allowed.has(tool));
    if (beyond && beyond.length > 0) {
      this.#complain(
        10,
        'grant-beyond-task',
        `${taskId} does not allow its attempt ${event.attempt} the tools ${beyond.join(', ')}`,
        taskId,
      );
    }
    this.#grants.set(taskId, { agent, agentCapMicros, tools: new Set(tools) });
  }

  /** Of the call that asked for it nobody knows how it ends until the others have. */
  #delegated({ taskId, delegated }: EventOf<'TaskOpened'>): void {
    if (!delegated) return;
    const call = this.#calls.get(taskId)?.get(delegated.key);
    if (call?.state !== 'unknown' || !DELEGATING.has(call.reservation.name))
      this.#complain(10, 'delegated-without-call', `${taskId} gave work to others, but call ${delegated.key} did not ask for it`, taskId);
    this.#byHand.add(`${taskId} ${delegated.key}`);
  }

  #reserved({ taskId, attempt }: EventOf<'CallsReserved'>, call: CallReservation): void {
    const { key, kind, name } = call;
    const what = `call ${key} (${name}) of ${taskId}`;
    if (this.#cancelled) this.#complain(7, 'reserved-after-cancel', `${what} was reserved after the cancel`, taskId);
    const grant = this.#grants.get(taskId);
    if (kind === 'tool' && !grant?.tools.has(name))
      this.#complain(10, 'tool-not-granted', `${what} is outside of the attempt's grant`, taskId);
    if (this.#refused.get(taskId)?.has(key))
      this.#complain(6, 'refused-call-granted', `${what} was refused, and granted without an answer`, taskId);
    const calls = this.#callsOf(taskId);
    this.#checkTry(call, calls.get(key), what, taskId);
    calls.set(key, { reservation: call, state: 'open', attempt });
    this.#money.reserve(taskId, grant?.agent, grant?.agentCapMicros, call);
  }

  #callsOf(taskId: string): Map<string, AuditCall> {
    let calls = this.#calls.get(taskId);
    if (!calls) this.#calls.set(taskId, (calls = new Map()));
    return calls;
  }

  #checkTry(call: CallReservation, before: AuditCall | undefined, what: string, taskId: string): void {
    if (call.try !== (before?.reservation.try ?? 0) + 1) {
      this.#complain(6, 'try-number', `try ${call.try} of ${what} follows ${before?.reservation.try ?? 0}`, taskId);
    }
    if (!before) return;
    const isOnce = before.reservation.effect === 'once';
    if (before.state === 'open') this.#complain(6, 'reserved-twice', `${what} was reserved while it is open`, taskId);
    if (before.state === 'done') this.#complain(isOnce ? 8 : 6, 'done-call-repeated', `${what} was done, and is made again`, taskId);
    if (before.state === 'unknown' && isOnce) {
      this.#complain(8, 'doubtful-effect-repeated', `${what} may have happened, and is made again without an answer`, taskId);
    }
  }

  #settled({ taskId, attempt }: EventOf<'CallsSettled'>, said: CallSettlement): void {
    const call = this.#calls.get(taskId)?.get(said.key);
    const what = `try ${said.try} of call ${said.key} of ${taskId}`;
    if (!call || call.reservation.try !== said.try) {
      return this.#complain(6, 'settled-without-reservation', `${what} was settled, but not reserved`, taskId);
    }
    if (call.state !== 'open') {
      if (!this.#byHand.delete(`${taskId} ${said.key}`)) this.#complain(6, 'settled-twice', `${what} was settled twice`, taskId);
      if (said.costMicros !== 0) this.#complain(6, 'paid-twice', `${what} was billed again`, taskId);
      call.state = said.outcome;
      return;
    }
    if (call.attempt !== attempt)
      this.#complain(6, 'settled-by-another', `${what} was settled for attempt ${attempt}, not ${call.attempt}`, taskId);
    const { maxCostMicros, kind } = call.reservation;
    const { costMicros, overrunMicros = 0, outcome, inputTokens, outputTokens, unpriced } = said;
    if (outcome === 'unknown' && costMicros !== maxCostMicros) {
      this.#complain(6, 'unknown-not-billed', `${what} is billed ${costMicros}; its reservation is ${maxCostMicros}`, taskId);
    }
    if (costMicros - overrunMicros > maxCostMicros) {
      this.#complain(6, 'cost-beyond-reservation', `${what} cost ${costMicros}; ${maxCostMicros} were reserved`, taskId);
    }
    call.state = outcome;
    if (overrunMicros > 0 && costMicros - overrunMicros !== maxCostMicros) {
      this.#complain(6, 'overrun-wrong', `${what} cost ${costMicros} of ${maxCostMicros} and names an overrun of ${overrunMicros}`, taskId);
    }
    if (unpriced && (!call.reservation.unpriced || costMicros > 0)) {
      this.#complain(6, 'cost-not-unknown', `${what} is said to have an unknown cost; it was reserved with a price, or has one`, taskId);
    }
    this.#money.settle(taskId, this.#grants.get(taskId)?.agent, maxCostMicros, costMicros);
    const made = kind === 'model' ? { modelCalls: 1, toolCalls: 0 } : { modelCalls: 0, toolCalls: 1 };
    const named = { overrunMicros, unpricedCalls: unpriced ? 1 : 0 };
    this.#usage = addUsage(this.#usage, { ...made, inputTokens, outputTokens, costMicros, ...named });
  }

  #noteRefusal({ taskId, key, then }: EventOf<'CallRefused'>): void {
    const refused = this.#refused.get(taskId) ?? new Set();
    this.#refused.set(taskId, refused.add(key));
    if (then === 'stop') this.#stopped.add(taskId);
  }

  #answered({ taskId, questionId, choice, raiseMicros }: EventOf<'QuestionAnswered'>): void {
    const question = this.#questions.get(questionId);
    if (!question) return;
    const call = this.#calls.get(taskId)?.get(question.key ?? '');
    if (choice === 'done') this.#byHand.add(`${taskId} ${question.key}`);
    if (choice === 'repeat' && call) call.state = 'failed';
    if (choice !== 'approve') return;
    this.#refused.delete(taskId);
    this.#money.approve(taskId, this.#grants.get(taskId)?.agent, question.limit, raiseMicros ?? 0);
  }

  #expectNoneOpen(taskId: string, by: string): void {
    for (const [key, call] of this.#calls.get(taskId) ?? []) {
      if (call.state === 'open') this.#complain(6, 'left-unsettled', `call ${key} of ${taskId} is open after ${by}`, taskId);
    }
  }

  /** A fresh start makes its calls anew; effects stay. */
  #forgetRound(taskId: string): void {
    const calls = this.#calls.get(taskId);
    for (const [key, call] of calls ?? []) if ((call.reservation.effect ?? 'none') === 'none') calls?.delete(key);
  }

  #ended(event: EventOf<'RunCompleted' | 'RunFailed' | 'RunCancelled'>): void {
    for (const taskId of this.#calls.keys()) this.#expectNoneOpen(taskId, event.type);
    for (const field of Object.keys({ ...this.#usage, ...event.usage }) as (keyof Usage)[]) {
      const [said, sum] = [event.usage[field] ?? 0, this.#usage[field] ?? 0];
      if (said !== sum) this.#complain(6, 'usage-differs', `the run says ${field} ${said}; its settlements sum up to ${sum}`);
    }
  }
}
