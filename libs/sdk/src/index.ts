/** The public names of the client. */
export { CadreClient } from './cadre-client.js';
export type {
  AgentInput,
  AggregationInput,
  AggregationStrategy,
  AnswerInput,
  ArtifactDownload,
  CadreClientOptions,
  EventInput,
  Health,
  WorkflowInput,
  WorkflowRunInput,
} from './cadre-client.js';
export { AgentsClient } from './agents-client.js';
export type { DefinedAgentInput } from './agents-client.js';
export { ContextClient } from './context-client.js';
export type { ContextContent, ContextPutOptions } from './context-client.js';
export { MemoryClient } from './memory-client.js';
export { ChannelsClient } from './channels-client.js';
export type { ChannelInput, HeardMessage, ListenOptions, MessageInput, ReplyRequestInput } from './channels-client.js';
export type { ExecuteParallelOptions, ParallelOutcome, Submission } from './many-runs.js';
export type { InputFile, RunRequestInput, StartRunOptions } from './request-parts.js';
export type { EventsOptions, RunFeedItem } from './event-stream.js';
export { fill, TaskList, workflow } from './workflow-builder.js';
export type { CommonFields, ScopeFields, TaskFields, WorkflowHead } from './workflow-builder.js';
export { CadreApiError } from './errors.js';
