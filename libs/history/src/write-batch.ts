/** Writes what a batch of commits, or a snapshot, makes of the rows. Everything here runs in the caller's transaction. */
import { isTerminal } from '@cadre/contracts';
import type { RunState, ShardState } from '@cadre/engine';
import { sql, type Kysely } from 'kysely';
import type { AccountChange } from './account-batch.js';
import { openCallRow } from './call-batch.js';
import type { FoldedBatch, ForgottenCalls } from './fold-batch.js';
import { questionRow } from './question-batch.js';
import { callStateRow, loadRuns, runRow, taskRow } from './run-rows.js';
import type { HistoryDatabase } from './schema.js';
import { settleRows, writeRows } from './write-rows.js';

type Tx = Kysely<HistoryDatabase>;

export async function writeBatch(tx: Tx, shard: number, { rows, calls, questions, accounts, forgotten, runs }: FoldedBatch): Promise<void> {
  await writeRows(tx, 'runs', rows.runs);
  await writeRows(tx, 'tasks', rows.tasks);
  await forget(tx, forgotten, runs);
  await writeRows(tx, 'call_states', rows.callStates);
  await writeRows(tx, 'calls', calls.made);
  await settleRows(tx, calls.settled);
  for (const { run_id, attempt, keys } of calls.kept) {
    await tx
      .updateTable('calls')
      .set({ kept_for: attempt })
      .where('run_id', '=', run_id)
      .where('key', 'in', keys)
      .where('outcome', '=', 'done')
      .execute();
  }
  await writeRows(tx, 'questions', questions.rows);
  for (const [tenant, change] of accounts.changes) await changeAccount(tx, shard, tenant, change);
  await writeRows(tx, 'commits', rows.commits);
}

async function changeAccount(tx: Tx, shard: number, tenant: string, change: AccountChange): Promise<void> {
  const { settledMicros, reservedMicros, capMicros } = change;
  await tx
    .insertInto('accounts')
    .values({ tenant, shard, cap_micros: capMicros ?? null, settled_micros: settledMicros, reserved_micros: reservedMicros })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'shard']).doUpdateSet((eb) => ({
        settled_micros: eb('accounts.settled_micros', '+', settledMicros),
        reserved_micros: eb('accounts.reserved_micros', '+', reservedMicros),
        ...(capMicros === undefined ? {} : { cap_micros: capMicros }),
      })),
    )
    .execute();
}

/** The state holds calls of tasks that have not ended only, and of their earlier rounds only some. */
async function forget(tx: Tx, forgotten: readonly ForgottenCalls[], runs: FoldedBatch['runs']): Promise<void> {
  const ended = [...runs.values()].filter((run) => run !== undefined && isTerminal(run.status)).map((run) => run!.runId);
  if (ended.length > 0) await tx.deleteFrom('call_states').where('run_id', 'in', ended).execute();
  const over = new Set(ended);
  const open = forgotten.filter(({ run_id }) => !over.has(run_id));
  const whole = open.filter(({ keptKeys }) => keptKeys.length === 0);
  if (whole.length > 0) {
    const [runIds, taskIds] = [whole.map(({ run_id }) => run_id), whole.map(({ task_id }) => task_id)];
    await sql`delete from call_states c using unnest(${runIds}::text[], ${taskIds}::text[]) as r(run_id, task_id)
      where c.run_id = r.run_id and c.task_id = r.task_id`.execute(tx);
  }
  for (const { run_id, task_id, keptKeys } of open) {
    if (keptKeys.length === 0) continue;
    await tx
      .deleteFrom('call_states')
      .where('run_id', '=', run_id)
      .where('task_id', '=', task_id)
      .where('key', 'not in', keptKeys)
      .execute();
  }
}

/** Replaces what is known of a shard's open runs by a snapshot; see `HistoryStore.rebuild`. */
export async function writeSnapshot(tx: Tx, shard: number, state: ShardState): Promise<void> {
  await dropOpen(tx, shard);
  const open = Object.values(state.open);
  await writeRows(tx, 'runs', open.map(runRow));
  for (const run of open) await writeRun(tx, run);
  await tx.deleteFrom('accounts').where('shard', '=', shard).execute();
  for (const { tenant, ...account } of Object.values(state.accounts)) await changeAccount(tx, shard, tenant, account);
  const left = await tx.selectFrom('runs').select('run_id').where('shard', '=', shard).where('ended_at', 'is', null).execute();
  for (const { run_id } of left) await endUnseen(tx, run_id, state);
}

/** How calls and questions ended between the position and the snapshot is not known here. */
async function dropOpen(tx: Tx, shard: number): Promise<void> {
  const ofShard = tx.selectFrom('runs').select('run_id').where('shard', '=', shard);
  await tx.deleteFrom('call_states').where('run_id', 'in', ofShard).execute();
  await tx.deleteFrom('questions').where('status', '=', 'open').where('run_id', 'in', ofShard).execute();
  await tx
    .updateTable('calls')
    .set({ outcome: 'unknown', note: 'how it ended was not seen: the log was trimmed before' })
    .where('outcome', '=', 'open')
    .where('run_id', 'in', ofShard)
    .execute();
}

async function writeRun(tx: Tx, run: RunState): Promise<void> {
  await writeRows(
    tx,
    'tasks',
    Object.values(run.tasks).map((task) => taskRow(run, task)),
  );
  const calls = Object.entries(run.calls).flatMap(([taskId, ofTask]) =>
    Object.entries(ofTask).map(([key, call]) => ({ taskId, key, call })),
  );
  await writeRows(
    tx,
    'call_states',
    calls.map(({ taskId, key, call }) => callStateRow(run.runId, taskId, key, call)),
  );
  const openCalls = calls.filter(({ call }) => call.status === 'open');
  const rows = openCalls.map(({ taskId, key, call }, place) => {
    const task = run.tasks[taskId];
    const where = { commit_seq: run.seq, place, at: task?.startedAt ?? run.createdAt };
    return openCallRow(run, { taskId, attempt: task?.attempt ?? 0 }, { ...call, key }, where);
  });
  await writeRows(tx, 'calls', rows);
  await writeRows(
    tx,
    'questions',
    Object.values(run.questions).map((question) => questionRow(run, question)),
  );
}

async function endUnseen(tx: Tx, runId: string, snapshot: ShardState): Promise<void> {
  const ended = snapshot.ended[runId];
  if (ended === undefined) return;
  const state = (await loadRuns(tx, [runId])).get(runId);
  if (state) await writeRows(tx, 'runs', [runRow({ ...state, status: ended.status, endedAt: ended.endedAt, questions: {} })]);
}
