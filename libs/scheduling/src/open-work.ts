/**
 * What is open in the logs: attempts that are ready or running, and when time is up. A light fold of its own: it keeps what scheduling
 * needs and nothing of results, so that it can follow every shard. It believes the log; only the engine decides.
 */
import {
  PLAN_TASK,
  shardOf,
  type AgentName,
  type Block,
  type Commit,
  type Priority,
  type RunEvent,
  type RunId,
  type TaskId,
} from '@cadre/contracts';
import type { RunState, ShardState } from '@cadre/engine';
import { attemptKey, groupKey, needsOf, type AttemptName, type ReadyAttempt, type ReadyGroup, type RunningAttempt } from './attempts.js';
import { rankOf } from './urgency.js';

interface WorkTask {
  skills: readonly string[];
  agent: AgentName | undefined;
  rank: number;
  planning: boolean;
  /** The open attempt; 0 while there is none. */
  attempt: number;
}

interface WorkRun {
  priority: Priority;
  deadlineAt: number;
  tasks: Map<TaskId, WorkTask>;
}

type Group = ReadyGroup & { attempts: ReadyQueue };
interface ReadyQueue {
  size: number;
  [Symbol.iterator](): Iterator<ReadyAttempt>;
  set(key: string, attempt: ReadyAttempt): void;
  delete(key: string): boolean;
}

export class OpenWork {
  readonly #runs = new Map<RunId, WorkRun>();
  readonly #groups = new Map<string, Group>();
  /** Group of each ready attempt. */
  readonly #ready = new Map<string, string>();
  /** Scheduled, but not to be started yet. */
  readonly #delayed = new Map<string, ReadyAttempt>();
  readonly #running = new Map<string, RunningAttempt>();

  /** Forgets a shard and takes its state from a snapshot. @param now local time, in milliseconds since 1970 */
  reset(shard: number, state: ShardState, now: number): void {
    for (const runId of [...this.#runs.keys()]) if (shardOf(runId) === shard) this.#dropRun(runId);
    for (const run of Object.values(state.open)) this.#takeRun(run, now);
  }

  /** Folds a block. @param now local time, in milliseconds since 1970 */
  apply(block: Block, now: number): void {
    for (const commit of block.commits) for (const event of commit.events) this.#applyEvent(commit, event, now);
  }

  /** Ready attempts, in groups that are each oldest first. Good until the next call that changes something. */
  ready(now: number): ReadyGroup[] {
    for (const [key, attempt] of this.#delayed) {
      if (attempt.readyAt > now) continue;
      this.#delayed.delete(key);
      this.#addReady(key, attempt);
    }
    return [...this.#groups.values()];
  }

  get readyCount(): number {
    return this.#ready.size;
  }

  running(): Iterable<RunningAttempt> {
    return this.#running.values();
  }

  get runningCount(): number {
    return this.#running.size;
  }

  isRunning(name: AttemptName): boolean {
    return this.#running.has(attemptKey(name));
  }

  /** Whether the attempt is its task's open one, ready or running. */
  isOpen({ runId, taskId, attempt }: AttemptName): boolean {
    return this.#runs.get(runId)?.tasks.get(taskId)?.attempt === attempt;
  }

  isReady(name: AttemptName): boolean {
    return this.#ready.has(attemptKey(name));
  }

  /** Running attempts whose time is up. */
  expiredAttempts(now: number): RunningAttempt[] {
    return [...this.#running.values()].filter((attempt) => attempt.deadlineAt <= now);
  }

  /** Open runs whose time is up. */
  expiredRuns(now: number): RunId[] {
    const expired: RunId[] = [];
    for (const [runId, run] of this.#runs) if (run.deadlineAt <= now) expired.push(runId);
    return expired;
  }

  #applyEvent({ runId, at }: Commit, event: RunEvent, now: number): void {
    if (event.type === 'RunStarted') {
      this.#runs.set(runId, { priority: event.options.priority, deadlineAt: event.deadlineAt, tasks: new Map() });
      return;
    }
    const run = this.#runs.get(runId);
    if (run === undefined) return;
    switch (event.type) {
      case 'TasksAdded':
        for (const { id, skills, agent, priority } of event.tasks) {
          const planning = event.source === 'engine' && id === PLAN_TASK;
          run.tasks.set(id, { skills, agent, rank: rankOf(priority, run.priority), planning, attempt: 0 });
        }
        return;
      case 'AttemptScheduled':
        return this.#schedule(run, runId, event, at, now);
      case 'AttemptStarted': {
        const { taskId, attempt, workerId, deadlineAt } = event;
        this.#close(run, runId, taskId);
        this.#run(run, { runId, taskId, attempt, workerId, deadlineAt, seenAt: now });
        return;
      }
      case 'AttemptFailed':
      case 'TaskCompleted':
      case 'TaskFailed':
      case 'TaskSkipped':
      case 'TaskCancelled':
        return this.#close(run, runId, event.taskId);
      case 'RunCompleted':
      case 'RunFailed':
      case 'RunCancelled':
        return this.#dropRun(runId);
    }
  }

  #schedule(run: WorkRun, runId: RunId, event: Extract<RunEvent, { type: 'AttemptScheduled' }>, at: number, now: number): void {
    const { taskId, attempt, notBefore } = event;
    const task = run.tasks.get(taskId);
    if (task === undefined) return;
    this.#close(run, runId, taskId);
    task.attempt = attempt;
    const { skills, rank, planning } = task;
    const agent = event.agent ?? task.agent;
    const ready = {
      runId,
      taskId,
      attempt,
      rank,
      skills,
      planning,
      readyAt: Math.max(at, notBefore),
      ...(agent !== undefined && { agent }),
    };
    if (ready.readyAt > now) this.#delayed.set(attemptKey(ready), ready);
    else this.#addReady(attemptKey(ready), ready);
  }

  #run(run: WorkRun, running: RunningAttempt): void {
    const task = run.tasks.get(running.taskId);
    if (task) task.attempt = running.attempt;
    this.#running.set(attemptKey(running), running);
  }

  #addReady(key: string, attempt: ReadyAttempt): void {
    const group = groupKey(attempt);
    let entry = this.#groups.get(group);
    if (entry === undefined) this.#groups.set(group, (entry = { ...needsOf(attempt), attempts: readyQueue() }));
    entry.attempts.set(key, attempt);
    this.#ready.set(key, group);
  }

  #close(run: WorkRun, runId: RunId, taskId: TaskId): void {
    const task = run.tasks.get(taskId);
    if (task === undefined || task.attempt === 0) return;
    const key = attemptKey({ runId, taskId, attempt: task.attempt });
    task.attempt = 0;
    this.#running.delete(key);
    this.#delayed.delete(key);
    const group = this.#ready.get(key);
    if (group === undefined) return;
    this.#ready.delete(key);
    const entry = this.#groups.get(group);
    entry?.attempts.delete(key);
    if (entry?.attempts.size === 0) this.#groups.delete(group);
  }

  #dropRun(runId: RunId): void {
    const run = this.#runs.get(runId);
    if (run === undefined) return;
    for (const taskId of run.tasks.keys()) this.#close(run, runId, taskId);
    this.#runs.delete(runId);
  }

  #takeRun(state: RunState, now: number): void {
    const run: WorkRun = { priority: state.options.priority, deadlineAt: state.deadlineAt, tasks: new Map() };
    this.#runs.set(state.runId, run);
    for (const [taskId, task] of Object.entries(state.tasks)) {
      const { skills, agent, priority } = task.spec;
      run.tasks.set(taskId, { skills, agent, rank: rankOf(priority, run.priority), planning: task.kind === 'plan', attempt: 0 });
      const { attempt, notBefore, scheduledAt, wantedAgent, workerId, deadlineAt } = task;
      if (task.status === 'ready') {
        const event = {
          type: 'AttemptScheduled' as const,
          taskId,
          attempt,
          notBefore,
          ...(wantedAgent !== undefined && { agent: wantedAgent }),
        };
        this.#schedule(run, state.runId, event, scheduledAt ?? notBefore, now);
      } else if (task.status === 'running' && workerId !== undefined) {
        this.#run(run, { runId: state.runId, taskId, attempt, workerId, deadlineAt: deadlineAt ?? state.deadlineAt, seenAt: now });
      }
    }
  }
}

/** In order of arrival, which is close to the order of age: an attempt arrives when it becomes ready. */
function readyQueue(): ReadyQueue {
  const entries = new Map<string, ReadyAttempt>();
  return {
    get size() {
      return entries.size;
    },
    [Symbol.iterator]: () => entries.values(),
    set: (key, attempt) => void entries.set(key, attempt),
    delete: (key) => entries.delete(key),
  };
}
