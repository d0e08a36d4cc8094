/** Access to the parts of a run that grow with it, whether they are the state's own or a decision's draft of them. */
import type { AgentName, CallKey, TaskId } from '@cadre/contracts';
import { NOTHING_SPENT } from './state.js';
import type { CallState, RunState, Spent, TaskState } from './state.js';
import type { TaskTable } from './task-table.js';

export interface RunTables extends TaskTable {
  call(taskId: TaskId, key: CallKey): CallState | undefined;
  setCall(taskId: TaskId, key: CallKey, call: CallState): void;
  /** Forgets the calls of a task: all, or all without an effect on the world. */
  dropCalls(taskId: TaskId, which: 'all' | 'without-effect'): void;
  agentSpent(agent: AgentName): Spent;
  setAgentSpent(agent: AgentName, spent: Spent): void;
  /** How many dependencies of a task have not ended. */
  waits(taskId: TaskId): number;
  setWaits(taskId: TaskId, count: number): void;
}

export function own<T>(record: Record<string, T>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Tables that write through to the run's records. A class, because one is made for each commit that is folded. */
class RecordTables implements RunTables {
  constructor(private readonly run: RunState) {}

  get(id: TaskId): TaskState | undefined {
    return own(this.run.tasks, id);
  }

  ids(): Iterable<TaskId> {
    return Object.keys(this.run.tasks);
  }

  set(id: TaskId, task: TaskState): void {
    this.run.tasks[id] = task;
  }

  call(taskId: TaskId, key: CallKey): CallState | undefined {
    return own(this.run.calls, taskId)?.[key];
  }

  setCall(taskId: TaskId, key: CallKey, call: CallState): void {
    const calls = own(this.run.calls, taskId);
    if (calls) calls[key] = call;
    else this.run.calls[taskId] = { [key]: call };
  }

  dropCalls(taskId: TaskId, which: 'all' | 'without-effect'): void {
    dropCalls(this.run, taskId, which);
  }

  agentSpent(agent: AgentName): Spent {
    return own(this.run.agentsSpent, agent) ?? NOTHING_SPENT;
  }

  setAgentSpent(agent: AgentName, spent: Spent): void {
    this.run.agentsSpent[agent] = spent;
  }

  waits(taskId: TaskId): number {
    return own(this.run.waits, taskId) ?? 0;
  }

  setWaits(taskId: TaskId, count: number): void {
    if (count > 0) this.run.waits[taskId] = count;
    else delete this.run.waits[taskId];
  }
}

export function recordTables(run: RunState): RunTables {
  return new RecordTables(run);
}

function dropCalls(run: RunState, taskId: TaskId, which: 'all' | 'without-effect'): void {
  const calls = own(run.calls, taskId);
  if (!calls) return;
  const kept = which === 'all' ? [] : Object.entries(calls).filter(([, call]) => call.effect !== undefined);
  if (kept.length > 0) run.calls[taskId] = Object.fromEntries(kept);
  else delete run.calls[taskId];
}
