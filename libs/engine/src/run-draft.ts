/** A run's tables as a decision leaves them, over the state that it was made on. That state is only read until the draft is adopted. */
import { CadreError } from '@cadre/contracts';
import type { AgentName, CallKey, TaskId } from '@cadre/contracts';
import { own, recordTables } from './run-tables.js';
import type { RunTables } from './run-tables.js';
import { NOTHING_SPENT } from './state.js';
import type { CallState, RunState, Spent, TaskState } from './state.js';
import { taskOf } from './task-table.js';

interface CallChanges {
  dropped?: 'all' | 'without-effect';
  calls: Map<CallKey, CallState>;
}

export class RunDraft implements RunTables {
  /** The run's own fields; read tasks, calls and agents' money through the methods. */
  readonly run: RunState;
  readonly #tasks = new Map<TaskId, TaskState>();
  // Most decisions need none of these, and one is made for each command.
  #calls: Map<TaskId, CallChanges> | undefined;
  #agents: Map<AgentName, Spent> | undefined;
  #waits: Map<TaskId, number> | undefined;

  constructor(state: RunState) {
    this.run = { ...state };
  }

  get(id: TaskId): TaskState | undefined {
    return this.#tasks.get(id) ?? taskOf(this.run.tasks, id);
  }

  /** The task, which must be there. */
  need(id: TaskId): TaskState {
    const task = this.get(id);
    if (!task) throw new CadreError('engine-bug', `Run ${this.run.runId} has no task ${id}.`);
    return task;
  }

  set(id: TaskId, task: TaskState): void {
    this.#tasks.set(id, task);
  }

  *ids(): Iterable<TaskId> {
    yield* Object.keys(this.run.tasks);
    for (const id of this.#tasks.keys()) {
      if (!Object.hasOwn(this.run.tasks, id)) yield id;
    }
  }

  call(taskId: TaskId, key: CallKey): CallState | undefined {
    const changes = this.#calls?.get(taskId);
    const changed = changes?.calls.get(key);
    if (changed !== undefined || changes?.dropped === 'all') return changed;
    const call = own(this.run.calls, taskId)?.[key];
    return changes?.dropped === 'without-effect' && call?.effect === undefined ? undefined : call;
  }

  setCall(taskId: TaskId, key: CallKey, call: CallState): void {
    const changes = this.#calls?.get(taskId);
    if (changes) changes.calls.set(key, call);
    else (this.#calls ??= new Map()).set(taskId, { calls: new Map([[key, call]]) });
  }

  dropCalls(taskId: TaskId, which: 'all' | 'without-effect'): void {
    const changes = this.#calls?.get(taskId);
    const kept = which === 'all' ? [] : [...(changes?.calls ?? [])].filter(([, call]) => call.effect !== undefined);
    (this.#calls ??= new Map()).set(taskId, { dropped: changes?.dropped === 'all' ? 'all' : which, calls: new Map(kept) });
  }

  agentSpent(agent: AgentName): Spent {
    return this.#agents?.get(agent) ?? own(this.run.agentsSpent, agent) ?? NOTHING_SPENT;
  }

  setAgentSpent(agent: AgentName, spent: Spent): void {
    (this.#agents ??= new Map()).set(agent, spent);
  }

  waits(taskId: TaskId): number {
    return this.#waits?.get(taskId) ?? own(this.run.waits, taskId) ?? 0;
  }

  setWaits(taskId: TaskId, count: number): void {
    (this.#waits ??= new Map()).set(taskId, count);
  }

  /**
   * The state that it has come to, as folding its events gives it. Like a fold it takes over the state that it started from. @param seq of
   * its commit
   */
  adopt(seq: number): RunState {
    const tables = recordTables(this.run);
    for (const [id, task] of this.#tasks) tables.set(id, task);
    for (const [id, { dropped, calls }] of this.#calls ?? []) {
      if (dropped !== undefined) tables.dropCalls(id, dropped);
      for (const [key, call] of calls) tables.setCall(id, key, call);
    }
    for (const [agent, spent] of this.#agents ?? []) tables.setAgentSpent(agent, spent);
    for (const [id, count] of this.#waits ?? []) tables.setWaits(id, count);
    this.run.seq = seq;
    return this.run;
  }
}
