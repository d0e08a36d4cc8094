/**
 * Tables of the read model. Times are milliseconds since 1970 UTC. State, events and the like are `json`, not `jsonb`: the archive must give
 * back what the log held, and jsonb reorders keys and refuses the character U+0000, which a tool's output may hold.
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
  /** The engine's run state without its tasks. */
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

export interface CallRow {
  run_id: string;
  task_id: string;
  attempt: number;
  n: number;
  tenant: string;
  kind: string;
  name: string;
  ok: boolean;
  at: number;
  duration_ms: number;
  input_tokens: number;
  output_tokens: number;
  cost_micros: number;
  /** The call as the log holds it. */
  record: JsonColumn;
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
  commits: CommitRow;
  agents: AgentRow;
  positions: PositionRow;
  cadre_migrations: MigrationRow;
}
