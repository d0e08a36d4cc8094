/**
 * Faults in decisions: the state that is decided on is bent, or the events that come out are. Either way the draft of the decision is not
 * what its events come to on the true state, so it is left out and the owner folds them.
 */
import type { Command, RunEvent, TaskSpec } from '@cadre/contracts';
import { decideInShard, withoutDraft, type DecideInShard, type RunState, type ShardState } from '@cadre/engine';
import type { Plant } from './plant.js';

type TaskState = RunState['tasks'][string];

/** Decides on a bent copy of the run's state. */
function onState(types: Command['type'][], bend: (run: RunState, command: Command, context: { now: number }) => RunState): Plant {
  const decide: DecideInShard = (shard, command, context) => {
    const run = shard.open[command.runId];
    if (!run || !types.includes(command.type)) return decideInShard(shard, command, context);
    const bent = { ...shard, open: { ...shard.open, [command.runId]: bend(run, command, context) } };
    return withoutDraft(decideInShard(bent, command, context));
  };
  return { decide };
}

function onTask(types: Command['type'][], bend: (task: TaskState) => TaskState): Plant {
  return onState(types, (run, command) => {
    const task = 'taskId' in command ? run.tasks[command.taskId] : undefined;
    return task ? { ...run, tasks: { ...run.tasks, [task.spec.id]: bend(task) } } : run;
  });
}

function onSpec(types: Command['type'][], bend: (spec: TaskSpec) => TaskSpec): Plant {
  return onTask(types, (task) => ({ ...task, spec: bend(task.spec) }));
}

/** Bends accepted events. */
function onEvents(bend: (events: RunEvent[], command: Command, shard: ShardState) => RunEvent[]): Plant {
  const decide: DecideInShard = (shard, command, context) => {
    const decision = withoutDraft(decideInShard(shard, command, context));
    return decision.outcome === 'accepted' ? { ...decision, events: bend(decision.events, command, shard) } : decision;
  };
  return { decide };
}

function onCommand(bend: (command: Command, run: RunState | undefined, now: number) => Command): Plant {
  return { decide: (shard, command, context) => decideInShard(shard, bend(command, shard.open[command.runId], context.now), context) };
}

const CLOSING: Command['type'][] = ['FailAttempt', 'LoseAttempt', 'ExpireAttempt', 'ReleaseAttempt'];
const SPENT_NOTHING = { settledMicros: 0, reservedMicros: 0 };

export const DECIDE_FAULTS: Record<string, Plant> = {
  'the id of an ended run is forgotten after two seconds': {
    decide: (shard, command, context) => {
      const ended = shard.ended[command.runId];
      if (command.type === 'StartRun' && ended && ended.endedAt + 2000 < context.now) delete shard.ended[command.runId];
      return decideInShard(shard, command, context);
    },
  },
  'the result of a closed attempt is accepted': onCommand((command, run) => {
    const task = command.type === 'CompleteAttempt' ? run?.tasks[command.taskId] : undefined;
    if (command.type !== 'CompleteAttempt' || !task || task.attempt === command.attempt) return command;
    return { ...command, attempt: task.attempt, settle: [], workerId: task.workerId ?? command.workerId };
  }),
  'an attempt is started by two workers': onTask(['StartAttempt'], (task) =>
    task.status === 'running' ? { ...task, status: 'ready', notBefore: 0 } : task,
  ),
  'retries go on beyond the policy': onSpec(CLOSING, (spec) => ({ ...spec, retry: { ...spec.retry, maxAttempts: 20 } })),
  'fatal failures are retried': onEvents((events) => {
    const failed = events.findIndex((event) => event.type === 'AttemptFailed' && !event.error.retriable && event.counted);
    const event = events[failed];
    if (event?.type !== 'AttemptFailed' || events[failed + 1]?.type !== 'TaskFailed') return events;
    const { taskId, attempt } = event;
    return [...events.slice(0, failed + 1), { type: 'AttemptScheduled', taskId, attempt: attempt + 1, notBefore: 0 }];
  }),
  'retries do not wait': onSpec(CLOSING, (spec) => ({ ...spec, retry: { ...spec.retry, backoffMs: 0 } })),
  'waits for a model server are cut short': onEvents((events) => {
    const waits = events.find((event) => event.type === 'AttemptFailed' && event.cause === 'server');
    const shorter = (event: RunEvent) => (event.type === 'AttemptScheduled' ? { ...event, notBefore: event.notBefore - 600 } : event);
    return waits ? events.map(shorter) : events;
  }),
  'what a model server is in trouble for counts': onEvents((events) =>
    events.map((event) => (event.type === 'AttemptFailed' && event.cause === 'server' ? { ...event, counted: true } : event)),
  ),
  'attempts start before their time': onTask(['StartAttempt'], (task) => ({ ...task, notBefore: 0 })),
  'a task does not wait for its dependencies': onEvents((events) => {
    const ids = events.flatMap((event) => (event.type === 'TasksAdded' && event.source !== 'engine' ? event.tasks : []));
    const opened = new Set(events.flatMap((event) => (event.type === 'AttemptScheduled' ? [event.taskId] : [])));
    const early = ids.find((spec) => spec.dependsOn.length > 0 && !opened.has(spec.id));
    if (!early || events.some((event) => event.type === 'RunFailed' || event.type === 'RunCompleted')) return events;
    return [...events, { type: 'AttemptScheduled', taskId: early.id, attempt: 1, notBefore: 0 }];
  }),
  'a task that could start is not opened': onEvents((events) => {
    const index = events.findIndex((event) => event.type === 'AttemptScheduled' && event.attempt === 1);
    return events[0]?.type === 'TaskCompleted' && index > 0 ? events.filter((_, at) => at !== index) : events;
  }),
  'a budget is checked without what is reserved': onState(['RecordCalls'], (run, command) => {
    const free = <T extends { reservedMicros: number }>(spent: T): T => ({ ...spent, reservedMicros: 0 });
    const task = 'taskId' in command ? run.tasks[command.taskId] : undefined;
    if (!task) return run;
    const agentsSpent = Object.fromEntries(Object.entries(run.agentsSpent).map(([agent, spent]) => [agent, free(spent)]));
    return { ...run, spent: free(run.spent), agentsSpent, tasks: { ...run.tasks, [task.spec.id]: { ...task, spent: free(task.spent) } } };
  }),
  'a task budget is not kept': onTask(['RecordCalls'], (task) => ({ ...task, spent: SPENT_NOTHING })),
  'a tenant is never out of money': {
    decide: (shard, command, { now, random }) => decideInShard(shard, command, { now, random }),
  },
  'a refusal for budget is retried': onEvents((events) => {
    const failed = events.find((event) => event.type === 'AttemptFailed');
    if (failed?.type !== 'AttemptFailed' || !events.some((event) => event.type === 'CallRefused' && event.then === 'stop')) return events;
    const kept = events.slice(0, events.indexOf(failed));
    const { taskId, attempt } = failed;
    return [...kept, { ...failed, counted: false }, { type: 'AttemptScheduled', taskId, attempt: attempt + 1, notBefore: 0 }];
  }),
  'an unknown outcome costs nothing': onEvents((events) =>
    events.map((event) =>
      event.type !== 'CallsSettled'
        ? event
        : { ...event, calls: event.calls.map((call) => (call.outcome === 'unknown' ? { ...call, costMicros: 0 } : call)) },
    ),
  ),
  'a settlement that comes again counts again': {
    decide: (shard, command, context) => {
      const decision = decideInShard(shard, command, context);
      if (decision.outcome !== 'duplicate' || command.type !== 'RecordCalls') return decision;
      const known = shard.open[command.runId]?.calls[command.taskId] ?? {};
      const calls = command.settle.filter((call) => known[call.key]?.status === 'done' && known[call.key]?.try === call.try);
      const { taskId, attempt } = command;
      return calls.length === 0
        ? decision
        : { ...decision, outcome: 'accepted', events: [{ type: 'CallsSettled', taskId, attempt, calls }] };
    },
  },
  'a call on record is made again': onState(['RecordCalls'], (run, command) => {
    if (command.type !== 'RecordCalls') return run;
    const own = run.calls[command.taskId];
    if (!own || !command.reserve.some((call) => own[call.key]?.status === 'done')) return run;
    const kept = Object.entries(own).filter(([, call]) => call.status !== 'done');
    return { ...run, calls: { ...run.calls, [command.taskId]: Object.fromEntries(kept) } };
  }),
  'a call that must happen once is repeated blindly': onEvents((events) => {
    const asked = events.find((event) => event.type === 'QuestionAsked' && event.question.kind === 'effect');
    const failed = events.find((event) => event.type === 'AttemptFailed');
    if (!asked || failed?.type !== 'AttemptFailed') return events;
    const { taskId, attempt } = failed;
    const kept = events.filter((event) => event.type !== 'QuestionAsked');
    return [...kept, { type: 'AttemptScheduled', taskId, attempt: attempt + 1, notBefore: 0 }];
  }),
  'a reservation is granted after the cancel': onState(['RecordCalls'], (run) =>
    run.status === 'cancelling' ? { ...run, status: 'running' } : run,
  ),
  'a cancel leaves waiting tasks open': onEvents((events, command) =>
    command.type === 'CancelRun' ? events.filter((event) => event.type !== 'TaskCancelled') : events,
  ),
  'open calls are forgotten when an attempt closes': onEvents((events, command) =>
    command.type === 'LoseAttempt' || command.type === 'ExpireAttempt' ? events.filter((event) => event.type !== 'CallsSettled') : events,
  ),
  'a run ends twice': onEvents((events) => {
    const end = events.at(-1);
    return end?.type === 'RunCompleted' ? [...events, end] : events;
  }),
};
