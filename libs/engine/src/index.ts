/** The public names of the engine. */
export type {
  AppendOutcome,
  Blobs,
  Chance,
  Clock,
  CommandLine,
  CommandSender,
  EndSignal,
  Lease,
  Leases,
  LogSnapshot,
  ResultCache,
  SentCommand,
  ShardLog,
  StoredBlock,
} from './ports.js';
export { aborted, pause } from './pause.js';
export { PersistentSender } from './persistent-sender.js';
export type { SenderTiming } from './persistent-sender.js';
export type { CallState, EndedRun, QuestionState, RunState, ShardState, Spent, TaskState } from './state.js';
export { withoutDraft } from './decision.js';
export type { DecideContext, Decision } from './decision.js';
export { decide, decideEnded, decideInShard } from './decide/decide.js';
export { evolve, foldCommit } from './evolve.js';
export { emptyShard, foldBlock, foldShardCommit, pruneEnded } from './fold-shard.js';
export { buildAssignment, outcomes } from './assignment.js';
export { describeProblems, validatePlan, validatePlannedTasks } from './plan/validate-plan.js';
export { checkExpression, evaluateCondition, evaluateValue } from './plan/expressions.js';
export { expressionsIn, fillIn } from './plan/templates.js';
export type { PlanProblem } from './plan/plan-problem.js';
export { planParts } from './plan/plan-parts.js';
export { isData, templatePlan } from './plan/template-plan.js';
export { inEnglish } from './goal/goal-lexicon.js';
export { goalParts, readParts } from './goal/goal-parts.js';
export { kindsForbidden } from './goal/goal-words.js';
export { openParts } from './goal/coverage.js';
export type { Claim, OpenPart } from './goal/coverage.js';
export type { Output } from './goal/evidence.js';
export { notDoneLine } from './run/compose-answer.js';
export type { GoalPart, PartKind } from './goal/goal-parts.js';
export type { TemplateKind } from './plan/template-plan.js';
export { checkInvariants, ShardAudit } from './invariants/check-invariants.js';
export { compareAccounts } from './invariants/account-audit.js';
export { compareSnapshot } from './invariants/compare.js';
export type { CommandCounts, InvariantEvidence } from './invariants/check-invariants.js';
export { recordDecision, replayDecisions } from './invariants/replay-decisions.js';
export type { DecisionRecord } from './invariants/replay-decisions.js';
export type { Violation } from './invariants/violation.js';
export { accountOf, homeRoomMicros, homeShard, spentMicros } from './account/account-state.js';
export type { Account } from './account/account-state.js';
export { whyUnsure } from './run/sureness.js';
export { AllowanceKeeper } from './account/allowance-keeper.js';
export { decideAccount } from './account/decide-account.js';
export { setTenantBudget } from './account/reclaim.js';
export { ShardOwner } from './shard-owner.js';
export type { Allowances, DecideInShard } from './shard-desk.js';
export type { LossReason, OwnerCounts, OwnerSurroundings } from './shard-owner.js';
export { answerBatch, ShardKeeper } from './shard-keeper.js';
export type { KeeperReports, KeeperSettings, KeeperState, KeeperSurroundings, ServeCommands } from './shard-keeper.js';
export { KeptLeases, LEASE_TIMING } from './kept-leases.js';
export type { LeaseEntry, LeaseStore, LeaseSurroundings, LeaseTiming, LeaseWrite } from './kept-leases.js';
export { leaseAborted, leaseLost, leaseReleased } from './lease-errors.js';
export { AgentRegistry } from './agents/agent-registry.js';
export type { DefineAgentEnd, RemoveAgentEnd } from './agents/agent-registry.js';
export type { AgentStore, FoundAgent, StoredAgent } from './agents/agent-store.js';
export { DefinedAgents, hosts } from './agents/defined-agents.js';
export type { LiveAgent } from './agents/defined-agents.js';
export type { ContextStore, StoredContext } from './context/context-store.js';
export { SharedContext } from './context/shared-context.js';
export type { ContextCaller, ContextParts, ContextPut, ContextQuery, GetEnd, PutEnd, RemoveEnd } from './context/shared-context.js';
export { refusalError } from './context/context-refusal.js';
export type { ContextRefusal } from './context/context-refusal.js';
export { runLineage, traceArtifacts } from './context/lineage.js';
export type { MemoryStore, StoredMemory } from './memory/memory-store.js';
export { AgentMemories } from './memory/agent-memories.js';
export type { MemoryAsker, MemoryParts } from './memory/agent-memories.js';
export { compacted, fitted, newestWithin, olderMessages, summaryRoom, tokensOf as memoryTokens } from './memory/memory-record.js';
export type { Compaction, Exchange, MemoryOwner } from './memory/memory-record.js';
