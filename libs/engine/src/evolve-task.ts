/** How one task changes by one event. Returns a new object; the old one stays as it was. */
import { childId } from '@cadre/contracts';
import type { RunEvent } from '@cadre/contracts';
import type { TaskState } from './state.js';

type TaskEvent = Extract<RunEvent, { taskId: string }>;
type EventOf<T extends TaskEvent['type']> = Extract<TaskEvent, { type: T }>;
/** Events of a task that concern neither calls nor questions. */
export type PlainTaskEvent = Exclude<TaskEvent, { type: 'CallsReserved' | 'CallsSettled' | 'QuestionAsked' | 'QuestionAnswered' }>;

/** A task of its own again, that waits for nobody. */
function undelegated(task: TaskState): TaskState {
  if (!task.delegating) return task;
  const { scope: _scope, ...spec } = task.spec;
  return { ...task, spec, scope: undefined, delegating: undefined };
}

function scheduled(task: TaskState, event: EventOf<'AttemptScheduled'>, at: number): TaskState {
  return {
    ...undelegated(task),
    status: 'ready',
    attempt: event.attempt,
    notBefore: event.notBefore,
    scheduledAt: at,
    wantedAgent: event.agent,
    workerId: undefined,
    startedAt: undefined,
    ...(event.joined === undefined ? {} : { wakeAt: undefined }),
    ...(event.joined === 'partial' && task.scope ? { scope: { ...task.scope, partial: true as const } } : {}),
  };
}

function started(task: TaskState, event: EventOf<'AttemptStarted'>, at: number): TaskState {
  return {
    ...task,
    status: 'running',
    agent: event.agent,
    workerId: event.workerId,
    startedAt: at,
    deadlineAt: event.deadlineAt,
    ...(event.defaultLimitMs === undefined && task.defaultLimitMs === undefined ? {} : { defaultLimitMs: event.defaultLimitMs }),
    tools: event.tools,
    agentCapMicros: event.agentCapMicros,
    life: event.life,
    after: event.after,
    ...(event.figures && { figures: event.figures }),
    ...(event.insteadOf === undefined && task.insteadOf === undefined ? {} : { insteadOf: event.insteadOf }),
    ...(event.queuedMs === undefined && task.queuedMs === undefined ? {} : { queuedMs: event.queuedMs ?? begunWithLess(task, event) }),
  };
}

/** Who goes on with what an attempt has recorded goes on in its way, with less where that had begun with less. */
function begunWithLess({ agent, insteadOf, queuedMs }: TaskState, event: EventOf<'AttemptStarted'>): number | undefined {
  return event.agent === agent && event.insteadOf === insteadOf ? queuedMs : undefined;
}

/** What was filled in is not filled in again. */
function resolved({ spec, ...task }: TaskState, event: EventOf<'TaskResolved'>): TaskState {
  const { templated: _templated, agentFrom: _agentFrom, ...rest } = spec;
  const { title, instructions, input, agents } = event;
  const [agent, ...fallbackAgents] = agents ?? [];
  return {
    ...task,
    spec: {
      ...rest,
      ...(title === undefined ? {} : { title }),
      ...(instructions === undefined ? {} : { instructions }),
      ...(input === undefined ? {} : { input }),
      ...(agent === undefined ? {} : { agent, fallbackAgents }),
    },
  };
}

/** Items are counted over all times that the agent has given work to others, so that their tasks have names of their own. */
function delegating(task: TaskState, count: number, { key, tasks, handOff }: NonNullable<EventOf<'TaskOpened'>['delegated']>): TaskState {
  const before = count - 1;
  const scope = {
    body: tasks,
    width: 1,
    join: { need: 'all', until: 'enough' },
    combine: { by: 'list' },
  } satisfies TaskState['spec']['scope'];
  const ids = tasks.map(({ id }) => childId(task.spec.id, before, id));
  return {
    ...task,
    status: 'open',
    spec: { ...task.spec, scope },
    scope: { count, opened: before, succeeded: before, failed: [], working: {} },
    delegating: { key, ...(handOff && { handOff }) },
    delegated: { count, tasks: [...(task.delegated?.tasks ?? []), ...ids] },
    resumable: true,
  };
}

function opened(task: TaskState, event: EventOf<'TaskOpened'>, at: number): TaskState {
  const { count, items, wakeAt, delegated } = event;
  if (delegated) return delegating(task, count ?? 1, delegated);
  const fresh = { opened: 0, succeeded: 0, failed: [], working: {} };
  return {
    ...task,
    status: 'open',
    startedAt: at,
    ...(count === undefined ? {} : { scope: { count, ...(items === undefined ? {} : { items }), ...fresh } }),
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

function itemEnded(task: TaskState, { item, ok }: EventOf<'ItemEnded'>): TaskState {
  if (!task.scope) return task;
  const { [item]: _ended, ...working } = task.scope.working;
  const { succeeded, failed } = task.scope;
  const counts = ok ? { succeeded: succeeded + 1 } : { failed: [...failed, item] };
  return { ...task, scope: { ...task.scope, working, ...counts } };
}

function serverWait({ serverWait: before }: TaskState, at: number): NonNullable<TaskState['serverWait']> {
  return { since: before?.since ?? at, attempts: (before?.attempts ?? 0) + 1 };
}

/** The cap of the attempt's agent stays: a question may be about it. */
function failedAttempt(task: TaskState, event: EventOf<'AttemptFailed'>, at: number): TaskState {
  const { attempt, error, counted, fresh } = event;
  const { code, message } = error;
  const closed: TaskState = {
    ...task,
    status: 'waiting',
    counted: task.counted + (counted ? 1 : 0),
    deadlineAt: undefined,
    openCalls: undefined,
    tools: undefined,
    error,
    ...(event.cause === 'server' ? { serverWait: serverWait(task, at) } : task.serverWait ? { serverWait: undefined } : {}),
    ...(event.cause === 'time' ? { timedOut: true as const } : task.timedOut ? { timedOut: undefined } : {}),
    lastClosed: { attempt, code, message, ...(task.workerId === undefined ? {} : { workerId: task.workerId }) },
  };
  const anew = {
    round: task.round + 1,
    roundError: message,
    resumable: undefined,
    ...(task.queuedMs === undefined ? {} : { queuedMs: undefined }),
  };
  return fresh ? { ...closed, ...anew } : closed;
}

function completed(task: TaskState, event: EventOf<'TaskCompleted'>, at: number): TaskState {
  return {
    ...undelegated(task),
    status: 'completed',
    result: event.result,
    endedAt: at,
    error: undefined,
    deadlineAt: undefined,
    openCalls: undefined,
    tools: undefined,
    openQuestions: undefined,
    unknownEffects: undefined,
  };
}

const UNASKED = { openQuestions: undefined, unknownEffects: undefined };

/** @param at time of the commit, in milliseconds since 1970 */
export function evolveTask(task: TaskState, event: PlainTaskEvent, at: number): TaskState {
  switch (event.type) {
    case 'TaskResolved':
      return resolved(task, event);
    case 'TaskOpened':
      return opened(task, event, at);
    case 'ItemEnded':
      return itemEnded(task, event);
    case 'AttemptScheduled':
      return scheduled(task, event, at);
    case 'AttemptStarted':
      return started(task, event, at);
    case 'CallRefused':
      return event.then === 'degrade' && event.model !== undefined ? { ...task, degradedTo: event.model } : task;
    case 'AttemptFailed':
      return failedAttempt(task, event, at);
    case 'TaskCompleted':
      return completed(task, event, at);
    case 'TaskFailed':
      return { ...task, ...UNASKED, status: 'failed', error: event.error, endedAt: at };
    case 'TaskSkipped':
      return { ...task, status: 'skipped', skipped: { cause: event.cause, reason: event.reason }, endedAt: at };
    case 'TaskCancelled':
      return { ...task, ...UNASKED, status: 'cancelled', endedAt: at };
  }
}
