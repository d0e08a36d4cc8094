/** The public names of the engine. */
export type { AppendOutcome, Blobs, CommandSender, Lease, Leases, LogSnapshot, ShardLog, StoredBlock } from './ports.js';
export type { EndedRun, RunState, ShardState, TaskState } from './state.js';
export type { DecideContext, Decision } from './decision.js';
export { decide, decideEnded, decideInShard } from './decide/decide.js';
export { evolve, foldCommit } from './evolve.js';
export { emptyShard, foldBlock, foldShardCommit, pruneEnded } from './fold-shard.js';
export { buildAssignment, outcomes } from './assignment.js';
export { describeProblems, validatePlan } from './plan/validate-plan.js';
export type { PlanProblem } from './plan/validate-plan.js';
export { templatePlan } from './plan/template-plan.js';
export type { TemplateKind } from './plan/template-plan.js';
export { checkInvariants } from './invariants/check-invariants.js';
export type { CommandCounts, InvariantEvidence } from './invariants/check-invariants.js';
export type { Violation } from './invariants/violation.js';
export { ShardOwner } from './shard-owner.js';
export type { LossReason, OwnerCounts, OwnerSurroundings } from './shard-owner.js';
