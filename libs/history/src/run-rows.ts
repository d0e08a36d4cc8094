/** Between the engine's run state and its rows: one for the run, one for each task, so that a change of one task writes one small row. */
import { shardOf, type CallRecord, type Commit, type Usage } from '@cadre/contracts';
import type { RunState, TaskState } from '@cadre/engine';
import type { Kysely } from 'kysely';
import type { HistoryDatabase } from './schema.js';
import { taskCounts } from './run-view.js';
import type { RowOf } from './write-rows.js';

export function runRow(state: RunState): RowOf<'runs'> {
  const { tasks: _tasks, ...rest } = state;
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
    state: JSON.stringify(rest),
  };
}

export function taskRow(run: RunState, task: TaskState, position: number): RowOf<'tasks'> {
  return {
    run_id: run.runId,
    task_id: task.spec.id,
    tenant: run.tenant,
    position,
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

export function callRow(run: RunState, taskId: string, attempt: number, call: CallRecord): RowOf<'calls'> {
  return {
    run_id: run.runId,
    task_id: taskId,
    attempt,
    n: call.n,
    tenant: run.tenant,
    kind: call.kind,
    name: call.name,
    ok: call.ok,
    at: call.at,
    duration_ms: call.durationMs,
    input_tokens: call.inputTokens,
    output_tokens: call.outputTokens,
    cost_micros: call.costMicros,
    record: JSON.stringify(call),
  };
}

export function commitRow(tenant: string, commit: Commit): RowOf<'commits'> {
  return { run_id: commit.runId, seq: commit.seq, tenant, at: commit.at, cause: commit.cause, events: JSON.stringify(commit.events) };
}

/** The states of those runs that are there. */
export async function loadRuns(db: Kysely<HistoryDatabase>, runIds: readonly string[]): Promise<Map<string, RunState>> {
  const states = new Map<string, RunState>();
  if (runIds.length === 0) return states;
  const runs = await db.selectFrom('runs').select(['run_id', 'state']).where('run_id', 'in', runIds).execute();
  for (const row of runs) states.set(row.run_id, { ...(row.state as Omit<RunState, 'tasks'>), tasks: {} });
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
  return states;
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
