/** The public names of the contracts library. */
export {
  RunId,
  TaskId,
  TenantId,
  WorkerId,
  AgentName,
  PLAN_TASK,
  ANSWER_TASK,
  makeRunId,
  shardOf,
  shardName,
  childId,
  placeOf,
} from './ids.js';
export { Labels, labelText, meetsLabels, whyNoLabels } from './labels.js';
export {
  MAX_WORKFLOW_BYTES,
  Trigger,
  Workflow,
  WorkflowList,
  WorkflowName,
  WorkflowParam,
  WorkflowRunRequest,
  WorkflowVersion,
} from './workflows.js';
export {
  CONTEXT_LIMITS,
  ContextAccess,
  ContextArtifactView,
  ContextAuthor,
  ContextDeleted,
  ContextGrants,
  ContextGrantsList,
  ContextGrantsRequest,
  ContextKey,
  ContextName,
  ContextPage,
  ContextPattern,
  ContextPutRequest,
  ContextRecord,
  ContextRef,
  ContextRule,
  ContextSettings,
  ContextSource,
  ContextSummary,
  ContextTag,
  ContextVersion,
  TaskContext,
} from './context.js';
export { MEMORY_LIMITS, MEMORY_TOOL, MemoryMessage, MemoryRecord, MemorySettings, MemoryView } from './memory.js';
export { ContextLineage, ContextStep, RunLineage, TaskStep } from './lineage.js';
export {
  Channel,
  CHANNEL_KINDS,
  CHANNEL_LIMITS,
  ChannelKind,
  ChannelList,
  ChannelMember,
  ChannelName,
  ChannelRight,
  KeptChannel,
  MAX_MESSAGE_WAIT_MS,
  Message,
  MessageAccepted,
  MessageId,
  MessagePage,
  PlacedMessage,
  ReplyRequest,
  SendRequest,
  Subscription,
  TypePattern,
} from './channels.js';
export { mediaTypeOf } from './media-types.js';
export { AggregationRequest, AggregationRule, MAX_AGGREGATED_RUNS } from './aggregations.js';
export { BidderFigures } from './bidder-figures.js';
export { RESULT_SCHEMA_LIMITS, ResultSchema, resultFaults } from './result-schema.js';
export { Combine, EventType, Expression, Gate, Join, Need, Repeat, SCOPE_LIMITS, Wait } from './scopes.js';
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
  PATTERN_KINDS,
  PRIORITIES,
  PatternKind,
  Priority,
  Skill,
  SKILLS,
  RetryPolicy,
  Require,
  Specialist,
  TaskSpec,
  ATTEMPT_LIMIT,
  DEFAULT_LIMIT_REMEDY,
  Scope,
  Delegation,
  Given,
  Plan,
  ParamName,
  Params,
  MAX_PLAN_TASKS,
  MAX_PLAN_ID_BYTES,
  PlanSource,
  Budget,
  Cache,
  RunOptions,
  MAX_GOAL_BYTES,
  Goal,
  RunRequest,
} from './plan.js';
export type { TaskSpecInput } from './plan.js';
export {
  CallKey,
  AnyToolName,
  MOST_TOOLS,
  ToolEffect,
  CallKind,
  CALL_INLINE_BYTES,
  CallBody,
  CallReservation,
  CallOutcome,
  CallSettlement,
  usageOfCall,
  CallGrant,
  CallGrants,
  SpendLimit,
} from './calls.js';
export { QuestionId, QuestionChoice, Question, QuestionView } from './questions.js';
export { TaskResult, TaskOutcome, Assignment, AnswerAccount, CompletionReply, KeptResult, Missing, ResultOrigin } from './results.js';
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
  DelegateWork,
  LoseAttempt,
  ExpireAttempt,
  AnswerQuestion,
  ExpireQuestion,
  OutsideEvent,
  WakeTask,
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
  TaskResolved,
  TaskOpened,
  ItemEnded,
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
  AgentSettings,
  AgentTemplate,
  TemplateSummary,
  HeldAttempt,
  HEARTBEAT,
  McpServerState,
  MOST_MCP_SERVERS,
  Heartbeat,
  Offer,
  OfferBatch,
  CancelBatch,
  Backlog,
  UnwantedAttempt,
  WorkerView,
} from './agents.js';
export { AGENT_LIMITS, AgentRecord, AgentRemoved, AgentView, DefinedAgent, WorkerList } from './defined-agents.js';
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
export { ModelLimits, ModelLimitTable, GovernorAsk, GovernorAnswer, GOVERNOR_TIMING, GOVERNOR_BATCH } from './governor.js';
export { FeedEvent, toFeedEvents, FeedPosition, compareFeedPositions, IngressEvent, IngressSubject, TokenPart } from './feed.js';
export {
  RUN_STATUSES,
  RunStatus,
  isTerminal,
  TASK_STATUSES,
  TaskStatus,
  TaskView,
  RunSummary,
  PlanView,
  RunView,
  CallView,
  RunPage,
  HistoryQuery,
  HistoryAnswer,
  WaitingTask,
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
  DELEGATING_TOOLS,
  READING_TOOLS,
  SHARED_READING_TOOLS,
  Delegated,
  AgentReply,
} from './tools.js';
export { ReducedThinking, UnderLoad } from './under-load.js';
export { agentFaults, givesNothingUp, NOTHING_GIVEN_UP } from './agent-faults.js';
export { Alternative, ReasoningEffort, TaskThinking, Thinking, ThinkingStyle, ThinkingTrace, ThoughtReply } from './thinking.js';
export type { Cell, DelegatingTool, ToolName, ToolArgs, ToolResult } from './tools.js';
export {
  RunLinks,
  RunAccepted,
  CancelRequest,
  CancelAccepted,
  CallList,
  QuestionList,
  EventRequest,
  EventAccepted,
  AnswerAccepted,
  AnswerRequest,
  EventList,
  ArtifactView,
  ArtifactList,
} from './http.js';
export { jsonSchemas, jsonSchemaIndex } from './json-schemas.js';
export type { JsonSchemaDocument } from './json-schemas.js';
