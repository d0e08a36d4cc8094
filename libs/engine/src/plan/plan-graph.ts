/**
 * Who waits for whom in a plan. A task waits for its dependencies and for what it is an alternative to; and because an alternative stands
 * in for a failed task, whoever depends on a task may also have to wait for its alternatives.
 *
 * A plan of a thousand tasks may hold several hundred thousand dependencies and is checked by the one owner of a shard, so every edge is
 * walked a fixed number of times.
 */
import type { TaskId, TaskSpec } from '@cadre/contracts';

export class PlanGraph {
  /** A cycle in the order "waits for", its first task repeated at the end; undefined when there is none. */
  readonly cycle: readonly TaskId[] | undefined;
  readonly #waits = new Map<TaskId, TaskId[]>();
  /** Each task after all that it waits for; complete when there is no cycle. */
  readonly #order = new Set<TaskId>();
  #upstream: Map<TaskId, bigint> | undefined;
  readonly #bits = new Map<TaskId, bigint>();

  constructor(tasks: readonly TaskSpec[]) {
    const specs = new Map(tasks.map((task) => [task.id, task]));
    const standIns = standInsOf(specs);
    for (const task of specs.values()) this.#waits.set(task.id, waitsFor(task, specs, standIns));
    this.cycle = this.#walk();
  }

  /** Whether a task may look at another's result: it waits for it, directly or indirectly. Meaningless in a plan with a cycle. */
  isUpstream(id: TaskId, of: TaskId): boolean {
    this.#upstream ??= this.#allUpstream();
    const bit = this.#bits.get(id);
    return bit !== undefined && ((this.#upstream.get(of) ?? 0n) & bit) !== 0n;
  }

  #allUpstream(): Map<TaskId, bigint> {
    const upstream = new Map<TaskId, bigint>();
    for (const id of this.#order) {
      this.#bits.set(id, 1n << BigInt(this.#bits.size));
      let all = 0n;
      for (const wait of this.#waits.get(id) ?? []) all |= (upstream.get(wait) ?? 0n) | (this.#bits.get(wait) ?? 0n);
      upstream.set(id, all);
    }
    return upstream;
  }

  #walk(): TaskId[] | undefined {
    for (const start of this.#waits.keys()) {
      const cycle = this.#order.has(start) ? undefined : this.#walkFrom(start);
      if (cycle) return cycle;
    }
    return undefined;
  }

  /** Depth first, without recursion: a plan may be a chain of a thousand tasks. */
  #walkFrom(start: TaskId): TaskId[] | undefined {
    const path: { id: TaskId; waits: TaskId[]; next: number }[] = [];
    const onPath = new Set<TaskId>();
    const enter = (id: TaskId): void => {
      path.push({ id, waits: this.#waits.get(id) ?? [], next: 0 });
      onPath.add(id);
    };
    enter(start);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const id = top.waits[top.next];
      top.next += 1;
      if (id === undefined) {
        this.#order.add(top.id);
        onPath.delete(top.id);
        path.pop();
      } else if (onPath.has(id)) {
        const ids = path.map((step) => step.id);
        return [...ids.slice(ids.indexOf(id)), id];
      } else if (!this.#order.has(id)) enter(id);
    }
    return undefined;
  }
}

/** For each task, all that may stand in for it: its alternatives, theirs, and so on. */
function standInsOf(specs: ReadonlyMap<TaskId, TaskSpec>): Map<TaskId, TaskId[]> {
  const direct = new Map<TaskId, TaskId[]>();
  for (const { id, alternativeTo } of specs.values()) {
    if (alternativeTo === undefined || alternativeTo === id) continue;
    const known = direct.get(alternativeTo);
    if (known) known.push(id);
    else direct.set(alternativeTo, [id]);
  }
  const all = new Map<TaskId, TaskId[]>();
  for (const id of direct.keys()) {
    const found = new Set(direct.get(id));
    for (const each of found) for (const next of direct.get(each) ?? []) found.add(next);
    all.set(id, [...found]);
  }
  return all;
}

/** Faults that have a name of their own (unknown names, a task that names itself, an alternative that needs its original) are left out. */
function waitsFor(task: TaskSpec, specs: ReadonlyMap<TaskId, TaskSpec>, standIns: ReadonlyMap<TaskId, TaskId[]>): TaskId[] {
  const waits = new Set<TaskId>();
  for (const dependency of task.dependsOn) {
    if (dependency === task.id || dependency === task.alternativeTo || !specs.has(dependency)) continue;
    waits.add(dependency);
    for (const id of standIns.get(dependency) ?? []) waits.add(id);
  }
  const { alternativeTo } = task;
  if (alternativeTo !== undefined && alternativeTo !== task.id && specs.has(alternativeTo)) waits.add(alternativeTo);
  return [...waits];
}
