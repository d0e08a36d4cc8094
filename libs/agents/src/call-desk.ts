/**
 * Where the calls of one attempt are made, so that each is made once and paid once, whatever happens to the worker. A call is reserved in
 * the log, made, and settled; a call that an earlier attempt has made is answered from the record instead. The settlement of a call rides
 * with the reservation of the next or with the end of the attempt: one command, one commit for each call.
 *
 * A call has a key made of run, task, path and input. What changes nothing in the world is keyed by its place in the work of the round, and
 * its input by all that led to it. What has an effect is keyed by what is asked for: whoever starts the work anew comes to the same key.
 */
import { CadreError, HEARTBEAT, SHARED_READING_TOOLS } from '@cadre/contracts';
import type {
  ArtifactRef,
  Assignment,
  CallGrant,
  CallKey,
  CallReservation,
  CallSettlement,
  Delegation,
  Json,
  ToolEffect,
} from '@cadre/contracts';
import { pause } from '@cadre/engine';
import { abortError, attemptClosed, failureOf, untilAborted } from './abort.js';
import { billedOf } from './call-retry.js';
import { canonicalJson } from './canonical.js';
import { readBody, storeBody } from './content.js';
import { wholeSignal } from './ending.js';
import type { OwnerLine } from './owner-line.js';
import type { ToolContext } from './ports.js';
import { settlementOf } from './settlement.js';
import type { CallAnswer, CallRequest, MadeCall } from './settlement.js';
import type { WorkerPorts } from './worker-ports.js';
import type { EndSignal } from '@cadre/engine';

/** `degrade`: what is left of the budget allows this model only. */
export type CallEnd =
  | { kind: 'answered'; ok: boolean; text: string; files: ArtifactRef[]; recorded: boolean }
  | { kind: 'failed'; error: unknown }
  | { kind: 'degrade'; model: string };
export type AnsweredCall = Extract<CallEnd, { kind: 'answered' }>;

/** A call that a code agent makes. */
export interface CodeCall {
  /** Of a tool that the agent was granted. */
  name: string;
  effect?: ToolEffect;
  /** What tells this call from others of the same name. */
  input?: Json;
  /** Upper bound of its cost; default 0. */
  maxCostMicros?: number;
  /** What it has cost; default 0. */
  costOf?(result: Json): number;
  /** See `Tool.ofTheMoment`. */
  ofTheMoment?: true;
  /** An error counts as "it did not happen" only if it says `billed: 'no'`, or if the call has neither an effect nor a price. */
  run(context: ToolContext): Promise<Json>;
}

export interface CallDeskParts {
  line: OwnerLine;
  ports: Pick<WorkerPorts, 'clock' | 'blobs' | 'digest' | 'at'>;
  assignment: Pick<Assignment, 'runId' | 'taskId' | 'round'>;
  /** Stops calls on their way. */
  signal: EndSignal;
  /** Told of each call that was made here, once its end is known. */
  onCall(call: MadeCall): void;
  /** Told of each call that was answered from the record. */
  onRecorded?(call: CallRequest): void;
  /** The attempt is not ours any more. */
  onClosed(): void;
  /** It has ended with work that was given to others. */
  onDelegated?(): void;
}

/**
 * Makes a call. `hold(true)` says that it waits and nothing has happened yet, `hold(false)` that it goes on.
 * @param mostMicros what it may cost, if that is less than was asked for
 */
type Perform = (key: CallKey, signal: () => AbortSignal, hold: (held: boolean) => void, mostMicros?: number) => Promise<CallAnswer>;

/** No call is ever tried so often: a reservation with it is not granted, and answered all the same if the call is on record. */
const NEVER = 10_000;
/** A key whose try is always another one than we were told is a fault of the owner. */
const MAX_ASKS = 20;
/** How long to leave a budget alone in which there is no room while other calls are under way. */
const LATER_MS = 1000;
/** A grant this old is asked for again: a process that was asleep meanwhile may have been given up, and its call made by another. */
const STALE_GRANT_MS = HEARTBEAT.lostAfterMs - 2 * HEARTBEAT.everyMs;
/** Settlements of one command. */
const MAX_SETTLED = 100;

export class CallDesk {
  private readonly pending: CallSettlement[] = [];
  private step = 0;
  private readonly occurrences = new Map<string, number>();
  /** Places of calls of code with an effect that failed, by what was asked for. */
  private readonly vacant = new Map<string, string[]>();
  private readonly tries = new Map<CallKey, number>();
  private readonly underway = new Set<Promise<unknown>>();
  private closed = false;
  /** The attempt has ended with work that was given to others: the call that asked for it is settled when they have ended. */
  private delegated = false;
  private ofTheMoment = false;

  constructor(private readonly parts: CallDeskParts) {}

  /** Calls are being made, or asked for. */
  get busy(): boolean {
    return this.underway.size > 0;
  }

  /** What comes of its calls may stand for other work: none with an effect was asked for, and none that reads what others write. */
  get reusable(): boolean {
    return !this.ofTheMoment;
  }

  /** The place of the next call without effect. Take it once for each call, in the order of the work. */
  nextPath(): string {
    this.step += 1;
    return `r${this.parts.assignment.round}/${this.step}`;
  }

  /** The place of a call with an effect: how often the same was asked for before. */
  effectPath(name: string, input: string): string {
    const id = `${name} ${input}`;
    const occurrence = (this.occurrences.get(id) ?? 0) + 1;
    this.occurrences.set(id, occurrence);
    return `x/${name}/${occurrence}`;
  }

  digest(text: string): string {
    return this.parts.ports.digest(text);
  }

  /** Makes a call of a code agent, or gives the result on record. Rejects with the call's error, and when the attempt ends. */
  call<T extends Json>(call: CodeCall): Promise<T> {
    const answer = this.callOnce<T>(call);
    // Code may leave a call behind, as when another one that it waits for fails first; that must not end the process.
    answer.catch(() => undefined);
    return answer;
  }

  private async callOnce<T extends Json>(call: CodeCall): Promise<T> {
    const { name, effect = 'none', maxCostMicros = 0 } = call;
    const input = canonicalJson(call.input ?? null);
    const id = `${name} ${input}`;
    const path = this.vacant.get(id)?.shift() ?? (effect === 'none' ? this.nextPath() : this.effectPath(name, input));
    const moment = call.ofTheMoment && { ofTheMoment: call.ofTheMoment };
    const end = await this.make({ kind: 'tool', name, effect, path, input, maxCostMicros, ...moment }, async (key, signal) => {
      const context = {
        key,
        get signal() {
          return signal();
        },
      };
      const result = await call.run(context);
      return { ok: true, text: JSON.stringify(result) ?? 'null', note: '', costMicros: call.costOf?.(result) ?? 0 };
    });
    if (end.kind === 'answered') return JSON.parse(end.text) as T;
    // Code that asks for the effect again means this very call: under another key it might happen twice, now or in a later life.
    if (effect !== 'none') this.vacant.set(id, [...(this.vacant.get(id) ?? []), path]);
    throw end.kind === 'failed' ? end.error : new CadreError('grants-invalid', `The call of ${name} was answered with a model.`);
  }

  /**
   * Makes a call unless it is on record. Rejects when the signal aborts and when the attempt is closed by others.
   * @param perform its error is the call's failure; `billed: 'no'` in it says that surely nothing happened, and so does being held when the
   * signal aborts
   * @param instead asked when an earlier attempt has tried this call in vain: what it then did in its place
   */
  make(request: CallRequest, perform: Perform, instead?: () => Promise<AnsweredCall | undefined>): Promise<CallEnd> {
    this.ofTheMoment ||= request.effect !== 'none' || (request.ofTheMoment ?? false) || SHARED_READING_TOOLS.includes(request.name);
    return this.track(this.ask(request, perform, instead));
  }

  /**
   * Gives work to other agents. The attempt ends with that, so this never resolves but with why it was refused, as `{error}`; what comes of
   * the work is the answer of the call to the attempt that goes on. Only calls of the tools in `DELEGATING_TOOLS` may do so.
   * @param key of the call that waits for it
   */
  async delegate(key: CallKey, work: Delegation): Promise<Json> {
    const { line, onClosed, onDelegated } = this.parts;
    const settle = this.pending.splice(0, MAX_SETTLED);
    const answer = await line.delegate(settle, key, work);
    if (answer.kind === 'refused') {
      this.pending.unshift(...settle);
      return { error: answer.message };
    }
    this.delegated = answer.kind === 'taken';
    if (this.delegated) onDelegated?.();
    onClosed();
    throw attemptClosed();
  }

  /** The first of these calls that is on record, and which it is; makes none. */
  async recall(requests: CallRequest[]): Promise<{ index: number; end: AnsweredCall } | undefined> {
    return requests.length === 0 ? undefined : this.track(this.lookUp(requests));
  }

  /** Takes no more calls, waits until none is underway (the signal should have aborted) and gives what is left to settle. */
  async close(): Promise<CallSettlement[]> {
    this.closed = true;
    while (this.underway.size > 0) await Promise.allSettled(this.underway);
    while (this.pending.length > MAX_SETTLED) await this.record([]);
    return this.pending;
  }

  /** What is sent on its way with the command must not get lost when nobody waits for the call any more. */
  private track<T>(work: Promise<T>): Promise<T> {
    this.underway.add(work);
    const over = () => void this.underway.delete(work);
    work.then(over, over);
    return work;
  }

  private async lookUp(requests: CallRequest[]): Promise<{ index: number; end: AnsweredCall } | undefined> {
    const keys = requests.map((request) => this.keyOf(request));
    const grants = await this.record(requests.map((request, index) => reservation({ ...request, maxCostMicros: 0 }, keys[index]!, NEVER)));
    const index = grants.findIndex((grant) => grant.grant === 'recorded');
    const grant = grants[index];
    if (grant?.grant !== 'recorded') return undefined;
    return { index, end: await this.replay(requests[index]!, grant) };
  }

  private async ask(request: CallRequest, perform: Perform, instead?: () => Promise<AnsweredCall | undefined>): Promise<CallEnd> {
    const { signal, ports } = this.parts;
    if (signal.aborted) throw abortError(signal);
    if (this.closed) throw attemptClosed();
    const key = this.keyOf(request);
    let number = (this.tries.get(key) ?? 0) + 1;
    for (let asks = 0; asks < MAX_ASKS; asks += 1) {
      const askedAt = ports.clock.now();
      const [grant] = await this.record([reservation(request, key, number)]);
      switch (grant?.grant) {
        case 'recorded':
          return this.replay(request, grant);
        case 'degrade':
          return { kind: 'degrade', model: grant.model };
        case 'unaffordable':
          return {
            kind: 'failed',
            error: new CadreError('model-unaffordable', `What is left of the budget does not allow a call of ${request.name}.`),
          };
        case 'granted':
          if (!signal.aborted && ports.clock.now() - askedAt >= STALE_GRANT_MS) break;
          this.tries.set(key, number);
          return this.perform(request, key, number, perform, grant.maxCostMicros);
        case 'later':
          // Those calls end, and so does the time of this attempt.
          await pause(ports.clock, LATER_MS, wholeSignal(signal));
          asks -= 1;
          break;
        case 'retry': {
          const other = number === 1 ? await instead?.() : undefined;
          if (other) return other;
          number = grant.try;
        }
      }
      if (signal.aborted) throw abortError(signal);
    }
    throw new CadreError('grants-invalid', `No try of the call ${request.name} is granted.`, { retriable: true });
  }

  private async perform(request: CallRequest, key: CallKey, number: number, perform: Perform, mostMicros?: number): Promise<CallEnd> {
    const { signal, ports } = this.parts;
    const { clock, blobs, at } = ports;
    const made = mostMicros === undefined ? request : { ...request, maxCostMicros: mostMicros };
    const tried = { request: made, key, try: number, startedAt: clock.now() };
    const end = (how: Parameters<typeof settlementOf>[1]) => this.settle(request, settlementOf(tried, how, clock.now()));
    if (signal.aborted) {
      end({ outcome: 'failed', note: 'stopped before it was made' });
      throw abortError(signal);
    }
    let held = false;
    try {
      at?.('worker-before-call');
      const performed = perform(
        key,
        () => wholeSignal(signal),
        (now) => (held = now),
        mostMicros,
      );
      const answer = await untilAborted(performed, signal);
      at?.('worker-after-call');
      const body = await storeBody(answer.text, blobs);
      at?.('worker-body-stored');
      end({ outcome: 'done', answer, body });
      return { kind: 'answered', ok: answer.ok, text: answer.text, files: answer.files ?? [], recorded: false };
    } catch (error) {
      const cause = signal.aborted ? abortError(signal) : error;
      if (this.delegated) throw cause;
      const outcome = held || surelyNothing(request, cause) ? 'failed' : 'unknown';
      const { code, message } = failureOf(cause, 'call-failed');
      end({ outcome, note: `${code}: ${message}` });
      if (signal.aborted) throw cause;
      // The owner asks a person now; this attempt is over.
      if (outcome === 'unknown' && request.effect === 'once') await this.record([]);
      return { kind: 'failed', error };
    }
  }

  private settle(request: CallRequest, settlement: CallSettlement): void {
    this.pending.push(settlement);
    this.parts.onCall({ kind: request.kind, name: request.name, ...settlement });
  }

  private async replay(request: CallRequest, grant: Extract<CallGrant, { grant: 'recorded' }>): Promise<AnsweredCall> {
    const { ports, signal, onRecorded } = this.parts;
    const text = await untilAborted(readBody(grant.body, ports.blobs), signal);
    onRecorded?.(request);
    return { kind: 'answered', ok: grant.ok, text, files: grant.files ?? [], recorded: true };
  }

  private async record(reserve: CallReservation[]): Promise<CallGrant[]> {
    const { line, ports, onClosed } = this.parts;
    const settle = this.pending.splice(0, MAX_SETTLED);
    const answer = await line.record(settle, reserve).catch((error: unknown) => {
      this.pending.unshift(...settle);
      throw error;
    });
    if (answer.kind === 'refused') {
      this.pending.unshift(...settle);
      throw new CadreError('call-refused', `The owner of the run did not take a call: ${answer.message}`);
    }
    if (answer.kind === 'recorded' && settle.length > 0) ports.at?.('worker-call-settled');
    if (answer.kind === 'closed' || answer.grants.ended) {
      onClosed();
      throw attemptClosed();
    }
    return answer.grants.grants;
  }

  private keyOf({ path, input }: CallRequest): CallKey {
    const { runId, taskId } = this.parts.assignment;
    return this.parts.ports.digest(JSON.stringify([runId, taskId, path, input])).slice(0, 32);
  }
}

function reservation(request: CallRequest, key: CallKey, number: number): CallReservation {
  const { kind, name, effect, maxCostMicros, minCostMicros, unpriced, optional } = request;
  const marks = {
    ...(minCostMicros !== undefined && minCostMicros < maxCostMicros && { minCostMicros }),
    ...(effect !== 'none' && { effect }),
    ...(unpriced && { unpriced: true as const }),
    ...(optional && { optional: true as const }),
  };
  return { key, try: number, kind, name, ...marks, maxCostMicros };
}

/** A call that fails has had no effect and cost nothing if it can have neither, or if its error says so. */
function surelyNothing({ kind, effect, maxCostMicros }: CallRequest, error: unknown): boolean {
  return (kind === 'tool' && effect === 'none' && maxCostMicros === 0) || billedOf(error) === 'no';
}
