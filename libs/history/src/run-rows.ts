/**
 * Between the engine's run state and its rows: one for the run, one for each task and call, so that a change of one writes one small row.
 */
import { ANSWER_TASK, shardOf, type Commit, type Usage } from '@cadre/contracts';
import type { RunState, TaskState } from '@cadre/engine';
import type { Kysely } from 'kysely';
import type { HistoryDatabase } from './schema.js';
import { isOpenTask, taskCounts } from './run-view.js';
import type { RowOf } from './write-rows.js';

type CallState = RunState['calls'][string][string];
/** Parts of the state that the run's own row does not hold. */
type RowsOfTheirOwn = 'tasks' | 'calls' | 'waits';

export function runRow(state: RunState): RowOf<'runs'> {
  const { tasks: _tasks, calls: _calls, waits: _waits, ...rest } = state;
  const { done, total } = taskCounts(state);
  return {
    run_id: state.runId,
    tenant: state.tenant,
    shard: shardOf(state.runId),
    status: state.status,
    goal: state.goal,
    created_at: state.createdAt,
    ended_at: state.endedAt ?? null,
    deadline_at: state.deadlineAt,
    seq: state.seq,
    tasks_done: done,
    tasks_total: total,
    ...usageColumns(state.usage),
    settled_micros: state.spent.settledMicros,
    reserved_micros: state.spent.reservedMicros,
    unpriced_calls: state.usage.unpricedCalls ?? 0,
    overrun_micros: state.usage.overrunMicros ?? 0,
    state: JSON.stringify(rest),
  };
}

export function taskRow(run: RunState, task: TaskState): RowOf<'tasks'> {
  return {
    run_id: run.runId,
    task_id: task.spec.id,
    tenant: run.tenant,
    position: task.order,
    kind: task.kind,
    title: task.spec.title,
    status: task.status,
    attempt: task.attempt,
    agent: task.agent ?? null,
    worker_id: task.workerId ?? null,
    started_at: task.startedAt ?? null,
    ended_at: task.endedAt ?? null,
    confidence: task.result?.confidence ?? null,
    ...usageColumns(task.usage),
    state: JSON.stringify(task),
  };
}

export function callStateRow(runId: string, taskId: string, key: string, call: CallState): RowOf<'call_states'> {
  return { run_id: runId, task_id: taskId, key, state: JSON.stringify(call) };
}

export function commitRow(tenant: string, commit: Commit): RowOf<'commits'> {
  return { run_id: commit.runId, seq: commit.seq, tenant, at: commit.at, cause: commit.cause, events: JSON.stringify(commit.events) };
}

/** The states of those runs that are there. */
export async function loadRuns(db: Kysely<HistoryDatabase>, runIds: readonly string[]): Promise<Map<string, RunState>> {
  const states = new Map<string, RunState>();
  if (runIds.length === 0) return states;
  const runs = await db.selectFrom('runs').select(['run_id', 'state']).where('run_id', 'in', runIds).execute();
  for (const row of runs) states.set(row.run_id, { ...(row.state as Omit<RunState, RowsOfTheirOwn>), tasks: {}, calls: {}, waits: {} });
  const tasks = await db
    .selectFrom('tasks')
    .select(['run_id', 'task_id', 'state'])
    .where('run_id', 'in', runIds)
    .orderBy('run_id')
    .orderBy('position')
    .execute();
  for (const row of tasks) {
    const state = states.get(row.run_id);
    if (state) state.tasks[row.task_id] = row.state as TaskState;
  }
  const calls = await db.selectFrom('call_states').selectAll().where('run_id', 'in', runIds).execute();
  for (const row of calls) {
    const state = states.get(row.run_id);
    if (state) (state.calls[row.task_id] ??= {})[row.key] = row.state as CallState;
  }
  for (const state of states.values()) state.waits = waitsOf(state);
  return states;
}

/** By task: how many of its dependencies have not ended. A row of its own for each would be written with each task that ends. */
function waitsOf({ tasks }: RunState): RunState['waits'] {
  const waits: RunState['waits'] = {};
  for (const { spec } of Object.values(tasks)) {
    if (spec.id === ANSWER_TASK) continue;
    const open = new Set(spec.dependsOn.filter((id) => Object.hasOwn(tasks, id) && isOpenTask(tasks[id]!))).size;
    if (open > 0) waits[spec.id] = open;
  }
  return waits;
}

function usageColumns(usage: Usage) {
  return {
    model_calls: usage.modelCalls,
    tool_calls: usage.toolCalls,
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cost_micros: usage.costMicros,
  };
}
