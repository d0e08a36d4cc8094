/** Invariant 6, the caps: at every prefix of the log, what is settled and reserved is within each cap that applies. */
import type { Budget, CallReservation, SpendLimit, TaskSpec } from '@cadre/contracts';
import type { Complain } from './violation.js';

interface Purse {
  bound: number;
  raised: number;
}

export class MoneyAudit {
  readonly #complain: Complain;
  #budget: Budget | undefined;
  readonly #taskCaps = new Map<string, number | undefined>();
  readonly #purses = new Map<string, Purse>();
  /** Tasks that a person lets call models without a price. */
  readonly #unpriced = new Set<string>();

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  start(budget: Budget): void {
    this.#budget ??= budget;
  }

  addTask(spec: TaskSpec): void {
    this.#taskCaps.set(spec.id, spec.budgetMicros ?? this.#budget?.taskMicros);
  }

  #purse(name: string): Purse {
    let purse = this.#purses.get(name);
    if (!purse) this.#purses.set(name, (purse = { bound: 0, raised: 0 }));
    return purse;
  }

  #bind(taskId: string, agent: string | undefined, micros: number): void {
    for (const name of ['run', `task ${taskId}`, `agent ${agent}`]) this.#purse(name).bound += micros;
  }

  reserve(taskId: string, agent: string | undefined, agentCapMicros: number | undefined, call: CallReservation): void {
    this.#bind(taskId, agent, call.maxCostMicros);
    const named = agent === undefined ? undefined : Object.entries(this.#budget?.agentMicros ?? {}).find(([name]) => name === agent)?.[1];
    const caps: [string, number | undefined][] = [
      ['run', this.#budget?.runMicros],
      [`task ${taskId}`, this.#taskCaps.get(taskId)],
      [
        `agent ${agent}`,
        named === undefined && agentCapMicros === undefined ? undefined : Math.min(named ?? Infinity, agentCapMicros ?? Infinity),
      ],
    ];
    const capped = caps.some(([, micros]) => micros !== undefined);
    if (call.unpriced && !this.#unpriced.has(taskId) && this.#refusesUnpriced(capped)) {
      this.#complain(6, 'unpriced-granted', `${taskId} was granted a call of ${call.name}, whose price is not known`, taskId);
    }
    for (const [name, micros] of caps) this.#check(name, micros, taskId);
  }

  #refusesUnpriced(capped: boolean): boolean {
    const rule = this.#budget?.unpricedModels;
    return rule === 'refuse' || (rule === 'if-uncapped' && capped);
  }

  #check(name: string, capMicros: number | undefined, taskId: string): void {
    const { bound, raised } = this.#purse(name);
    const cap = (capMicros ?? Infinity) + raised;
    if (bound > cap) this.#complain(6, 'over-cap', `${bound} are settled and reserved under the cap of ${name}, which is ${cap}`, taskId);
  }

  settle(taskId: string, agent: string | undefined, reservedMicros: number, costMicros: number): void {
    this.#bind(taskId, agent, costMicros - reservedMicros);
  }

  approve(taskId: string, agent: string | undefined, limit: SpendLimit | undefined, raiseMicros: number): void {
    if (limit === 'run') this.#purse('run').raised += raiseMicros;
    if (limit === 'task') this.#purse(`task ${taskId}`).raised += raiseMicros;
    if (limit === 'agent') this.#purse(`agent ${agent}`).raised += raiseMicros;
    if (limit === 'price') this.#unpriced.add(taskId);
  }
}
