/**
 * Follows calls and money through the log, with sums of its own: what was reserved, how it was settled, what was spent under each cap. It
 * is asked by the outside whenever a call is really made or an effect really happens.
 */
import type { CallReservation, CallSettlement, Commit, RunEvent, RunOptions, TaskSpec } from '@cadre/contracts';
import type { CallWitness } from '../outside/outside.js';

interface WatchedCall {
  runId: string;
  effect: 'none' | 'idempotent' | 'once';
  name: string;
  reserved: number;
  dispatched: number;
  happened: number;
  status: 'open' | 'done' | 'failed' | 'unknown';
  maxCostMicros: number;
  taskId: string;
  agent: string;
  /** Times that a person has said that it did not happen. */
  repeats: number;
}

interface Purse {
  settled: number;
  reserved: number;
  raised: number;
}

interface WatchedRun {
  options: RunOptions;
  specs: Map<string, TaskSpec>;
  agents: Map<string, { name: string; capMicros: number | undefined }>;
  total: Purse;
  byTask: Map<string, Purse>;
  byAgent: Map<string, Purse>;
  questions: Map<string, { taskId: string; limit?: string | undefined; key?: string | undefined; agent: string }>;
  refused: Set<string>;
  cancelled: boolean;
}

type Complain = (clause: string, message: string) => void;
type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

export class CallWatch implements CallWitness {
  readonly calls = new Map<string, WatchedCall>();
  /** The last call made at each place. */
  readonly #places = new Map<string, string>();
  readonly #runs = new Map<string, WatchedRun>();

  constructor(
    private readonly complain: Complain,
    private readonly hasBlob: (sha256: string) => boolean,
    /** What a tool really does, whatever is said of it. */
    private readonly effectOf: (name: string) => 'none' | 'idempotent' | 'once',
    /** Whether an agent has the labels that a task asks for. */
    private readonly mayDo: (agent: string, spec: TaskSpec | undefined) => boolean,
  ) {}

  /** @param place of the call in the work: the same for every attempt of a round */
  dispatched(key: string, place: string, who: string): void {
    const earlier = this.#places.get(place);
    if (earlier !== undefined && earlier !== key && this.calls.get(earlier)?.status === 'done') {
      this.complain('6 call-made-anew', `${who} makes the call at ${place} again, under another key`);
    }
    this.#places.set(place, key);
    const call = this.calls.get(key);
    if (!call) return this.complain('6 call-unreserved', `${who} makes a call ${key} that is not reserved`);
    call.dispatched += 1;
    if (call.dispatched > call.reserved) {
      this.complain(
        '6 call-repeated',
        `${who} makes call ${key} (${call.name}) for the ${call.dispatched}th time, reserved ${call.reserved} times`,
      );
    }
  }

  happened(key: string, tool: string): void {
    const call = this.calls.get(key);
    if (!call) return;
    call.happened += 1;
    if (call.effect === 'once' && call.happened > 1)
      this.complain('8 effect-twice', `${tool} under ${key} has happened ${call.happened} times`);
  }

  commit(commit: Commit): void {
    for (const event of commit.events) this.#event(commit.runId, event);
  }

  #event(runId: string, event: RunEvent): void {
    if (event.type === 'RunStarted') {
      const { options } = event;
      const maps = { specs: new Map(), agents: new Map(), byTask: new Map(), byAgent: new Map(), questions: new Map() };
      this.#runs.set(runId, { options, ...maps, total: purse(), refused: new Set(), cancelled: false });
      return;
    }
    const run = this.#runs.get(runId);
    if (!run) return;
    switch (event.type) {
      case 'TasksAdded':
        for (const spec of event.tasks) run.specs.set(spec.id, spec);
        return;
      case 'AttemptStarted':
        if (run.refused.has(event.taskId))
          this.complain('6 refusal-retried', `${runId}/${event.taskId} goes on though its budget was refused`);
        if (!this.mayDo(event.agent, run.specs.get(event.taskId)))
          this.complain('place not-there', `${event.agent} does ${runId}/${event.taskId}, which asks for labels that it has not`);
        run.agents.set(event.taskId, { name: event.agent, capMicros: event.agentCapMicros });
        return;
      case 'CancelRequested':
        run.cancelled = true;
        return;
      case 'CallsReserved':
        if (run.cancelled) this.complain('7 reserved-after-cancel', `${runId}/${event.taskId} reserved a call after the cancel`);
        for (const call of event.calls) this.#reserved(runId, run, event, call);
        return;
      case 'CallsSettled':
        for (const call of event.calls) this.#settled(runId, run, event.taskId, call);
        return;
      case 'CallRefused':
        if (event.then === 'stop') run.refused.add(event.taskId);
        return;
      case 'QuestionAsked': {
        const { questionId, taskId, limit, key } = event.question;
        run.questions.set(questionId, { taskId, limit, key, agent: run.agents.get(taskId)?.name ?? '' });
        return;
      }
      case 'QuestionAnswered':
        return this.#answered(run, event);
      case 'RunCompleted':
      case 'RunFailed':
      case 'RunCancelled':
        if (run.total.reserved !== 0) this.complain('6 left-reserved', `${runId} has ended with ${run.total.reserved} micros set aside`);
        if (run.total.settled !== event.usage.costMicros) {
          this.complain('6 bill-differs', `${runId} was billed ${event.usage.costMicros}, its calls were settled at ${run.total.settled}`);
        }
        this.#runs.delete(runId);
    }
  }

  #reserved(runId: string, run: WatchedRun, { taskId }: EventOf<'CallsReserved'>, call: CallReservation): void {
    const { key, name, maxCostMicros } = call;
    const agent = run.agents.get(taskId)?.name ?? '';
    const effect = this.effectOf(name);
    const known = this.calls.get(key);
    if (known?.status === 'done')
      this.complain('6 reserved-after-done', `${runId}/${taskId} reserved ${key} again, whose answer is recorded`);
    if (known?.status === 'open') this.complain('6 reserved-twice', `${runId}/${taskId} reserved ${key}, which is open`);
    if (known?.status === 'unknown' && effect === 'once' && known.repeats === 0) {
      this.complain('8 blind-retry', `${runId}/${taskId} repeats ${name} (once) under ${key}, whose outcome nobody knows`);
    }
    const before = known ?? { reserved: 0, dispatched: 0, happened: 0, repeats: 0 };
    this.calls.set(key, { ...before, runId, effect, name, taskId, agent, maxCostMicros, status: 'open', reserved: before.reserved + 1 });
    for (const each of this.#purses(run, taskId, agent)) each.reserved += maxCostMicros;
    this.#checkCaps(runId, run, taskId, agent);
  }

  #settled(runId: string, run: WatchedRun, taskId: string, { key, outcome, costMicros, body }: CallSettlement): void {
    const call = this.calls.get(key);
    if (!call) return this.complain('6 settled-unreserved', `${runId}/${taskId} settled ${key}, which was never reserved`);
    const byHand = call.status === 'unknown' && outcome === 'done';
    if (call.status !== 'open' && !byHand) this.complain('6 settled-twice', `${runId}/${taskId} settled ${key} again, as ${outcome}`);
    if (outcome === 'unknown' && costMicros !== call.maxCostMicros) {
      this.complain('6 unknown-not-billed', `${key} is unknown and was billed ${costMicros}, reserved were ${call.maxCostMicros}`);
    }
    if (body && 'ref' in body && !this.hasBlob(body.ref.sha256))
      this.complain('12 body-not-stored', `the body of ${key} is settled, but not stored`);
    for (const each of this.#purses(run, taskId, call.agent)) {
      if (!byHand) each.reserved -= call.maxCostMicros;
      each.settled += costMicros;
    }
    call.status = outcome;
  }

  #answered(run: WatchedRun, { questionId, choice, raiseMicros = 0 }: EventOf<'QuestionAnswered'>): void {
    const question = run.questions.get(questionId);
    if (!question) return;
    const { taskId, limit, key, agent } = question;
    if (choice === 'approve') {
      if (limit === 'run') run.total.raised += raiseMicros;
      if (limit === 'task') purseOf(run.byTask, taskId).raised += raiseMicros;
      if (limit === 'agent') purseOf(run.byAgent, agent).raised += raiseMicros;
    }
    const call = key === undefined ? undefined : this.calls.get(key);
    if (choice === 'repeat' && call) call.repeats += 1;
  }

  #checkCaps(runId: string, run: WatchedRun, taskId: string, agent: string): void {
    const { budget } = run.options;
    const own = run.agents.get(taskId)?.capMicros ?? Infinity;
    const caps: [string, Purse, number | undefined][] = [
      ['run', run.total, budget.runMicros],
      ['task', purseOf(run.byTask, taskId), run.specs.get(taskId)?.budgetMicros ?? budget.taskMicros],
      ['agent', purseOf(run.byAgent, agent), Math.min(budget.agentMicros[agent] ?? Infinity, own)],
    ];
    for (const [name, { settled, reserved, raised }, cap] of caps) {
      if (cap !== undefined && settled + reserved > cap + raised) {
        this.complain(
          '6 over-cap',
          `${runId}/${taskId}: ${settled} settled and ${reserved} reserved pass the ${name}'s cap of ${cap + raised}`,
        );
      }
    }
  }

  #purses(run: WatchedRun, taskId: string, agent: string): Purse[] {
    return [run.total, purseOf(run.byTask, taskId), purseOf(run.byAgent, agent)];
  }
}

function purse(): Purse {
  return { settled: 0, reserved: 0, raised: 0 };
}

function purseOf(purses: Map<string, Purse>, name: string): Purse {
  const known = purses.get(name) ?? purse();
  purses.set(name, known);
  return known;
}
