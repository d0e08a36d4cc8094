export { abortError, attemptClosed, failureOf, untilAborted } from './abort.js';
export { AgentRoster, resolveDefinition } from './agent-roster.js';
export type { AddedGrants, HostedDefinition } from './agent-roster.js';
export { AttemptDesk } from './attempt-desk.js';
export { AttemptWork } from './attempt-work.js';
export type { WorkEnding, WorkReports, WorkSurroundings } from './attempt-work.js';
export { BatchingModel } from './batch/batching-model.js';
export type { BatchingModelParts } from './batch/batching-model.js';
export { Gathering } from './batch/gathering.js';
export type { GatherWish, GatheringParts } from './batch/gathering.js';
export { canonicalJson } from './canonical.js';
export { CallDesk } from './call-desk.js';
export type { AnsweredCall, CallDeskParts, CallEnd, CodeCall } from './call-desk.js';
export { CALL_RETRY, billedOf, callRetryDelayMs, nextModel } from './call-retry.js';
export type { CallFailure } from './call-retry.js';
export { readText, storeText } from './content.js';
export { openConversation, systemText } from './conversation.js';
export type { ConversationInput } from './conversation.js';
export { readFinal } from './final-reply.js';
export type { ReadingTerms } from './final-reply.js';
export type { FinalReading, FinalReply, ReplyForm } from './final-reading.js';
export { jsonSchemaOf, responseSchemaFor } from './model-schemas.js';
export { ModelLine } from './model-line.js';
export { OwnerLine } from './owner-line.js';
export type { OwnerAnswer, RecordAnswer } from './owner-line.js';
export type { Performance, Performer, Work } from './performer.js';
export type {
  Extra,
  FileRecord,
  ModelMessage,
  ModelPort,
  ModelQuote,
  ModelReply,
  ModelRequest,
  Tool,
  ToolCall,
  ToolContext,
  ToolEffect,
  ToolSchema,
} from './ports.js';
export { FleetGate } from './gate/fleet-gate.js';
export type { FleetGateParts } from './gate/fleet-gate.js';
export type { CallEnding, CallGate, CallLeave, GateCall, Governor } from './gate/call-gate.js';
export { Pulse } from './pulse.js';
export type { Vitals } from './pulse.js';
export type { CacheLook, CacheMeans } from './result-reuse.js';
export { runAttempt } from './run-attempt.js';
export type { AttemptMeans } from './attempt-means.js';
export type { CallAnswer, CallRequest, MadeCall } from './settlement.js';
export { delegatingTools, delegateWork } from './delegating-tools.js';
export { READ_RESULT, TOOL_OUTPUT_BYTES } from './result-shelf.js';
export { ToolDesk } from './tool-desk.js';
export type { WorkerPorts } from './worker-ports.js';
