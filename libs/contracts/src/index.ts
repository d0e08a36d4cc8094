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
  Usage,
  NO_USAGE,
  addUsage,
  utf8Bytes,
  Failure,
  Timestamp,
  Traceparent,
} from './values.js';
export { CadreError } from './errors.js';
export type { CadreErrorOptions, Problem } from './errors.js';
export {
  PRIORITIES,
  Priority,
  Skill,
  SKILLS,
  RetryPolicy,
  Require,
  TaskSpec,
  Plan,
  PlanSource,
  RunOptions,
  MAX_GOAL_BYTES,
  Goal,
  RunRequest,
} from './plan.js';
export type { TaskSpecInput } from './plan.js';
export { TaskResult, CallRecord, TaskOutcome, Assignment } from './results.js';
export {
  StartRun,
  CancelRun,
  StartAttempt,
  RecordCalls,
  CompleteAttempt,
  FailAttempt,
  ReleaseAttempt,
  LoseAttempt,
  ExpireAttempt,
  ExpireRun,
  Command,
  REJECTIONS,
  Rejection,
  CommandReply,
  CommandBatch,
  ReplyBatch,
} from './commands.js';
export {
  RunStarted,
  TasksAdded,
  AttemptScheduled,
  AttemptStarted,
  CallsRecorded,
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
  WorkerView,
} from './agents.js';
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
  EventList,
  ArtifactView,
  ArtifactList,
} from './http.js';
export { jsonSchemas, jsonSchemaIndex } from './json-schemas.js';
export type { JsonSchemaDocument } from './json-schemas.js';
