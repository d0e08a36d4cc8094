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
  type Labels,
  type Priority,
  type RunEvent,
  type RunId,
  type RunOptions,
  type TaskId,
  type TaskSpec,
  type WorkerId,
} from '@cadre/contracts';
import type { RunState, ShardState } from '@cadre/engine';
import { AgentRecords } from './agent-records.js';
import { AgentBreakers, type BreakerRules } from './agent-breakers.js';
import { attemptKey, groupKey, groupOf, type AttemptName, type ReadyAttempt, type ReadyGroup, type RunningAttempt } from './attempts.js';
import { OpenQuestions } from './open-questions.js';
import { OpenTimers } from './open-timers.js';
import { RecentTenants } from './recent-tenants.js';
import { RunningWork } from './running-work.js';
import { rankOf } from './urgency.js';

interface WorkTask {
  skills: readonly string[];
  labels: Labels | undefined;
  agent: AgentName | undefined;
  /** It asks for an agent, and not for skills. */
  byName: boolean;
  rank: number;
  planning: boolean;
  bidding: boolean;
  /** Nobody else does it under load, and nothing is left out of it. */
  firm: boolean;
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
  /** Of all its tasks. */
  firm: boolean;
  tasks: Map<TaskId, WorkTask>;
}

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
  /** How attempts of agents have ended. */
  readonly records = new AgentRecords();
  /** What waits for people. */
  readonly questions = new OpenQuestions();
  /** What waits for time. */
  readonly timers = new OpenTimers();
  /** Whose work was scheduled of late. */
  readonly tenants = new RecentTenants();
  readonly #runs = new Map<RunId, WorkRun>();
  readonly #groups = new Map<string, Group>();
  /** Group of each ready attempt. */
  readonly #ready = new Map<string, string>();
  /** Scheduled, but not to be started yet. */
  readonly #delayed = new Map<string, ReadyAttempt>();
  /** None of them is due earlier, so that thousands need not be looked at whenever something happens. */
  #nextDue = Infinity;
  readonly #running = new RunningWork();
  #cancelling = 0;

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
    this.records.apply(block);
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
    return this.#running.all();
  }

  get runningCount(): number {
    return this.#running.size;
  }

  isRunning(name: AttemptName): boolean {
    return this.#running.has(attemptKey(name));
  }

  /** Of a task of an open run; see `rankOf`. */
  rankOf(runId: RunId, taskId: TaskId): number | undefined {
    return this.#runs.get(runId)?.tasks.get(taskId)?.rank;
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
    return this.#running.wasBrokenOff(key);
  }

  /** Whether the worker has ended this attempt and gone on to one that still runs, and may not have heard of it yet. */
  isLeftBehind(key: string, workerId: WorkerId): boolean {
    return this.#running.isLeftBehind(key, workerId);
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
    return this.#running.at(workerId);
  }

  /** How many attempts of a run, of a tenant and of an agent run, over all workers. */
  runningOf(whose: { runId: RunId } | { tenant: string } | { agent: AgentName }): number {
    return this.#running.of(whose);
  }

  /** How many attempts of a tenant run at a worker. */
  runningOfTenantAt(tenant: string, workerId: WorkerId): number {
    return this.#running.ofTenantAt(tenant, workerId);
  }

  /** How long the completed attempts of a worker took of late, in milliseconds; undefined while too few are known. */
  paceOf(workerId: WorkerId): number | undefined {
    return this.#running.paceOf(workerId);
  }

  /** Running attempts whose time is up. */
  expiredAttempts(now: number): RunningAttempt[] {
    return this.#running.expired(now);
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
        for (const spec of event.tasks) run.tasks.set(spec.id, workTask(spec, run, event.source === 'engine' && spec.id === PLAN_TASK));
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
        this.#running.learnPace(run.tasks.get(event.taskId)?.key ?? '', now);
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
        if (key !== '') this.#running.breakOff(key, now);
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
    this.tenants.note(run.tenant, at);
    task.attempt = attempt;
    task.key = attemptKey({ runId, taskId, attempt });
    const { skills, labels, rank, planning, bidding, firm } = task;
    const agent = event.agent ?? task.agent;
    const ready = {
      runId,
      taskId,
      attempt,
      tenant: run.tenant,
      ...(run.limit !== undefined && { runLimit: run.limit }),
      rank,
      skills,
      ...(labels && { labels }),
      planning,
      ...(bidding && { bidding }),
      // What was done of it so far was done by its agent.
      ...((firm || attempt > 1) && { firm: true as const }),
      readyAt: Math.max(at, notBefore),
      key: task.key,
      ...(agent !== undefined && { agent, ...(!task.byName && { begun: true as const }) }),
    };
    if (ready.readyAt > now) {
      this.#delayed.set(task.key, ready);
      this.#nextDue = Math.min(this.#nextDue, ready.readyAt);
    } else this.#addReady(task.key, ready);
  }

  #run(run: WorkRun, running: RunningAttempt, key = attemptKey(running)): void {
    const task = run.tasks.get(running.taskId);
    if (task) Object.assign(task, { attempt: running.attempt, key });
    this.#running.add(key, running);
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
    this.#running.remove(key);
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
    this.tenants.note(tenant, state.createdAt);
    this.questions.take(state);
    this.timers.take(state);
    for (const [taskId, task] of Object.entries(state.tasks)) {
      run.tasks.set(taskId, workTask(task.spec, run, task.kind === 'plan'));
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

function limitsOf({ priority, maxParallel, underLoad }: RunOptions): Pick<WorkRun, 'priority' | 'limit' | 'firm'> {
  return { priority, limit: maxParallel, firm: underLoad === 'never' };
}

function workTask(spec: TaskSpec, run: Pick<WorkRun, 'priority' | 'firm'>, planning: boolean): WorkTask {
  const { skills, labels, agent, agentFrom, priority, bid = false, specialist, underLoad } = spec;
  return {
    ...{ skills, labels, agent, planning },
    byName: agent !== undefined || agentFrom !== undefined,
    rank: rankOf(priority, run.priority),
    bidding: bid,
    // A bid is its agent's own, and a specialist is made of its agent.
    firm: run.firm || underLoad === 'never' || bid || specialist !== undefined,
    ...{ attempt: 0, key: '' },
  };
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
