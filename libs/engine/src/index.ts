export type { AppendOutcome, Blobs, CommandSender, Lease, Leases, LogSnapshot, ShardLog, StoredBlock } from './ports.js';
export type { EndedRun, RunState, ShardState, TaskState } from './state.js';
