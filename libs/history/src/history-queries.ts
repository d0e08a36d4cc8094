/**
 * Answers queries from the rows. Every statement about runs names the tenant. Lists are newest first and go on by key, so pages stay right
 * while runs come in.
 */
import {
  FeedPosition,
  RunId,
  toFeedEvents,
  type CallView,
  type Commit,
  type FeedEvent,
  type HistoryAnswer,
  type HistoryQuery,
  type Question,
  type RunStatus,
  type RunSummary,
  type TenantBudgetView,
} from '@cadre/contracts';
import type { RunState } from '@cadre/engine';
import { sql, type Kysely, type Selectable } from 'kysely';
import { byteLength, fitRunView } from './fit-answer.js';
import { loadRuns } from './run-rows.js';
import { runView } from './run-view.js';
import type { CallRow, HistoryDatabase, RunRow } from './schema.js';

export interface AnswerLimits {
  /** Longest answer in bytes of JSON; long ones are cut where the query can go on, or lose the tasks' longest texts. */
  bytes: number;
}

type Query<T extends HistoryQuery['type']> = Extract<HistoryQuery, { type: T }>;
type Db = Kysely<HistoryDatabase>;

/** A message of nats-server's default size limit, less room for headers and wrapping. */
const DEFAULT_LIMITS: AnswerLimits = { bytes: 960 * 1024 };
const MAX_CALLS = 2000;
const MAX_QUESTIONS = 500;
const MAX_WAITS = 1000;
const COMMITS_AT_ONCE = 200;

export async function answerQuery(db: Db, query: HistoryQuery, limits: Partial<AnswerLimits> = {}): Promise<HistoryAnswer> {
  const bytes = (limits.bytes ?? DEFAULT_LIMITS.bytes) - 1024;
  switch (query.type) {
    case 'ListRuns':
      return await listRuns(db, query);
    case 'GetRun':
      return await getRun(db, query, bytes);
    case 'GetCalls':
      return await getCalls(db, query, bytes);
    case 'GetQuestions':
      return await getQuestions(db, query, bytes);
    case 'GetWaits':
      return await getWaits(db, query);
    case 'GetTenantBudget':
      return { type: 'TenantBudget', budget: await tenantBudget(db, query.tenant) };
    case 'GetEvents':
      return await getEvents(db, query, bytes);
    case 'GetPosition':
      return { type: 'Position', seq: await positionOf(db, query.shard) };
  }
}

/** Number of the shard's last block folded; 0 when there is none. */
export async function positionOf(db: Db, shard: number): Promise<number> {
  const row = await db.selectFrom('positions').select('seq').where('shard', '=', shard).executeTakeFirst();
  return row?.seq ?? 0;
}

async function listRuns(db: Db, query: Query<'ListRuns'>): Promise<HistoryAnswer> {
  const after = query.cursor === undefined ? undefined : readCursor(query.cursor);
  if (query.cursor !== undefined && after === undefined)
    return { type: 'Invalid', message: 'the cursor is not one that a list of runs gave' };
  let select = db
    .selectFrom('runs')
    .selectAll()
    .where('tenant', '=', query.tenant)
    .orderBy('created_at', 'desc')
    .orderBy('run_id', 'desc')
    .limit(query.limit + 1);
  if (query.status !== undefined) select = select.where('status', '=', query.status);
  if (after !== undefined) {
    select = select.where((eb) => eb(eb.refTuple('created_at', 'run_id'), '<', eb.tuple(after.createdAt, after.runId)));
  }
  const rows = await select.execute();
  const runs = rows.slice(0, query.limit).map(summaryOf);
  const last = runs.at(-1);
  return { type: 'Runs', page: { runs, ...(rows.length > query.limit && last && { nextCursor: writeCursor(last) }) } };
}

async function getRun(db: Db, query: Query<'GetRun'>, bytes: number): Promise<HistoryAnswer> {
  if (!(await isTenants(db, query))) return { type: 'NotFound' };
  const state = (await loadRuns(db, [query.runId])).get(query.runId);
  if (state === undefined || state.tenant !== query.tenant) return { type: 'NotFound' };
  const run = fitRunView(runView(state), bytes);
  return run === undefined
    ? { type: 'Invalid', message: 'the run is too large to be sent in one answer; read its events' }
    : { type: 'Run', run };
}

async function getCalls(db: Db, query: Query<'GetCalls'>, bytes: number): Promise<HistoryAnswer> {
  if (!(await isTenants(db, query))) return { type: 'NotFound' };
  const rows = await db
    .selectFrom('calls')
    .selectAll()
    .where('tenant', '=', query.tenant)
    .where('run_id', '=', query.runId)
    .orderBy('commit_seq')
    .orderBy('place')
    .limit(MAX_CALLS + 1)
    .execute();
  const { taken } = takeBytes(rows.slice(0, MAX_CALLS).map(callView), bytes);
  return { type: 'Calls', calls: taken, more: taken.length < rows.length };
}

function callView(row: CallRow): CallView {
  return {
    key: row.key,
    try: row.try,
    taskId: row.task_id,
    attempt: row.attempt,
    kind: row.kind as CallView['kind'],
    name: row.name,
    effect: row.effect as CallView['effect'],
    outcome: row.outcome as CallView['outcome'],
    ok: row.ok,
    note: row.note,
    at: row.at,
    durationMs: row.duration_ms,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    costMicros: row.cost_micros,
    maxCostMicros: row.max_cost_micros,
    ...(row.overrun_micros !== null && { overrunMicros: row.overrun_micros }),
    ...(row.unpriced && { unpriced: true as const }),
    ...(row.kept_for !== null && { keptFor: row.kept_for }),
  };
}

async function getWaits(db: Db, { tenant, event, after }: Query<'GetWaits'>): Promise<HistoryAnswer> {
  let select = db
    .selectFrom('tasks')
    .select(['run_id', 'task_id'])
    .where('tenant', '=', tenant)
    .where('status', '=', 'open')
    .where(sql`state -> 'spec' -> 'wait' ->> 'event'`, '=', event)
    .orderBy('run_id')
    .orderBy('task_id')
    .limit(MAX_WAITS + 1);
  if (after !== undefined) select = select.where(sql<boolean>`(run_id, task_id) > (${after.runId}, ${after.taskId})`);
  const rows = await select.execute();
  const waits = rows.slice(0, MAX_WAITS).map((row) => ({ runId: row.run_id, taskId: row.task_id }));
  return { type: 'Waits', waits, more: rows.length > MAX_WAITS };
}

async function getQuestions(db: Db, { tenant, runId }: Query<'GetQuestions'>, bytes: number): Promise<HistoryAnswer> {
  if (runId !== undefined && !(await isTenants(db, { tenant, runId }))) return { type: 'NotFound' };
  let select = db
    .selectFrom('questions')
    .select(['run_id', 'asked_at', 'task_title', 'question'])
    .where('tenant', '=', tenant)
    .where('status', '=', 'open')
    .orderBy('asked_at')
    .orderBy('run_id')
    .orderBy('question_id')
    .limit(MAX_QUESTIONS);
  if (runId !== undefined) select = select.where('run_id', '=', runId);
  const questions = (await select.execute()).map((row) => ({
    ...(row.question as Question),
    runId: row.run_id,
    askedAt: row.asked_at,
    taskTitle: row.task_title,
  }));
  return { type: 'Questions', questions: takeBytes(questions, bytes).taken };
}

/** The cap stands in one shard, the account's home; the spending in all. */
async function tenantBudget(db: Db, tenant: string): Promise<TenantBudgetView> {
  const rows = await db.selectFrom('accounts').selectAll().where('tenant', '=', tenant).execute();
  const sum = (column: 'settled_micros' | 'reserved_micros') => rows.reduce((total, row) => total + row[column], 0);
  const capMicros = rows.map((row) => row.cap_micros).find((cap) => cap !== null) ?? null;
  return { tenant, capMicros, settledMicros: sum('settled_micros'), reservedMicros: sum('reserved_micros') };
}

async function getEvents(db: Db, query: Query<'GetEvents'>, bytes: number): Promise<HistoryAnswer> {
  const after = FeedPosition.safeParse(query.after ?? '0.0');
  if (!after.success) return { type: 'Invalid', message: `after: ${after.error.issues[0]?.message ?? 'not a position'}` };
  if (!(await isTenants(db, query))) return { type: 'NotFound' };
  const [afterSeq = 0, afterIndex = 0] = after.data.split('.').map(Number);
  const found: FeedEvent[] = [];
  let size = 0;
  for (let seq = afterSeq, first = true; ; first = false) {
    const commits = await commitsFrom(db, query, seq, first);
    for (const commit of commits) {
      const events = toFeedEvents(query.tenant, commit);
      found.push(...(query.after !== undefined && commit.seq === afterSeq ? events.slice(afterIndex + 1) : events));
      size += byteLength(commit.events);
      seq = commit.seq;
    }
    if (commits.length < COMMITS_AT_ONCE || found.length > query.limit || size > bytes) break;
  }
  const { taken } = takeBytes(found.slice(0, query.limit), bytes);
  return { type: 'Events', events: taken, more: taken.length < found.length };
}

async function commitsFrom(db: Db, query: Query<'GetEvents'>, seq: number, including: boolean): Promise<Commit[]> {
  const rows = await db
    .selectFrom('commits')
    .selectAll()
    .where('tenant', '=', query.tenant)
    .where('run_id', '=', query.runId)
    .where('seq', including ? '>=' : '>', seq)
    .orderBy('seq')
    .limit(COMMITS_AT_ONCE)
    .execute();
  return rows.map((row) => ({ runId: row.run_id, seq: row.seq, at: row.at, cause: row.cause, events: row.events as Commit['events'] }));
}

async function isTenants(db: Db, query: { tenant: string; runId: string }): Promise<boolean> {
  const row = await db
    .selectFrom('runs')
    .select('run_id')
    .where('tenant', '=', query.tenant)
    .where('run_id', '=', query.runId)
    .executeTakeFirst();
  return row !== undefined;
}

/** As many as fit, at least one. */
function takeBytes<T>(items: T[], bytes: number): { taken: T[] } {
  let size = 0;
  const end = items.findIndex((item, index) => {
    size += byteLength(item) + 1;
    return size > bytes && index > 0;
  });
  return { taken: end < 0 ? items : items.slice(0, end) };
}

function summaryOf(row: Selectable<RunRow>): RunSummary {
  const { partial, missing } = row.state as Pick<RunState, 'partial' | 'missing'>;
  return {
    runId: row.run_id,
    tenant: row.tenant,
    goal: row.goal,
    status: row.status as RunStatus,
    createdAt: row.created_at,
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    tasksDone: row.tasks_done,
    tasksTotal: row.tasks_total,
    usage: {
      modelCalls: row.model_calls,
      toolCalls: row.tool_calls,
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      costMicros: row.cost_micros,
      ...(row.unpriced_calls > 0 && { unpricedCalls: row.unpriced_calls }),
      ...(row.overrun_micros > 0 && { overrunMicros: row.overrun_micros }),
    },
    ...(partial !== undefined && { partial }),
    ...(missing !== undefined && { missing }),
  };
}

function writeCursor(last: RunSummary): string {
  return Buffer.from(`${last.createdAt} ${last.runId}`).toString('base64url');
}

function readCursor(cursor: string): { createdAt: number; runId: string } | undefined {
  const [createdAt, runId] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  if (!/^[0-9]{1,15}$/.test(createdAt ?? '') || !RunId.safeParse(runId).success) return undefined;
  return { createdAt: Number(createdAt), runId: runId ?? '' };
}
