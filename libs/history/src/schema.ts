/**
 * Tables of the read model. Times are milliseconds since 1970 UTC. State, events and the like are `json`, not `jsonb`: the archive must
 * give back what the log held, and jsonb reorders keys and refuses the character U+0000, which a tool's output may hold.
 */
import type { ColumnType, Generated } from 'kysely';

/** Written as JSON text, read parsed. */
type JsonColumn = ColumnType<unknown, string, string>;

interface UsageColumns {
  model_calls: number;
  tool_calls: number;
  input_tokens: number;
  output_tokens: number;
  cost_micros: number;
}

export interface RunRow extends UsageColumns {
  run_id: string;
  tenant: string;
  shard: number;
  status: string;
  goal: string;
  created_at: number;
  ended_at: number | null;
  deadline_at: number;
  seq: number;
  tasks_done: number;
  tasks_total: number;
  /** Under the run's cap: what ended calls cost, and what is set aside for open ones. */
  settled_micros: number;
  reserved_micros: number;
  /** Calls whose cost is not known, and what servers charged beyond what was set aside. */
  unpriced_calls: number;
  overrun_micros: number;
  /** The engine's run state without its tasks and calls. */
  state: JsonColumn;
}

export interface TaskRow extends UsageColumns {
  run_id: string;
  task_id: string;
  tenant: string;
  /** Place in the plan, from 0. */
  position: number;
  kind: string;
  title: string;
  status: string;
  attempt: number;
  agent: string | null;
  worker_id: string | null;
  started_at: number | null;
  ended_at: number | null;
  confidence: number | null;
  /** The engine's task state. */
  state: JsonColumn;
}

/** One try of a call. */
export interface CallRow {
  run_id: string;
  key: string;
  try: number;
  task_id: string;
  attempt: number;
  tenant: string;
  kind: string;
  name: string;
  effect: string;
  max_cost_micros: number;
  /** Its price, and so its cost, is not known. */
  unpriced: boolean;
  /** Where it was reserved: the commit, and the place in it. */
  commit_seq: number;
  place: number;
  /** The last later attempt that started with its record at hand. */
  kept_for: number | null;
  /** `open` until it is settled. */
  outcome: string;
  ok: boolean;
  note: string;
  /** When it was reserved, then what its settlement says. */
  at: number;
  duration_ms: number;
  input_tokens: number;
  output_tokens: number;
  cost_micros: number;
  overrun_micros: number | null;
}

/** What the engine's state holds of the calls of tasks that have not ended. */
export interface CallStateRow {
  run_id: string;
  task_id: string;
  key: string;
  state: JsonColumn;
}

export interface QuestionRow {
  run_id: string;
  question_id: string;
  tenant: string;
  task_id: string;
  task_title: string;
  kind: string;
  /** `open`, `answered`, or `closed`: its task ended without an answer. */
  status: string;
  asked_at: number;
  due_at: number;
  ended_at: number | null;
  choice: string | null;
  answered_by: string | null;
  note: string | null;
  raise_micros: number | null;
  /** As the log holds it. */
  question: JsonColumn;
}

/** What one shard knows of a tenant's money. */
export interface AccountRow {
  tenant: string;
  shard: number;
  /** Known in the account's home only. */
  cap_micros: number | null;
  settled_micros: number;
  reserved_micros: number;
}

export interface CommitRow {
  run_id: string;
  seq: number;
  tenant: string;
  at: number;
  cause: string;
  events: JsonColumn;
}

export interface AgentRow {
  worker_id: string;
  epoch: string;
  specialty: string;
  state: string;
  slots: number;
  agents: JsonColumn;
  started_at: number;
  first_seen_at: number;
  last_seen_at: number;
}

export interface PositionRow {
  shard: number;
  /** The last block folded. */
  seq: number;
}

export interface MigrationRow {
  number: number;
  name: string;
  applied_at: Generated<number>;
}

export interface HistoryDatabase {
  runs: RunRow;
  tasks: TaskRow;
  calls: CallRow;
  call_states: CallStateRow;
  questions: QuestionRow;
  accounts: AccountRow;
  commits: CommitRow;
  agents: AgentRow;
  positions: PositionRow;
  cadre_migrations: MigrationRow;
}
