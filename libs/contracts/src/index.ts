/** The public names of the contracts library. */
export { RunId, TaskId, TenantId, WorkerId, AgentName, PLAN_TASK, ANSWER_TASK, makeRunId, shardOf, shardName } from './ids.js';
export { STREAMS, BUCKETS, SUBJECTS, HEADERS } from './subjects.js';
export {
  Json,
  INLINE_LIMIT_BYTES,
  BlobRef,
  WorkspacePath,
  ArtifactRef,
  Content,
  Micros,
  Usage,
  NO_USAGE,
  addUsage,
  fitsBytes,
  utf8Bytes,
  Failure,
  Timestamp,
  Traceparent,
} from './values.js';
export { CRASH_POINTS } from './crash-points.js';
export type { CrashPoint, CrashService, PassCrashPoint } from './crash-points.js';
export { CadreError } from './errors.js';
export type { Billed, CadreErrorOptions, Problem } from './errors.js';
export {
  PRIORITIES,
  Priority,
  Skill,
  SKILLS,
  RetryPolicy,
  Require,
  TaskSpec,
  Plan,
  MAX_PLAN_TASKS,
  MAX_PLAN_ID_BYTES,
  PlanSource,
  Budget,
  RunOptions,
  MAX_GOAL_BYTES,
  Goal,
  RunRequest,
} from './plan.js';
export type { TaskSpecInput } from './plan.js';
export {
  CallKey,
  AnyToolName,
  ToolEffect,
  CallKind,
  CALL_INLINE_BYTES,
  CallBody,
  CallReservation,
  CallOutcome,
  CallSettlement,
  CallGrant,
  CallGrants,
  SpendLimit,
} from './calls.js';
export { QuestionId, QuestionChoice, Question, QuestionView } from './questions.js';
export { TaskResult, TaskOutcome, Assignment, CompletionReply } from './results.js';
export {
  StartRun,
  AddTasks,
  CancelRun,
  StartAttempt,
  RecordCalls,
  Continuation,
  CompleteAttempt,
  FailAttempt,
  ReleaseAttempt,
  LoseAttempt,
  ExpireAttempt,
  AnswerQuestion,
  ExpireQuestion,
  ExpireRun,
  Command,
  ShardCommand,
  shardOfCommand,
  REJECTIONS,
  Rejection,
  CommandReply,
  CommandBatch,
  ReplyBatch,
} from './commands.js';
export { isPlainAssignment } from './plain-assignment.js';
export { isPlainCommand } from './plain-commands.js';
export {
  RunStarted,
  TasksAdded,
  AttemptScheduled,
  AttemptStarted,
  CallsReserved,
  CallsSettled,
  CallRefused,
  QuestionAsked,
  QuestionAnswered,
  AttemptFailed,
  TaskCompleted,
  TaskFailed,
  TaskSkipped,
  TaskCancelled,
  CancelRequested,
  RunCompleted,
  RunFailed,
  RunCancelled,
  RunEvent,
  Commit,
  Block,
  BLOCK_LIMITS,
} from './events.js';
export type { RunEventType } from './events.js';
export { PackedEvents, packCommit, unpackBlock } from './packed-events.js';
export {
  AgentDefinition,
  AGENT_STATES,
  AgentState,
  AgentSummary,
  HeldAttempt,
  HEARTBEAT,
  Heartbeat,
  Offer,
  OfferBatch,
  CancelBatch,
  Backlog,
  UnwantedAttempt,
  WorkerView,
} from './agents.js';
export {
  SetTenantBudget,
  DrawAllowance,
  CreditAllowance,
  ReturnAllowance,
  RestoreAllowance,
  AccountCommand,
  DrawnAllowance,
  GrantedAllowances,
  ReturnedAllowance,
  AccountEvent,
  AccountCommit,
  TenantBudgetView,
  TenantBudgetRequest,
} from './accounts.js';
export { FeedEvent, toFeedEvents, FeedPosition, compareFeedPositions, IngressEvent, IngressSubject } from './feed.js';
export {
  RUN_STATUSES,
  RunStatus,
  isTerminal,
  TASK_STATUSES,
  TaskStatus,
  TaskView,
  RunSummary,
  RunView,
  CallView,
  RunPage,
  HistoryQuery,
  HistoryAnswer,
} from './views.js';
export type { HistoryQueryInput } from './views.js';
export {
  ColumnProfile,
  DataProfile,
  TrendPoint,
  Trend,
  Anomalies,
  TypeDiagnostic,
  Finding,
  ApiExport,
  TOOLS,
  TOOL_NAMES,
  AgentReply,
} from './tools.js';
export type { Cell, ToolName, ToolArgs, ToolResult } from './tools.js';
export {
  RunLinks,
  RunAccepted,
  CancelRequest,
  CancelAccepted,
  WorkerList,
  CallList,
  QuestionList,
  AnswerAccepted,
  AnswerRequest,
  EventList,
  ArtifactView,
  ArtifactList,
} from './http.js';
export { jsonSchemas, jsonSchemaIndex } from './json-schemas.js';
export type { JsonSchemaDocument } from './json-schemas.js';
