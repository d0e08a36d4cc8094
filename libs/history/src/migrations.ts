/** The schema's history: numbered steps, each applied once, in order, all in one transaction. A published step is never changed. */
import { CadreError } from '@cadre/contracts';
import { sql, type Kysely } from 'kysely';
import type { HistoryDatabase } from './schema.js';

interface Migration {
  number: number;
  name: string;
  statements: string[];
}

const usage = `model_calls bigint not null, tool_calls bigint not null, input_tokens bigint not null, output_tokens bigint not null,
  cost_micros bigint not null`;

const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    name: 'first tables',
    statements: [
      `create table runs (
        run_id text primary key, tenant text not null, shard int not null, status text not null, goal text not null,
        created_at bigint not null, ended_at bigint, deadline_at bigint not null, seq int not null,
        tasks_done int not null, tasks_total int not null, ${usage}, state json not null)`,
      `create index runs_newest on runs (tenant, created_at desc, run_id desc)`,
      `create index runs_by_status on runs (tenant, status, created_at desc, run_id desc)`,
      `create index runs_open on runs (status) where ended_at is null`,
      `create table tasks (
        run_id text not null, task_id text not null, tenant text not null, position int not null, kind text not null,
        title text not null, status text not null, attempt int not null, agent text, worker_id text, started_at bigint,
        ended_at bigint, confidence double precision, ${usage}, state json not null, primary key (run_id, task_id))`,
      `create table calls (
        run_id text not null, task_id text not null, attempt int not null, n int not null, tenant text not null, kind text not null,
        name text not null, ok boolean not null, at bigint not null, duration_ms bigint not null, input_tokens bigint not null,
        output_tokens bigint not null, cost_micros bigint not null, record json not null, primary key (run_id, task_id, attempt, n))`,
      `create table commits (
        run_id text not null, seq int not null, tenant text not null, at bigint not null, cause text not null, events json not null,
        primary key (run_id, seq))`,
      `create table agents (
        worker_id text not null, epoch text not null, specialty text not null, state text not null, slots int not null, agents json not null,
        started_at bigint not null, first_seen_at bigint not null, last_seen_at bigint not null, primary key (worker_id, epoch))`,
      `create table positions (shard int primary key, seq bigint not null)`,
    ],
  },
  {
    // What was folded before has another shape, in the rows as in the log: the history starts over, and the log fills it again.
    number: 2,
    name: 'recorded calls, questions, money',
    statements: [
      `truncate runs, tasks, commits, positions`,
      `alter table runs add column settled_micros bigint not null default 0, add column reserved_micros bigint not null default 0`,
      `drop table calls`,
      `create table calls (
        run_id text not null, key text not null, try int not null, task_id text not null, attempt int not null, tenant text not null,
        kind text not null, name text not null, effect text not null, max_cost_micros bigint not null, commit_seq int not null,
        place int not null, kept_for int, outcome text not null, ok boolean not null, note text not null, at bigint not null,
        duration_ms bigint not null, input_tokens bigint not null, output_tokens bigint not null, cost_micros bigint not null,
        overrun_micros bigint, primary key (run_id, key, try))`,
      `create index calls_open on calls (run_id) where outcome = 'open'`,
      `create table call_states (
        run_id text not null, task_id text not null, key text not null, state json not null, primary key (run_id, task_id, key))`,
      `create table questions (
        run_id text not null, question_id text not null, tenant text not null, task_id text not null, task_title text not null,
        kind text not null, status text not null, asked_at bigint not null, due_at bigint not null, ended_at bigint, choice text,
        answered_by text, note text, raise_micros bigint, question json not null, primary key (run_id, question_id))`,
      `create table accounts (
        tenant text not null, shard int not null, cap_micros bigint, settled_micros bigint not null, reserved_micros bigint not null,
        primary key (tenant, shard))`,
      `create index questions_open on questions (tenant, asked_at) where status = 'open'`,
    ],
  },
  {
    number: 3,
    name: 'what waits for events',
    statements: [`create index tasks_open on tasks (tenant, ((state -> 'spec' -> 'wait' ->> 'event'))) where status = 'open'`],
  },
  {
    number: 4,
    name: 'costs that are not known, and beyond what was set aside',
    statements: [
      `alter table runs add column unpriced_calls bigint not null default 0, add column overrun_micros bigint not null default 0`,
      `alter table calls add column unpriced boolean not null default false`,
    ],
  },
];

/** Any fixed number will do; it only has to differ from other programs' in the same database. */
const LOCK = 4_021_977_003;

/**
 * Brings the schema up to date. Several processes may call it at once: a lock in the database lets one through at a time.
 * Error `history-newer` when a later release has already changed the database.
 * @param until number of the last step to apply, for tests
 */
export async function migrate(db: Kysely<HistoryDatabase>, until = Infinity): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(tx);
    await sql`create table if not exists cadre_migrations (
      number int primary key, name text not null, applied_at timestamptz not null default now())`.execute(tx);
    const rows = await tx.selectFrom('cadre_migrations').select('number').execute();
    const applied = new Set(rows.map((row) => row.number));
    refuseNewer(applied);
    for (const migration of MIGRATIONS) {
      if (applied.has(migration.number) || migration.number > until) continue;
      for (const statement of migration.statements) await sql.raw(statement).execute(tx);
      await tx.insertInto('cadre_migrations').values({ number: migration.number, name: migration.name }).execute();
    }
  });
}

function refuseNewer(applied: ReadonlySet<number>): void {
  const known = MIGRATIONS.at(-1)?.number ?? 0;
  const newest = Math.max(0, ...applied);
  if (newest <= known) return;
  throw new CadreError('history-newer', `the history database is at schema ${newest}; this release knows ${known}`, {
    remedy: 'use the release that made it, or a newer one, or give this one a database of its own',
  });
}
