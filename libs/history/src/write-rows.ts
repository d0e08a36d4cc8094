/**
 * Writes many rows with one statement: each column goes as one array parameter, so the statement's text does not depend on the number of
 * rows and no limit on parameters applies.
 */
import { CompiledQuery, type Kysely } from 'kysely';
import type { HistoryDatabase } from './schema.js';

type Table = keyof HistoryDatabase;
export type RowOf<T extends Table> = { [C in keyof HistoryDatabase[T]]: string | number | boolean | null };

interface Layout {
  /** Column → PostgreSQL type. */
  columns: Record<string, string>;
  key: string[];
  /** What a second write of the same key does. */
  repeat: 'replace' | 'ignore';
}

/** What the end of a call sets. */
const SETTLED = {
  ...{ outcome: 'text', ok: 'boolean', note: 'text', at: 'bigint', duration_ms: 'bigint', input_tokens: 'bigint' },
  ...{ output_tokens: 'bigint', cost_micros: 'bigint', overrun_micros: 'bigint', unpriced: 'boolean' },
};

const USAGE = { model_calls: 'bigint', tool_calls: 'bigint', input_tokens: 'bigint', output_tokens: 'bigint', cost_micros: 'bigint' };

const LAYOUTS = {
  runs: {
    columns: {
      ...{ run_id: 'text', tenant: 'text', shard: 'int', status: 'text', goal: 'text', created_at: 'bigint', ended_at: 'bigint' },
      ...{ deadline_at: 'bigint', seq: 'int', tasks_done: 'int', tasks_total: 'int', ...USAGE },
      ...{ settled_micros: 'bigint', reserved_micros: 'bigint', unpriced_calls: 'bigint', overrun_micros: 'bigint', state: 'json' },
    },
    key: ['run_id'],
    repeat: 'replace',
  },
  tasks: {
    columns: {
      ...{ run_id: 'text', task_id: 'text', tenant: 'text', position: 'int', kind: 'text', title: 'text', status: 'text', attempt: 'int' },
      ...{ agent: 'text', worker_id: 'text', started_at: 'bigint', ended_at: 'bigint', confidence: 'double precision' },
      ...{ ...USAGE, state: 'json' },
    },
    key: ['run_id', 'task_id'],
    repeat: 'replace',
  },
  calls: {
    columns: {
      ...{ run_id: 'text', key: 'text', try: 'int', task_id: 'text', attempt: 'int', tenant: 'text', kind: 'text', name: 'text' },
      ...{ effect: 'text', max_cost_micros: 'bigint', commit_seq: 'int', place: 'int', kept_for: 'int', ...SETTLED },
    },
    key: ['run_id', 'key', 'try'],
    repeat: 'replace',
  },
  call_states: {
    columns: { run_id: 'text', task_id: 'text', key: 'text', state: 'json' },
    key: ['run_id', 'task_id', 'key'],
    repeat: 'replace',
  },
  questions: {
    columns: {
      ...{ run_id: 'text', question_id: 'text', tenant: 'text', task_id: 'text', task_title: 'text', kind: 'text', status: 'text' },
      ...{ asked_at: 'bigint', due_at: 'bigint', ended_at: 'bigint', choice: 'text', answered_by: 'text', note: 'text' },
      ...{ raise_micros: 'bigint', question: 'json' },
    },
    key: ['run_id', 'question_id'],
    repeat: 'replace',
  },
  commits: {
    columns: { run_id: 'text', seq: 'int', tenant: 'text', at: 'bigint', cause: 'text', events: 'json' },
    key: ['run_id', 'seq'],
    repeat: 'ignore',
  },
  agents: {
    columns: {
      ...{ worker_id: 'text', epoch: 'text', specialty: 'text', state: 'text', slots: 'int', agents: 'json', started_at: 'bigint' },
      ...{ first_seen_at: 'bigint', last_seen_at: 'bigint' },
    },
    key: ['worker_id', 'epoch'],
    repeat: 'replace',
  },
} satisfies Partial<Record<Table, Layout>>;

/** Set by the first write of a row only. */
const KEPT = ['first_seen_at', 'kept_for'];

const STATEMENTS = Object.fromEntries(Object.entries(LAYOUTS).map(([table, layout]) => [table, statement(table, layout as Layout)]));

/** No key may come twice in `rows`. */
export async function writeRows<T extends keyof typeof LAYOUTS>(db: Kysely<HistoryDatabase>, table: T, rows: RowOf<T>[]): Promise<void> {
  if (rows.length === 0) return;
  const columns = Object.keys(LAYOUTS[table].columns) as (keyof RowOf<T>)[];
  const parameters = columns.map((column) => rows.map((row) => asText(row[column])));
  await db.executeQuery(CompiledQuery.raw(STATEMENTS[table] ?? '', parameters));
}

/** The end of a call whose reservation is a row already. */
export type SettledRow = Pick<RowOf<'calls'>, 'run_id' | 'key' | 'try' | keyof typeof SETTLED>;

const SETTLED_COLUMNS = { run_id: 'text', key: 'text', try: 'int', ...SETTLED };
const FIGURES = ['at', 'duration_ms', 'input_tokens', 'output_tokens', 'cost_micros', 'overrun_micros', 'unpriced'];

/** A second settlement (a person said what became of a call) changes the outcome; what was billed stays. */
function settleStatement(): string {
  const columns = Object.keys(SETTLED_COLUMNS);
  const changes = Object.entries(SETTLED).map(([name, type]) => {
    const value = type === 'text' ? `r.${name}` : `r.${name}::${type}`;
    return `${name} = ${FIGURES.includes(name) ? `case when c.outcome = 'open' then ${value} else c.${name} end` : value}`;
  });
  return (
    `update calls c set ${changes.join(', ')} from unnest(${columns.map((_, index) => `$${index + 1}::text[]`).join(', ')}) ` +
    `as r(${columns.join(', ')}) where c.run_id = r.run_id and c.key = r.key and c.try = r.try::int`
  );
}

const SETTLE = settleStatement();

/** No call may come twice in `rows`. */
export async function settleRows(db: Kysely<HistoryDatabase>, rows: SettledRow[]): Promise<void> {
  if (rows.length === 0) return;
  const parameters = Object.keys(SETTLED_COLUMNS).map((column) => rows.map((row) => asText(row[column as keyof SettledRow])));
  await db.executeQuery(CompiledQuery.raw(SETTLE, parameters));
}

function statement(table: string, layout: Layout): string {
  const names = Object.keys(layout.columns);
  const values = Object.entries(layout.columns).map(([name, type]) => (type === 'text' ? `r.${name}` : `r.${name}::${type}`));
  const arrays = names.map((_, index) => `$${index + 1}::text[]`);
  const changes = names.filter((name) => !layout.key.includes(name) && !KEPT.includes(name)).map((name) => `${name} = excluded.${name}`);
  const repeat = layout.repeat === 'ignore' ? 'do nothing' : `do update set ${changes.join(', ')}`;
  return (
    `insert into ${table} (${names.join(', ')}) select ${values.join(', ')} ` +
    `from unnest(${arrays.join(', ')}) as r(${names.join(', ')}) on conflict (${layout.key.join(', ')}) ${repeat}`
  );
}

/** PostgreSQL's text has no U+0000; within JSON it is escaped and stays. */
function asText(value: string | number | boolean | null): string | null {
  if (value === null) return null;
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : String(value);
}
