/** How calls and money change by one event. */
import { addUsage, CadreError, usageOfCall } from '@cadre/contracts';
import type { AgentName, CallReservation, CallSettlement, RunEvent, TaskId } from '@cadre/contracts';
import type { CallState, RunState, Spent, TaskState } from './state.js';
import type { RunTables } from './run-tables.js';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

function moved(spent: Spent, settledMicros: number, reservedMicros: number): Spent {
  const sums = { settledMicros: spent.settledMicros + settledMicros, reservedMicros: spent.reservedMicros + reservedMicros };
  return spent.raisedMicros === undefined ? sums : { ...sums, raisedMicros: spent.raisedMicros };
}

/** Money counts for the run, the task and the agent that works on it. */
function move(run: RunState, tables: RunTables, task: TaskState, settledMicros: number, reservedMicros: number): Spent {
  if (settledMicros === 0 && reservedMicros === 0) return task.spent;
  run.spent = moved(run.spent, settledMicros, reservedMicros);
  const agent = task.agent as AgentName;
  tables.setAgentSpent(agent, moved(tables.agentSpent(agent), settledMicros, reservedMicros));
  return moved(task.spent, settledMicros, reservedMicros);
}

function openCall({ try: number, kind, name, effect, maxCostMicros, unpriced }: CallReservation): CallState {
  const open = { try: number, kind, name, status: 'open' as const, maxCostMicros, ...(unpriced ? { unpriced } : {}) };
  return effect === undefined || effect === 'none' ? open : { ...open, effect };
}

export function applyReserved(run: RunState, tables: RunTables, task: TaskState, event: EventOf<'CallsReserved'>): TaskState {
  let reserved = 0;
  for (const call of event.calls) {
    tables.setCall(event.taskId, call.key, openCall(call));
    reserved += call.maxCostMicros;
  }
  const openCalls = [...(task.openCalls ?? []), ...event.calls.map(({ key }) => key)];
  return { ...task, openCalls, spent: move(run, tables, task, 0, reserved) };
}

function closedCall(call: CallState, settlement: CallSettlement): CallState {
  const { try: number, kind, name, effect, maxCostMicros } = call;
  const { outcome, ok, body, files } = settlement;
  const kept = { try: number, kind, name, ...(effect === undefined ? {} : { effect }), maxCostMicros };
  if (outcome !== 'done') return { ...kept, status: outcome };
  return { ...kept, status: outcome, ok, ...(body === undefined ? {} : { body }), ...(files === undefined ? {} : { files }) };
}

function needCall(run: RunState, tables: RunTables, taskId: TaskId, key: string): CallState {
  const call = tables.call(taskId, key);
  if (call) return call;
  throw new CadreError('log-corrupt', `Run ${run.runId} settles the call ${key} of task ${taskId}, which it never reserved.`, {
    remedy: 'The log was not written by this engine, or was changed; restore it from a copy.',
  });
}

/** What is left; undefined when nothing is. */
function without<T>(list: readonly T[] | undefined, gone: ReadonlySet<T>, more: readonly T[] = []): T[] | undefined {
  const left = [...(list ?? []).filter((each) => !gone.has(each)), ...more];
  return left.length > 0 ? left : undefined;
}

/** What a person says about a call whose outcome was unknown comes as a second settlement; it has been paid for and counted before. */
export function applySettled(run: RunState, tables: RunTables, task: TaskState, event: EventOf<'CallsSettled'>): TaskState {
  let { usage, resumable, serverWait } = task;
  let [settled, reserved] = [0, 0];
  const unknown: string[] = [];
  for (const each of event.calls) {
    const call = needCall(run, tables, event.taskId, each.key);
    if (call.status === 'open') {
      const used = usageOfCall(call.kind, each);
      usage = addUsage(usage, used);
      run.usage = addUsage(run.usage, used);
      settled += each.costMicros;
      reserved -= call.maxCostMicros;
      if (each.outcome === 'done') [resumable, serverWait] = [true, undefined];
    }
    if (each.outcome === 'unknown' && call.effect === 'once') unknown.push(each.key);
    tables.setCall(event.taskId, each.key, closedCall(call, each));
  }
  const keys = new Set(event.calls.map(({ key }) => key));
  return {
    ...task,
    usage,
    spent: move(run, tables, task, settled, reserved),
    openCalls: without(task.openCalls, keys),
    unknownEffects: without(task.unknownEffects, keys, unknown),
    resumable,
    ...(task.serverWait && { serverWait }),
  };
}

function raise(spent: Spent, micros: number): Spent {
  return { ...spent, raisedMicros: (spent.raisedMicros ?? 0) + micros };
}

export function applyAsked(run: RunState, task: TaskState, event: EventOf<'QuestionAsked'>, at: number): TaskState {
  const { question } = event;
  run.asked += 1;
  run.questions = { ...run.questions, [question.questionId]: { ...question, askedAt: at } };
  return { ...task, status: 'asking', openQuestions: [...(task.openQuestions ?? []), question.questionId] };
}

export function applyAnswered(
  run: RunState,
  tables: RunTables,
  task: TaskState,
  event: EventOf<'QuestionAnswered'>,
  at: number,
): TaskState {
  const { questionId, choice, by, raiseMicros } = event;
  const question = run.questions[questionId];
  if (!question) throw new CadreError('log-corrupt', `Run ${run.runId} answers the question ${questionId}, which it never asked.`);
  run.questions = { ...run.questions, [questionId]: { ...question, answer: { choice, by, at } } };
  const openQuestions = without(task.openQuestions, new Set([questionId]));
  const answered: TaskState = { ...task, status: openQuestions ? 'asking' : 'waiting', openQuestions };
  if (choice === 'repeat' && question.key !== undefined) return repeatAllowed(tables, answered, question.key);
  if (choice !== 'approve') return answered;
  if (question.limit === 'price') return { ...answered, unpricedAllowed: true };
  if (raiseMicros === undefined) return answered;
  if (question.limit === 'run') run.spent = raise(run.spent, raiseMicros);
  if (question.limit === 'agent' && task.agent !== undefined)
    tables.setAgentSpent(task.agent, raise(tables.agentSpent(task.agent), raiseMicros));
  return question.limit === 'task' ? { ...answered, spent: raise(answered.spent, raiseMicros) } : answered;
}

/** It has not happened, says a person: that is a failed try, and the next one may be made. */
function repeatAllowed(tables: RunTables, task: TaskState, key: string): TaskState {
  const call = tables.call(task.spec.id, key);
  if (call) tables.setCall(task.spec.id, key, { ...call, status: 'failed' });
  return { ...task, unknownEffects: without(task.unknownEffects, new Set([key])) };
}

/** Questions that a task took with it unanswered are forgotten. */
export function forgetOpenQuestions(run: RunState, task: TaskState): void {
  if (!task.openQuestions) return;
  const open = new Set(task.openQuestions);
  run.questions = Object.fromEntries(Object.entries(run.questions).filter(([id]) => !open.has(id)));
}
