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
  type RunOptions,
  type TaskId,
  type WorkerId,
} from '@cadre/contracts';
import type { RunState, ShardState } from '@cadre/engine';
import { AgentBreakers, type BreakerRules } from './agent-breakers.js';
import { attemptKey, groupKey, groupOf, type AttemptName, type ReadyAttempt, type ReadyGroup, type RunningAttempt } from './attempts.js';
import { Lately } from './lately.js';
import { OpenQuestions } from './open-questions.js';
import { OpenTimers } from './open-timers.js';
import { Tally } from './tally.js';
import { rankOf } from './urgency.js';

interface WorkTask {
  skills: readonly string[];
  agent: AgentName | undefined;
  rank: number;
  planning: boolean;
  /** The open attempt and its key; 0 while there is none. */
  attempt: number;
  key: string;
}

interface WorkRun {
  tenant: string;
  /** Attempts of it that may be at work at once. */
  limit: number | undefined;
  priority: Priority;
  deadlineAt: number;
  /** A cancel was asked for; running attempts wind up. */
  cancelling: boolean;
  tasks: Map<TaskId, WorkTask>;
}

/** How long the completed attempts of a worker took of late. */
interface Pace {
  meanMs: number;
  attempts: number;
}

/** An attempt counts for a sixteenth of the mean; before there are so many, the mean means nothing. */
const PACE_ATTEMPTS = 16;
const MOST_PACES = 5000;

/** Longer than a worker goes on with what was taken from it. */
const BROKEN_OFF_MS = 10_000;

type Group = ReadyGroup & { attempts: ReadyQueue };
interface ReadyQueue {
  size: number;
  [Symbol.iterator](): Iterator<ReadyAttempt>;
  get(key: string): ReadyAttempt | undefined;
  set(key: string, attempt: ReadyAttempt): void;
  delete(key: string): boolean;
}

export class OpenWork {
  /** Which agents fail at what they get. */
  readonly breakers: AgentBreakers;
  /** What waits for people. */
  readonly questions = new OpenQuestions();
  /** What waits for time. */
  readonly timers = new OpenTimers();
  readonly #runs = new Map<RunId, WorkRun>();
  readonly #groups = new Map<string, Group>();
  /** Group of each ready attempt. */
  readonly #ready = new Map<string, string>();
  /** Scheduled, but not to be started yet. */
  readonly #delayed = new Map<string, ReadyAttempt>();
  /** None of them is due earlier, so that thousands need not be looked at whenever something happens. */
  #nextDue = Infinity;
  readonly #running = new Map<string, RunningAttempt>();
  #cancelling = 0;
  readonly #runningAt = new Tally<WorkerId>();
  readonly #runningOfRun = new Tally<RunId>();
  readonly #runningOfTenant = new Tally();
  readonly #runningOfAgent = new Tally<AgentName>();
  readonly #paces = new Map<WorkerId, Pace>();
  /** By the attempt from whose result a worker went on: who that was. */
  readonly #leftBehind = new Map<string, WorkerId>();
  readonly #brokenOff = new Lately(BROKEN_OFF_MS);

  constructor(breaker: Partial<BreakerRules> = {}) {
    this.breakers = new AgentBreakers(breaker);
  }

  /** Forgets a shard and takes its state from a snapshot. @param now local time, in milliseconds since 1970 */
  reset(shard: number, state: ShardState, now: number): void {
    for (const runId of [...this.#runs.keys()]) if (shardOf(runId) === shard) this.#dropRun(runId);
    for (const run of Object.values(state.open)) this.#takeRun(run, now);
    this.breakers.reset(shard, state);
  }

  /** Folds a block. @param now local time, in milliseconds since 1970 */
  apply(block: Block, now: number): void {
    for (const commit of block.commits) for (const event of commit.events) this.#applyEvent(commit, event, now);
    this.breakers.apply(block);
  }

  /** @param key see `attemptKey` */
  readyOf(key: string): ReadyAttempt | undefined {
    const group = this.#ready.get(key);
    return group === undefined ? undefined : this.#groups.get(group)?.attempts.get(key);
  }

  /** Ready attempts, in groups that are each oldest first. Good until the next call that changes something. */
  ready(now: number): ReadyGroup[] {
    if (now >= this.#nextDue) this.#takeDue(now);
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

  /** @param key see `attemptKey` */
  isReadyKey(key: string): boolean {
    return this.#ready.has(key);
  }

  isRunningKey(key: string): boolean {
    return this.#running.has(key);
  }

  /** Whether the attempt was closed a moment ago without a result, so that its worker may still be at it. */
  wasBrokenOff(key: string): boolean {
    return this.#brokenOff.has(key);
  }

  /** Whether the worker has ended this attempt and gone on to one that still runs, and may not have heard of it yet. */
  isLeftBehind(key: string, workerId: WorkerId): boolean {
    return this.#leftBehind.get(key) === workerId;
  }

  /** Open runs that are being cancelled. */
  get cancellingCount(): number {
    return this.#cancelling;
  }

  isCancelling(runId: RunId): boolean {
    return this.#runs.get(runId)?.cancelling ?? false;
  }

  /** How many attempts run at a worker. */
  runningAt(workerId: WorkerId): number {
    return this.#runningAt.of(workerId);
  }

  /** How many attempts of a run, of a tenant and of an agent run, over all workers. */
  runningOf(whose: { runId: RunId } | { tenant: string } | { agent: AgentName }): number {
    if ('runId' in whose) return this.#runningOfRun.of(whose.runId);
    return 'tenant' in whose ? this.#runningOfTenant.of(whose.tenant) : this.#runningOfAgent.of(whose.agent);
  }

  /** How long the completed attempts of a worker took of late, in milliseconds; undefined while too few are known. */
  paceOf(workerId: WorkerId): number | undefined {
    const pace = this.#paces.get(workerId);
    return pace !== undefined && pace.attempts >= PACE_ATTEMPTS ? pace.meanMs : undefined;
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

  #applyEvent(commit: Commit, event: RunEvent, now: number): void {
    const { runId, at } = commit;
    if (event.type === 'RunStarted') {
      const { tenant, deadlineAt, options } = event;
      this.#runs.set(runId, { tenant, deadlineAt, ...limitsOf(options), cancelling: false, tasks: new Map() });
      return;
    }
    const run = this.#runs.get(runId);
    if (run === undefined) return;
    this.questions.apply(commit, event);
    this.timers.apply(commit, event);
    switch (event.type) {
      case 'TasksAdded':
        for (const { id, skills, agent, priority } of event.tasks) {
          const planning = event.source === 'engine' && id === PLAN_TASK;
          run.tasks.set(id, { skills, agent, rank: rankOf(priority, run.priority), planning, attempt: 0, key: '' });
        }
        return;
      case 'AttemptScheduled':
        return this.#schedule(run, runId, event, at, now);
      case 'AttemptStarted': {
        const { taskId, attempt, agent, workerId, deadlineAt } = event;
        const wasOpen = run.tasks.get(taskId)?.attempt === attempt;
        const key = this.#close(run, taskId);
        // A task that has ended keeps the key of its last attempt.
        const after = event.after === undefined ? undefined : run.tasks.get(event.after)?.key;
        const what = { runId, taskId, attempt, tenant: run.tenant, agent };
        const running = { ...what, workerId, deadlineAt, seenAt: now, ...(after !== undefined && { after }) };
        this.#run(run, running, wasOpen ? key : undefined);
        return;
      }
      case 'TaskCompleted':
        this.#learnPace(this.#running.get(run.tasks.get(event.taskId)?.key ?? ''), now);
        this.#close(run, event.taskId);
        return;
      case 'CancelRequested':
        if (!run.cancelling) this.#cancelling += 1;
        return void Object.assign(run, { cancelling: true, deadlineAt: event.graceUntil });
      case 'AttemptFailed':
      case 'TaskFailed':
      case 'TaskSkipped':
      case 'TaskCancelled': {
        const key = this.#close(run, event.taskId);
        if (key !== '') this.#brokenOff.add(key, now);
        return;
      }
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
    this.#close(run, taskId);
    task.attempt = attempt;
    task.key = attemptKey({ runId, taskId, attempt });
    const { skills, rank, planning } = task;
    const agent = event.agent ?? task.agent;
    const ready = {
      runId,
      taskId,
      attempt,
      tenant: run.tenant,
      ...(run.limit !== undefined && { runLimit: run.limit }),
      rank,
      skills,
      planning,
      readyAt: Math.max(at, notBefore),
      key: task.key,
      ...(agent !== undefined && { agent }),
    };
    if (ready.readyAt > now) {
      this.#delayed.set(task.key, ready);
      this.#nextDue = Math.min(this.#nextDue, ready.readyAt);
    } else this.#addReady(task.key, ready);
  }

  #run(run: WorkRun, running: RunningAttempt, key = attemptKey(running)): void {
    const task = run.tasks.get(running.taskId);
    if (task) Object.assign(task, { attempt: running.attempt, key });
    this.#stopRunning(key);
    this.#running.set(key, running);
    this.#count(running, 1);
    if (running.after !== undefined) this.#leftBehind.set(running.after, running.workerId);
  }

  #learnPace(attempt: RunningAttempt | undefined, now: number): void {
    if (attempt === undefined) return;
    const { workerId, seenAt } = attempt;
    const { meanMs, attempts } = this.#paces.get(workerId) ?? { meanMs: 0, attempts: 0 };
    const weight = 1 / Math.min(attempts + 1, PACE_ATTEMPTS);
    // Those heard of last are the last to be forgotten.
    this.#paces.delete(workerId);
    this.#paces.set(workerId, { meanMs: meanMs + (now - seenAt - meanMs) * weight, attempts: attempts + 1 });
    const [oldest] = this.#paces.keys();
    if (this.#paces.size > MOST_PACES && oldest !== undefined) this.#paces.delete(oldest);
  }

  #takeDue(now: number): void {
    this.#nextDue = Infinity;
    for (const [key, attempt] of this.#delayed) {
      if (attempt.readyAt > now) {
        this.#nextDue = Math.min(this.#nextDue, attempt.readyAt);
        continue;
      }
      this.#delayed.delete(key);
      this.#addReady(key, attempt);
    }
  }

  #stopRunning(key: string): void {
    const running = this.#running.get(key);
    if (running === undefined) return;
    this.#running.delete(key);
    if (running.after !== undefined) this.#leftBehind.delete(running.after);
    this.#count(running, -1);
  }

  #count({ workerId, runId, tenant, agent }: RunningAttempt, by: 1 | -1): void {
    this.#runningAt.add(workerId, by);
    this.#runningOfRun.add(runId, by);
    this.#runningOfTenant.add(tenant, by);
    this.#runningOfAgent.add(agent, by);
  }

  #addReady(key: string, attempt: ReadyAttempt): void {
    const group = groupKey(attempt);
    let entry = this.#groups.get(group);
    if (entry === undefined) this.#groups.set(group, (entry = { ...groupOf(attempt), attempts: readyQueue() }));
    entry.attempts.set(key, attempt);
    this.#ready.set(key, group);
  }

  /** @returns the key of the attempt that was open, empty when there was none */
  #close(run: WorkRun, taskId: TaskId): string {
    const task = run.tasks.get(taskId);
    if (task === undefined || task.attempt === 0) return '';
    const { key } = task;
    task.attempt = 0;
    this.#stopRunning(key);
    this.#delayed.delete(key);
    const group = this.#ready.get(key);
    if (group === undefined) return key;
    this.#ready.delete(key);
    const entry = this.#groups.get(group);
    entry?.attempts.delete(key);
    if (entry?.attempts.size === 0) this.#groups.delete(group);
    return key;
  }

  #dropRun(runId: RunId): void {
    const run = this.#runs.get(runId);
    if (run === undefined) return;
    for (const taskId of run.tasks.keys()) this.#close(run, taskId);
    if (run.cancelling) this.#cancelling -= 1;
    this.questions.drop(runId);
    this.timers.drop(runId);
    this.#runs.delete(runId);
  }

  #takeRun(state: RunState, now: number): void {
    const cancelling = state.status === 'cancelling';
    const { runId, tenant, options, deadlineAt: runDeadlineAt } = state;
    const run: WorkRun = { tenant, deadlineAt: runDeadlineAt, ...limitsOf(options), cancelling, tasks: new Map() };
    if (cancelling) this.#cancelling += 1;
    this.#runs.set(runId, run);
    this.questions.take(state);
    this.timers.take(state);
    for (const [taskId, task] of Object.entries(state.tasks)) {
      const { skills, agent, priority } = task.spec;
      run.tasks.set(taskId, { skills, agent, rank: rankOf(priority, run.priority), planning: task.kind === 'plan', attempt: 0, key: '' });
      const { attempt, notBefore, scheduledAt, wantedAgent, workerId, deadlineAt = runDeadlineAt, after } = task;
      if (task.status === 'ready') {
        const event = {
          type: 'AttemptScheduled' as const,
          taskId,
          attempt,
          notBefore,
          ...(wantedAgent !== undefined && { agent: wantedAgent }),
        };
        this.#schedule(run, runId, event, scheduledAt ?? notBefore, now);
      } else if (task.status === 'running' && workerId !== undefined) {
        const before = after === undefined ? undefined : state.tasks[after];
        const left = before && { after: attemptKey({ runId, taskId: before.spec.id, attempt: before.attempt }) };
        this.#run(run, { runId, taskId, attempt, tenant, agent: task.agent ?? '', workerId, deadlineAt, seenAt: now, ...left });
      }
    }
  }
}

function limitsOf({ priority, maxParallel }: RunOptions): Pick<WorkRun, 'priority' | 'limit'> {
  return { priority, limit: maxParallel };
}

/** In order of arrival, which is close to the order of age: an attempt arrives when it becomes ready. */
function readyQueue(): ReadyQueue {
  const entries = new Map<string, ReadyAttempt>();
  return {
    get size() {
      return entries.size;
    },
    [Symbol.iterator]: () => entries.values(),
    get: (key) => entries.get(key),
    set: (key, attempt) => void entries.set(key, attempt),
    delete: (key) => entries.delete(key),
  };
}
