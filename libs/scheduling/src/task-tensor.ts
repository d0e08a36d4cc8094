/**
 * What is assigned to whom, and who could be: `T[tasks, agents, levels]`. 1 where an agent works on a task; for a task that waits, a
 * fraction for each agent that could take it. Everything else is 0 and not listed.
 */
import { PRIORITIES, type AgentName, type Priority, type RunId, type TaskId } from '@cadre/contracts';
import type { ReadyGroup } from './attempts.js';
import type { HostedAgent } from './hosted-agents.js';
import { isCapable, type OpenWorker } from './match-offers.js';
import type { OpenWork } from './open-work.js';
import { urgencyOf } from './urgency.js';

export interface TensorTask {
  runId: RunId;
  taskId: TaskId;
  attempt: number;
  tenant: string;
  state: 'running' | 'ready';
}

export interface TaskTensor {
  /** Tasks, agents, levels. */
  shape: [number, number, number];
  /** What the places along each dimension stand for. */
  labels: { tasks: TensorTask[]; agents: AgentName[]; levels: readonly Priority[] };
  /** Task, agent, level, value. */
  entries: [task: number, agent: number, level: number, value: number][];
  /** Tasks beyond the most that are told: of the waiting ones the least urgent are left out. */
  leftOut: number;
}

export interface TensorRules {
  /** Milliseconds since 1970. */
  now: number;
  /** Waiting this long raises an attempt by one level of priority. */
  ageingMs: number;
  /** Tasks told at most. */
  most: number;
}

const LEAST_URGENT = PRIORITIES.length - 1;

/** An agent at a worker. */
interface Candidate {
  agent: HostedAgent;
  free: number;
}

/** Agents by name, each at all its workers, with the slots that are free there. */
function candidates(workers: readonly OpenWorker[]): Map<AgentName, Candidate[]> {
  const byName = new Map<AgentName, Candidate[]>();
  for (const { agents, slots, used } of workers) {
    for (const agent of agents) byName.set(agent.name, [...(byName.get(agent.name) ?? []), { agent, free: Math.max(0, slots - used) }]);
  }
  return byName;
}

/** Who could take it, with the slots that are free for that. */
function ableOf(known: ReadonlyMap<AgentName, Candidate[]>, needs: ReadyGroup): { name: AgentName; free: number }[] {
  return [...known].flatMap(([name, places]) => {
    const able = places.filter(({ agent }) => isCapable(agent, needs));
    return able.length === 0 ? [] : [{ name, free: able.reduce((sum, { free }) => sum + free, 0) }];
  });
}

/** Running attempts first, then ready ones, the most urgent of them first. */
function tasksOf(work: OpenWork, waiting: readonly ReadyGroup[], { now, ageingMs }: TensorRules) {
  const running = Array.from(work.running(), ({ runId, taskId, attempt, tenant, agent }) => {
    const level = work.rankOf(runId, taskId) ?? LEAST_URGENT;
    return { label: { runId, taskId, attempt, tenant, state: 'running' as const }, level, agent, needs: undefined };
  });
  const ready = waiting.flatMap((group) =>
    Array.from(group.attempts, ({ runId, taskId, attempt, tenant, rank, readyAt }) => {
      const level = Math.max(0, urgencyOf(rank, readyAt, now, ageingMs));
      return { label: { runId, taskId, attempt, tenant, state: 'ready' as const }, level, agent: undefined, needs: group };
    }),
  );
  return [...running, ...ready.sort((a, b) => a.level - b.level)];
}

/** @param waiting what is ready, as it is offered @param workers those that may be offered work */
export function taskTensor(work: OpenWork, waiting: readonly ReadyGroup[], workers: readonly OpenWorker[], rules: TensorRules): TaskTensor {
  const all = tasksOf(work, waiting, rules);
  const told = all.slice(0, rules.most);
  const known = candidates(workers);
  // Who works may have become silent since.
  const names = new Set([...known.keys(), ...told.flatMap(({ agent }) => agent ?? [])]);
  const agents = [...names].sort();
  const place = new Map(agents.map((name, index) => [name, index]));
  const entries: TaskTensor['entries'] = [];
  for (const [task, { level, agent, needs }] of told.entries()) {
    if (agent !== undefined) entries.push([task, place.get(agent) as number, level, 1]);
    if (needs === undefined) continue;
    const able = ableOf(known, needs);
    // An agent without a free slot could still be the next to have one; in sum they stay below an assignment.
    const weights = able.reduce((sum, { free }) => sum + free + 1, 1);
    for (const { name, free } of able) entries.push([task, place.get(name) as number, level, (free + 1) / weights]);
  }
  const tasks = told.map(({ label }) => label);
  return {
    shape: [tasks.length, agents.length, PRIORITIES.length],
    labels: { tasks, agents, levels: PRIORITIES },
    entries,
    leftOut: all.length - told.length,
  };
}
