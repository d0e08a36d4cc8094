/**
 * The money of one round, counted from the log by a fold that knows nothing of the engine's: after each commit, settled and reserved
 * against every cap, and what becomes of tasks that were refused. Then what the model server says it did is held against it.
 */
import type { CallSettlement, Commit, RunEvent, RunId } from '@cadre/contracts';
import type { RaceRound } from './race-rounds.js';

interface Purse {
  capMicros: number;
  spentMicros: number;
}

interface Try {
  reservedMicros: number;
  outcome?: CallSettlement['outcome'];
  paidMicros: number;
}

/** What the model server counted for a key. */
export interface ServerCount {
  received: number;
  done: number;
  costMicros: number;
  outcomes: Record<string, number>;
}

interface LedgerCall {
  kind: 'model' | 'tool';
  tries: Try[];
}

interface LedgerTask {
  agent?: string;
  refused: boolean;
  end?: 'completed' | 'failed';
}

export class RaceLedger {
  readonly faults: string[] = [];
  readonly tasks = new Map<string, LedgerTask>();
  readonly calls = new Map<string, LedgerCall>();
  /** By the cap that a call did not fit under. */
  readonly refusals: Record<string, number> = {};
  retriesAfterRefusal = 0;
  overCap = 0;
  /** Calls that cost more than was set aside for them. */
  overruns = 0;
  readonly #purses = new Map<string, Purse>();
  readonly #fullest = new Map<string, number>();
  /** Of all shards together: what was set aside or given back, by the time of the decision. */
  readonly #tenant = new Map<number, number>();

  constructor(readonly round: Pick<RaceRound, 'kind' | 'caps' | 'runs'>) {}

  /** The largest part of a cap that was ever settled and reserved, by kind of cap. */
  get fullest(): Record<string, number> {
    return Object.fromEntries(this.#fullest);
  }

  /** Commits of a run in their order; those of other runs may come before or after. */
  commit({ runId, at, events }: Pick<Commit, 'runId' | 'at' | 'events'>): void {
    for (const event of events) this.#event(runId, at, event);
  }

  /** Once all is folded: nothing is left open, and the tenant's cap held over all shards. */
  finish(): void {
    for (const [key, { tries }] of this.calls) {
      if (tries.some(({ outcome }) => outcome === undefined)) this.faults.push(`the reservation of ${key} was never settled`);
    }
    for (const [id, { refused, end }] of this.tasks) {
      if (end === undefined) this.faults.push(`${id} has no end`);
      if (refused && end === 'completed') this.faults.push(`${id} was refused and is completed`);
    }
    const { tenantMicros } = this.round.caps;
    if (tenantMicros === undefined) return;
    let spentMicros = 0;
    for (const [, delta] of [...this.#tenant].sort(([a], [b]) => a - b)) {
      spentMicros += delta;
      this.#weigh('tenant', { capMicros: tenantMicros, spentMicros });
    }
  }

  /** @param server by key of the call, of all rounds */
  compare(server: ReadonlyMap<string, ServerCount>): { billMicros: number; paidMicros: number } {
    let [billMicros, paidMicros] = [0, 0];
    for (const [key, { kind, tries }] of this.calls) {
      const paid = tries.reduce((sum, each) => sum + each.paidMicros, 0);
      paidMicros += paid;
      if (kind === 'tool') continue;
      const { received, done, costMicros } = server.get(key) ?? { received: 0, done: 0, costMicros: 0 };
      billMicros += costMicros;
      const of = (outcome: string): number => tries.filter((each) => each.outcome === outcome).length;
      const say = (what: string): void => void this.faults.push(`call ${key}: ${what}`);
      if (received > tries.length) say(`the server was asked ${received} times, ${tries.length} tries were reserved`);
      if (done > of('done') + of('unknown')) say(`done ${done} times, and paid ${of('done') + of('unknown')} times`);
      if (done < of('done')) say('settled as done, and the server has not done it');
      if (costMicros > paid) say(`the server's bill is ${costMicros}, ${paid} were settled`);
    }
    const { runMicros, tenantMicros } = this.round.caps;
    const capMicros = Math.min(runMicros ?? Infinity, tenantMicros ?? Infinity);
    if (billMicros > capMicros) this.faults.push(`the server's bill is ${billMicros}, the cap ${capMicros}`);
    return { billMicros, paidMicros };
  }

  #event(runId: RunId, at: number, event: RunEvent): void {
    switch (event.type) {
      case 'TasksAdded':
        for (const { id } of event.tasks) this.tasks.set(`${runId}/${id}`, { refused: false });
        return;
      case 'AttemptScheduled':
        return this.#mayNot(runId, event);
      case 'AttemptStarted':
        this.#mayNot(runId, event);
        this.#task(runId, event.taskId).agent = event.agent;
        return;
      case 'CallsReserved':
        this.#mayNot(runId, event);
        for (const call of event.calls) this.#reserve(runId, event.taskId, at, call);
        return;
      case 'CallsSettled':
        for (const call of event.calls) this.#settle(runId, event.taskId, at, call);
        return;
      case 'CallRefused':
        this.refusals[event.limit] = (this.refusals[event.limit] ?? 0) + 1;
        this.#mayNot(runId, event);
        this.#task(runId, event.taskId).refused = true;
        return;
      case 'TaskCompleted':
        this.#mayNot(runId, event);
        this.#task(runId, event.taskId).end = 'completed';
        return;
      case 'TaskFailed': {
        const task = this.#task(runId, event.taskId);
        task.end = 'failed';
        if (task.refused !== (event.error.code === 'budget-exceeded')) this.faults.push(`${event.taskId} failed with ${event.error.code}`);
      }
    }
  }

  #task(runId: RunId, taskId: string): LedgerTask {
    const id = `${runId}/${taskId}`;
    const known = this.tasks.get(id) ?? { refused: false };
    this.tasks.set(id, known);
    return known;
  }

  #mayNot(runId: RunId, { type, taskId }: { type: string; taskId: string }): void {
    if (!this.#task(runId, taskId).refused) return;
    this.retriesAfterRefusal += 1;
    this.faults.push(`${type} of ${runId}/${taskId} after its refusal`);
  }

  #reserve(
    runId: RunId,
    taskId: string,
    at: number,
    call: { key: string; try: number; kind: 'model' | 'tool'; maxCostMicros: number },
  ): void {
    const known = this.calls.get(call.key) ?? { kind: call.kind, tries: [] };
    this.calls.set(call.key, known);
    const last = known.tries.at(-1);
    if (call.try !== known.tries.length + 1) this.faults.push(`call ${call.key}: try ${call.try} follows ${known.tries.length}`);
    if (last && last.outcome !== 'failed' && last.outcome !== 'unknown') {
      this.faults.push(`call ${call.key} was granted again while its last try was ${last.outcome ?? 'open'}`);
    }
    known.tries.push({ reservedMicros: call.maxCostMicros, paidMicros: 0 });
    this.#bind(runId, taskId, at, call.maxCostMicros, true);
  }

  #settle(runId: RunId, taskId: string, at: number, { key, try: number, outcome, costMicros, overrunMicros }: CallSettlement): void {
    const tried = this.calls.get(key)?.tries[number - 1];
    if (!tried || tried.outcome !== undefined) return void this.faults.push(`try ${number} of ${key} was settled and is not open`);
    if (outcome === 'unknown' && costMicros !== tried.reservedMicros)
      this.faults.push(`try ${number} of ${key} is unknown and not paid in full`);
    if (costMicros > tried.reservedMicros || (overrunMicros ?? 0) > 0) this.overruns += 1;
    tried.outcome = outcome;
    tried.paidMicros = costMicros;
    this.#bind(runId, taskId, at, costMicros - tried.reservedMicros, false);
  }

  /** @param weigh whether more than before is bound */
  #bind(runId: RunId, taskId: string, at: number, micros: number, weigh: boolean): void {
    const { runMicros, taskMicros, agentMicros = {} } = this.round.caps;
    const agent = this.#task(runId, taskId).agent ?? '';
    const caps: [kind: string, id: string, capMicros: number | undefined][] = [
      ['run', runId, runMicros],
      ['task', `${runId}/${taskId}`, taskMicros],
      ['agent', `${runId}/${agent}`, agentMicros[agent]],
    ];
    for (const [kind, id, capMicros] of caps) {
      if (capMicros === undefined) continue;
      const purse = this.#purses.get(`${kind} ${id}`) ?? { capMicros, spentMicros: 0 };
      this.#purses.set(`${kind} ${id}`, purse);
      purse.spentMicros += micros;
      if (weigh) this.#weigh(kind, purse);
    }
    this.#tenant.set(at, (this.#tenant.get(at) ?? 0) + micros);
  }

  #weigh(kind: string, { capMicros, spentMicros }: Purse): void {
    this.#fullest.set(kind, Math.max(this.#fullest.get(kind) ?? 0, spentMicros / capMicros));
    if (spentMicros <= capMicros) return;
    this.overCap += 1;
    this.faults.push(`${spentMicros} are settled and reserved under the cap of the ${kind}, which is ${capMicros}`);
  }
}
