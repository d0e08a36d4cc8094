/**
 * Follows the scopes of a run: which items have been opened and how they ended, with a bookkeeping of its own. Reports what breaks
 * invariants 4, 5 and 9.
 */
import { placeOf } from '@cadre/contracts';
import type { Join, RunEvent, Scope, TaskSpec } from '@cadre/contracts';
import { whyUnsure } from '../run/sureness.js';
import { countOf } from './audit-tasks.js';
import type { AuditTask } from './audit-tasks.js';
import type { Complain } from './violation.js';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

interface AuditScope {
  spec: Scope;
  count: number;
  opened: number;
  good: number;
  bad: number;
  /** By item that has not ended: its tasks. */
  items: Map<number, string[]>;
  /** An agent has given this work to others. */
  delegated?: { handOff: boolean };
}

function neededOf({ need }: Join, count: number): number {
  if (need === 'all') return count;
  if (need === 'any') return count === 0 ? 0 : 1;
  return typeof need === 'number' ? need : Math.ceil(count * need.share);
}

export class ScopeAudit {
  /** A failed task does not end its item. */
  tolerant = false;
  /** The run was asked to cancel: attempts within a scope that has ended may still wind up. */
  cancelling = false;
  readonly #scopes = new Map<string, AuditScope>();
  /** By task: how often its agent has given work to others. */
  readonly #delegations = new Map<string, number>();
  /** By scope that has ended in this commit: what was at work in it. */
  readonly #left = new Map<string, string[]>();
  readonly #tasks: ReadonlyMap<string, AuditTask>;
  readonly #complain: Complain;

  constructor(tasks: ReadonlyMap<string, AuditTask>, complain: Complain) {
    this.#tasks = tasks;
    this.#complain = complain;
  }

  opened({ spec }: AuditTask, { taskId: id, count = 0, items }: EventOf<'TaskOpened'>): void {
    const { scope } = spec;
    if (!scope) return;
    const due = scope.over !== undefined ? (items?.length ?? -1) : scope.branches ? scope.body.length : (scope.repeat?.max ?? 1);
    if (count !== due) this.#complain(5, 'scope-size', `scope ${id} was opened for ${count} items; ${due} are due`, id);
    this.#scopes.set(id, { spec: scope, count, opened: 0, good: 0, bad: 0, items: new Map() });
  }

  /** A task that waits for what its agent has given to others: one more item than the last time. */
  delegated({ taskId: id, count = 0, delegated }: EventOf<'TaskOpened'>): void {
    const before = this.#delegations.get(id) ?? 0;
    if (!delegated || count !== before + 1)
      this.#complain(5, 'scope-size', `${id} gave work to others for the ${count}th time, after ${before}`, id);
    this.#delegations.set(id, count);
    const spec: Scope = { body: delegated?.tasks ?? [], width: 1, join: { need: 'all', until: 'enough' }, combine: { by: 'list' } };
    const handOff = delegated?.handOff ?? false;
    this.#scopes.set(id, { spec, count, opened: count - 1, good: 0, bad: 0, items: new Map(), delegated: { handOff } });
  }

  /** The task goes on by itself. */
  resumed(id: string): void {
    const scope = this.#scopes.get(id);
    if (!scope?.delegated) return this.#complain(4, 'resumed-wrongly', `${id} goes on, but is no work of an agent`, id);
    if (scope.items.size > 0 || scope.good + scope.bad === 0)
      this.#complain(5, 'resumed-early', `${id} goes on before the work that it gave to others has ended`, id);
    if (scope.delegated.handOff && scope.good > 0)
      this.#complain(4, 'resumed-wrongly', `${id} goes on, but was handed over with success`, id);
    this.#scopes.delete(id);
  }

  /** Tasks that join the run as parts of items. */
  joined(specs: readonly TaskSpec[]): void {
    for (const { id } of specs) {
      const place = placeOf(id);
      if (!place) continue;
      const scope = this.#scopes.get(place.scope);
      if (!scope || this.#tasks.get(place.scope)?.ending) {
        this.#complain(5, 'item-outside-scope', `task ${id} joined a scope that is not open`, id);
        continue;
      }
      const known = scope.items.get(place.item);
      if (known) known.push(id);
      else this.#openItem(scope, place.scope, place.item, id);
    }
  }

  #openItem(scope: AuditScope, id: string, item: number, task: string): void {
    if (item !== scope.opened || item >= scope.count) {
      this.#complain(5, 'item-out-of-turn', `item ${item} of ${id} was opened after ${scope.opened} of ${scope.count}`, id);
    }
    const most = scope.spec.repeat ? 1 : scope.spec.width;
    if (scope.items.size >= most) this.#complain(5, 'too-wide', `scope ${id} has more than ${most} items at work`, id);
    scope.opened += 1;
    scope.items.set(item, [task]);
  }

  /** Every task of the item has ended, and the item came to what they came to. */
  itemEnded({ taskId: id, item, ok }: EventOf<'ItemEnded'>): void {
    const scope = this.#scopes.get(id);
    const tasks = scope?.items.get(item);
    if (!scope || !tasks) return this.#complain(4, 'item-ended-twice', `item ${item} of ${id} ended, but was not at work`, id);
    scope.items.delete(item);
    if (ok) scope.good += 1;
    else scope.bad += 1;
    const open = tasks.filter((task) => this.#tasks.get(task)?.ending === undefined);
    if (open.length > 0) this.#complain(9, 'item-left-open', `item ${item} of ${id} ended with ${open.join(', ')} open`, id);
    const name = scope.spec.branches ? scope.spec.body[item]?.id : (scope.spec.result ?? scope.spec.body.at(-1)?.id);
    const isGood = countOf(this.#tasks, `${id}~${item}~${name ?? ''}`) === 'good';
    const fell = !this.tolerant && !scope.delegated && tasks.some((task) => this.#fellForGood(task));
    const came = isGood && !fell;
    const passes = came ? this.#passes(scope.spec, `${id}~${item}~${name ?? ''}`) : 'no';
    if (passes !== 'unsure' && ok !== (passes === 'yes'))
      this.#complain(4, 'item-misjudged', `item ${item} of ${id} is said to have ${ok ? 'succeeded' : 'failed'}`, id);
  }

  /** Whether a result is as sure as its gate asks. What an expression says of it is not worked out here again. */
  #passes({ gate }: Scope, id: string): 'yes' | 'no' | 'unsure' {
    if (!gate) return 'yes';
    const { where } = gate;
    const own = this.#tasks.get(id);
    const counting = own?.ending === 'completed' ? [own] : [...this.#tasks.values()].filter((each) => this.#standsInFor(each, id));
    const sure = counting.filter(({ confidence }) => whyUnsure(confidence, gate) === undefined).length;
    if (counting.length > 0 && sure === 0) return 'no';
    return sure < counting.length || where !== undefined ? 'unsure' : 'yes';
  }

  #standsInFor(task: AuditTask, id: string): boolean {
    if (task.ending !== 'completed') return false;
    for (let at = task.spec.alternativeTo; at !== undefined; at = this.#tasks.get(at)?.spec.alternativeTo) if (at === id) return true;
    return false;
  }

  /** Failed itself (not only cancelled with the others), and nothing stands in for it. */
  #fellForGood(id: string): boolean {
    const task = this.#tasks.get(id);
    return (task?.ending === 'failed' || task?.ending === 'blocked') && countOf(this.#tasks, id) === 'bad';
  }

  /** After each commit: whatever a scope has come to, nothing of it goes on. */
  committed(): void {
    for (const [id, tasks] of this.#left) {
      const open = tasks.filter((task) => this.#tasks.get(task)?.ending === undefined);
      if (open.length > 0) this.#complain(9, 'scope-left-open', `scope ${id} ended with ${open.join(', ')} open`, id);
    }
    this.#left.clear();
  }

  /** @param completed whether it ended well */
  ended(id: string, completed: boolean, atDeadline: boolean): void {
    const scope = this.#scopes.get(id);
    if (!scope) return;
    if (!this.cancelling) this.#left.set(id, [...scope.items.values()].flat());
    this.#scopes.delete(id);
    if (scope.delegated && completed && !(scope.delegated.handOff && scope.good > 0))
      this.#complain(4, 'result-outside-attempt', `${id} was completed by the engine, but was not handed over with success`, id);
    if (!completed || scope.spec.repeat || scope.delegated) {
      if (completed && scope.bad > 0 && !scope.delegated)
        this.#complain(5, 'joined-wrongly', `scope ${id} was completed though a round failed`, id);
      return;
    }
    const need = neededOf(scope.spec.join, scope.count);
    if (scope.good < need) this.#complain(5, 'joined-early', `scope ${id} was completed with ${scope.good} items; ${need} are needed`, id);
    const waits = scope.spec.join.until === 'ended' && scope.good + scope.bad < scope.count;
    if (waits && !atDeadline) this.#complain(5, 'joined-early', `scope ${id} was completed before all its items had ended`, id);
  }
}
