/**
 * Every message of Cadre, with who sends it and where, in the order in which documentation lists them. `json-schemas.ts` exports them, and
 * a test refuses a message that is not listed here. Field-by-field notes stand beside the schemas themselves.
 */
import type { z } from 'zod';
import * as accounts from './accounts.js';
import * as agents from './agents.js';
import * as aggregations from './aggregations.js';
import * as channels from './channels.js';
import * as commands from './commands.js';
import * as context from './context.js';
import * as defined from './defined-agents.js';
import * as events from './events.js';
import * as feed from './feed.js';
import * as governor from './governor.js';
import * as http from './http.js';
import * as ids from './ids.js';
import * as labels from './labels.js';
import * as lineage from './lineage.js';
import * as memory from './memory.js';
import * as packed from './packed-events.js';
import * as plan from './plan.js';
import * as bidderFigures from './bidder-figures.js';
import * as resultSchema from './result-schema.js';
import * as calls from './calls.js';
import * as questions from './questions.js';
import * as results from './results.js';
import * as scopes from './scopes.js';
import * as thinking from './thinking.js';
import * as tools from './tools.js';
import * as underLoad from './under-load.js';
import * as values from './values.js';
import * as views from './views.js';
import * as workflows from './workflows.js';

/** `received`: Cadre reads it, and fields with a default may be left out. `sent`: Cadre writes it, and they are all there. */
export type Direction = 'received' | 'sent';

export interface CatalogueEntry {
  name: string;
  group: string;
  direction: Direction;
  description: string;
  schema: z.ZodType;
}

type Row = [name: string, schema: z.ZodType, description: string];

const group = (title: string, direction: Direction, rows: Row[]): CatalogueEntry[] =>
  rows.map(([name, schema, description]) => ({ name, group: title, direction, description, schema }));

const requests = group('Requests from outside', 'received', [
  ['RunRequest', plan.RunRequest, 'A request to start a run: `POST /v1/runs`, and the data of a CloudEvent `run.start`.'],
  ['Plan', plan.Plan, 'The tasks of a run and their dependencies: submitted with a request, or written by the planning agent.'],
  ['Workflow', workflows.Workflow, 'A definition of a workflow: body of `PUT /v1/workflows/{name}`, and a file in YAML or JSON.'],
  ['WorkflowRunRequest', workflows.WorkflowRunRequest, 'Body of `POST /v1/workflows/{name}/runs`; may be left out.'],
  ['AggregationRequest', aggregations.AggregationRequest, 'Body of `POST /v1/aggregations`.'],
  ['CancelRequest', http.CancelRequest, 'Body of `POST /v1/runs/{id}/cancel`; may be left out.'],
  ['TenantBudgetRequest', accounts.TenantBudgetRequest, 'Body of `PUT /v1/tenants/{tenant}/budget`; null takes the cap away.'],
  ['EventRequest', http.EventRequest, 'Body of `POST /v1/events`.'],
  ['ContextPutRequest', context.ContextPutRequest, 'Body of `PUT /v1/context/artifacts/{name}`.'],
  ['ContextGrantsRequest', context.ContextGrantsRequest, 'Body of `PUT /v1/context/grants/{agent}`: all that the agent may do.'],
  ['Channel', channels.Channel, 'A definition of a channel: body of `PUT /v1/channels/{name}`.'],
  ['SendRequest', channels.SendRequest, 'Body of `POST /v1/channels/{name}/messages`.'],
  ['ReplyRequest', channels.ReplyRequest, 'Body of `POST /v1/channels/{name}/requests`.'],
  ['DefinedAgent', defined.DefinedAgent, 'What an agent is to be: body of `PUT /v1/agents/{name}`.'],
  ['AnswerRequest', http.AnswerRequest, 'Body of `POST /v1/runs/{id}/questions/{question}/answer`.'],
  [
    'IngressEvent',
    feed.IngressEvent,
    'A CloudEvent from outside, on `cadre.in.<tenant>.<type>`, in either NATS content mode, put together.',
  ],
]);

const commandRows = group('Commands, to the owner of a shard on `cadre.shard.<nn>.cmd`', 'received', [
  ['CommandBatch', commands.CommandBatch, 'A request to the owner of a shard. Each element is a `Command`, checked by itself.'],
  ['Command', commands.Command, 'What may be asked of the owner of a shard.'],
  ['StartRun', commands.StartRun, 'Starts a run. The same run id with the same fingerprint is a repetition, with another one a conflict.'],
  ['AddTasks', commands.AddTasks, 'A further part of a plan that is too large for one message.'],
  ['CancelRun', commands.CancelRun, 'Cancels a run.'],
  ['StartAttempt', commands.StartAttempt, 'A worker binds an attempt to itself. Accepted once; answered with the `Assignment`.'],
  ['RecordCalls', commands.RecordCalls, 'Model and tool calls of an attempt that have finished.'],
  ['CompleteAttempt', commands.CompleteAttempt, 'The result of an attempt; it counts only for the open attempt that it names.'],
  ['FailAttempt', commands.FailAttempt, 'An attempt that failed.'],
  [
    'DelegateWork',
    commands.DelegateWork,
    'An attempt gives work to other agents and ends with that; the next one of its task finds what came of it.',
  ],
  ['ReleaseAttempt', commands.ReleaseAttempt, 'A worker that stops hands its attempt back; it does not count against the retry policy.'],
  ['LoseAttempt', commands.LoseAttempt, 'The scheduler no longer hears of the worker that holds the attempt.'],
  ['ExpireAttempt', commands.ExpireAttempt, "An attempt's time is up. Refused while it is not."],
  ['AnswerQuestion', commands.AnswerQuestion, "A person's answer to an open question of the run."],
  ['ExpireQuestion', commands.ExpireQuestion, "A question's time is up. Refused while it is not."],
  [
    'WakeTask',
    commands.WakeTask,
    'The time of a wait or of a scope is up (refused while it is not), or the event that a task waits for has come.',
  ],
  ['ExpireRun', commands.ExpireRun, "A run's deadline has passed. Refused while it has not."],
]);

const accountRows = group("Commands about tenants' accounts, to the owner of a shard", 'received', [
  ['AccountCommand', accounts.AccountCommand, 'Any of the commands below.'],
  ['SetTenantBudget', accounts.SetTenantBudget, "To the home of a tenant's account: the cap over all its runs."],
  ['DrawAllowance', accounts.DrawAllowance, 'To the home: another shard needs more to spend from.'],
  ['CreditAllowance', accounts.CreditAllowance, 'To a drawing shard: what it was granted.'],
  ['ReturnAllowance', accounts.ReturnAllowance, 'To a drawing shard: give back what is not spent.'],
  ['RestoreAllowance', accounts.RestoreAllowance, 'To the home: what a drawing shard has given back.'],
]);

const replies = group('Answers to commands', 'sent', [
  ['ReplyBatch', commands.ReplyBatch, 'The answer to a `CommandBatch`, sent after the block that holds the commits is stored.'],
  ['CommandReply', commands.CommandReply, 'The answer to one command.'],
  ['CallGrants', calls.CallGrants, 'The result of an accepted `RecordCalls`: what may be called, and what was called before.'],
  ['CompletionReply', results.CompletionReply, 'The result of an accepted `CompleteAttempt` whose worker goes on with another task.'],
  ['GrantedAllowances', accounts.GrantedAllowances, 'The result of a `SetTenantBudget`.'],
  ['DrawnAllowance', accounts.DrawnAllowance, 'The result of a `DrawAllowance`.'],
  ['ReturnedAllowance', accounts.ReturnedAllowance, 'The result of a `ReturnAllowance`.'],
  ['Assignment', results.Assignment, 'All that a worker needs to work on an attempt: the result of an accepted `StartAttempt`.'],
]);

const log = group('The log, in streams `CADRE_LOG_<nn>`', 'sent', [
  ['Block', events.Block, "One log message: the commits of a tick, or a new owner's claim (no commits)."],
  ['Commit', events.Commit, "All events of one decision. `seq` counts the run's commits from 1; `cause` is the command's id."],
  [
    'PackedEvents',
    packed.PackedEvents,
    'In the events of large commits of blocks marked `packed`: events that differ in their task only. Readers of the log see single events.',
  ],
  ['RunEvent', events.RunEvent, 'What happened in a run.'],
  ['RunStarted', events.RunStarted, 'A run was accepted.'],
  ['TasksAdded', events.TasksAdded, "Tasks joined the run: the planning task at its start, the plan's tasks and the answer task later."],
  ['TaskResolved', events.TaskResolved, 'A task has begun, and its expressions were filled in.'],
  ['TaskOpened', events.TaskOpened, 'A scope or a wait has begun: the engine itself is at it.'],
  ['ItemEnded', events.ItemEnded, 'All tasks of an item of a scope have ended.'],
  ['AttemptScheduled', events.AttemptScheduled, 'An attempt is open and may be started from `notBefore` on.'],
  ['AttemptStarted', events.AttemptStarted, 'A worker has bound the attempt to itself.'],
  ['CallsReserved', events.CallsReserved, 'These calls may be made, and this much money is set aside for them.'],
  ['CallsSettled', events.CallsSettled, 'How calls ended, and what they cost.'],
  ['CallRefused', events.CallRefused, 'A call did not fit under a cap, and what follows from that.'],
  ['QuestionAsked', events.QuestionAsked, 'The task waits for a person.'],
  ['QuestionAnswered', events.QuestionAnswered, 'A person, or the time limit, has answered.'],
  ['AttemptFailed', events.AttemptFailed, 'The attempt is closed without a result. `counted`: against the retry policy.'],
  ['TaskCompleted', events.TaskCompleted, 'The task has its result.'],
  ['TaskFailed', events.TaskFailed, 'The task failed for good.'],
  [
    'TaskSkipped',
    events.TaskSkipped,
    'The task will not run: its condition is false, a dependency did not succeed, or it was not needed as an alternative.',
  ],
  ['TaskCancelled', events.TaskCancelled, 'The task was cancelled with its run.'],
  ['CancelRequested', events.CancelRequested, 'The run is to be cancelled; nothing starts any more.'],
  [
    'RunCompleted',
    events.RunCompleted,
    'The run has its answer. `partial`: something of what was asked for was not done; `missing`: what.',
  ],
  ['RunFailed', events.RunFailed, 'The run failed.'],
  ['RunCancelled', events.RunCancelled, 'The run was cancelled.'],
  ['AccountCommit', accounts.AccountCommit, "All events of one decision about a tenant's account."],
]);

const feedRows = group('The event feed, on `cadre.ev.<tenant>.<run>`', 'sent', [
  ['FeedEvent', feed.FeedEvent, 'One event of a run as a CloudEvent 1.0 in structured JSON. `id` is `<runId>/<seq>.<index>`.'],
]);

const tokenRows = group('What models write, on core NATS', 'sent', [
  ['TokenPart', feed.TokenPart, 'What a model has written since the part before: `cadre.stream.<tenant>.<run>.<task>`.'],
]);

const workers = group('Workers and offers, on core NATS', 'sent', [
  ['Heartbeat', agents.Heartbeat, 'A worker is alive and holds these attempts: `cadre.hb.<worker>`, every 250 ms.'],
  ['OfferBatch', agents.OfferBatch, 'Attempts offered to one life of one worker: `cadre.agent.<worker>.<epoch>.offer`.'],
  ['Offer', agents.Offer, 'One attempt offered. A hint: it may be lost, and binds nobody.'],
  ['CancelBatch', agents.CancelBatch, 'Attempts whose work is no longer wanted: `cadre.agent.<worker>.cancel`.'],
  ['Backlog', agents.Backlog, 'Agents for whose slots ready work waits: `cadre.agents.backlog`, each 250 ms while it is so.'],
  [
    'GovernorAsk',
    governor.GovernorAsk,
    'From a worker to the leading scheduler, on `cadre.models.governor`: which calls wait for a model server.',
  ],
  ['GovernorAnswer', governor.GovernorAnswer, 'Which of these calls may be made now.'],
]);

const messages = group('Messages of channels', 'sent', [
  [
    'Message',
    channels.Message,
    'What one participant tells others: `cadre.{dm,bc,mc,topic}.<tenant>.<channel>.<generation>`, or in `CADRE_MESSAGES` on `cadre.msg.<tenant>.<channel>.<generation>.<id>`.',
  ],
]);

const definitions = group('Agents', 'received', [
  ['AgentDefinition', agents.AgentDefinition, 'An agent: its skills, instructions, granted tools and limits.'],
  ['AgentTemplate', agents.AgentTemplate, 'From what a worker makes agents at run time.'],
  ['AgentReply', tools.AgentReply, "What an agent's last message must be: one JSON object."],
  ['ThoughtReply', thinking.ThoughtReply, 'What a thinking agent may add to its last message, as `thinking`.'],
  ['ThinkingTrace', thinking.ThinkingTrace, 'What a thinking agent thought on the way to a result: kept apart from the answer.'],
  ['TaskResult', results.TaskResult, 'What an attempt produced.'],
  ['KeptResult', results.KeptResult, 'A result that stands for later ones of the same question: an entry of the bucket `cadre_results`.'],
]);

const queries = group('Queries to the read model, on `cadre.query.history`', 'received', [
  ['HistoryQuery', views.HistoryQuery, 'A query to the monitor; those about runs see one tenant each.'],
]);

const viewRows = group('Views: answers of the read model and of the HTTP API', 'sent', [
  ['HistoryAnswer', views.HistoryAnswer, 'The answer to a `HistoryQuery`.'],
  ['RunView', views.RunView, 'A run with its tasks: `GET /v1/runs/{id}`.'],
  ['PlanView', views.PlanView, 'The plan of a run: `GET /v1/runs/{id}/plan`.'],
  ['RunSummary', views.RunSummary, 'A run as lists show it.'],
  ['RunPage', views.RunPage, 'A page of runs, newest first: `GET /v1/runs`.'],
  ['TaskView', views.TaskView, 'A task of a run.'],
  ['CallView', views.CallView, 'A model or tool call of a run.'],
  ['QuestionView', questions.QuestionView, 'An open question to a person.'],
  ['WorkerView', agents.WorkerView, 'A worker as lists show it.'],
  ['RunAccepted', http.RunAccepted, 'Answer to `POST /v1/runs` (202 for a new run, 200 for a repeated request).'],
  ['CancelAccepted', http.CancelAccepted, 'Answer to `POST /v1/runs/{id}/cancel`.'],
  ['AnswerAccepted', http.AnswerAccepted, 'Answer to `POST /v1/runs/{id}/questions/{question}/answer`.'],
  ['WorkerList', defined.WorkerList, 'Answer to `GET /v1/agents`.'],
  ['AgentView', defined.AgentView, 'An agent that was defined at run time: answer to `PUT` and `GET /v1/agents/{name}`.'],
  ['AgentRemoved', defined.AgentRemoved, 'Answer to `DELETE /v1/agents/{name}`.'],
  ['AgentRecord', defined.AgentRecord, 'An agent that was defined at run time, as the bucket `cadre_agents` holds it.'],
  ['TenantBudgetView', accounts.TenantBudgetView, 'Answer to `GET /v1/tenants/{tenant}/budget`.'],
  [
    'WorkflowVersion',
    workflows.WorkflowVersion,
    'Answer to `PUT` and `GET /v1/workflows/{name}`; also what the bucket `cadre_defs` holds.',
  ],
  ['WorkflowList', workflows.WorkflowList, 'Answer to `GET /v1/workflows`.'],
  ['MemoryView', memory.MemoryView, 'Answer to `GET /v1/agents/{agent}/memory`: what an agent remembers.'],
  ['MemoryRecord', memory.MemoryRecord, 'What an agent remembers, as the bucket `cadre_context` holds it.'],
  ['ContextRecord', context.ContextRecord, 'An artifact of the context store, as the bucket `cadre_context` holds it.'],
  [
    'ContextArtifactView',
    context.ContextArtifactView,
    'Answer to `PUT /v1/context/artifacts/{name}` and `GET /v1/context/versions/{name}`.',
  ],
  ['ContextPage', context.ContextPage, 'Answer to `GET /v1/context`.'],
  ['ContextDeleted', context.ContextDeleted, 'Answer to `DELETE /v1/context/artifacts/{name}`.'],
  ['ContextGrants', context.ContextGrants, 'Answer to `PUT /v1/context/grants/{agent}`; also what the bucket holds.'],
  ['ContextGrantsList', context.ContextGrantsList, 'Answer to `GET /v1/context/grants`.'],
  ['ContextLineage', lineage.ContextLineage, 'Answer to `GET /v1/context/lineage/{name}`: what a version was made from, and so on back.'],
  ['RunLineage', lineage.RunLineage, 'Answer to `GET /v1/runs/{id}/lineage`: what an answer rests on.'],
  ['KeptChannel', channels.KeptChannel, 'Answer to `PUT` and `GET /v1/channels/{name}`; also what the bucket `cadre_channels` holds.'],
  ['ChannelList', channels.ChannelList, 'Answer to `GET /v1/channels`.'],
  ['MessageAccepted', channels.MessageAccepted, 'Answer to `POST /v1/channels/{name}/messages`.'],
  ['MessagePage', channels.MessagePage, 'Answer to `GET /v1/channels/{name}/messages` with `Accept: application/json`.'],
  ['EventAccepted', http.EventAccepted, 'Answer to `POST /v1/events`.'],
  ['QuestionList', http.QuestionList, 'Answer to `GET /v1/questions` and `GET /v1/runs/{id}/questions`.'],
  ['CallList', http.CallList, 'Answer to `GET /v1/runs/{id}/calls`.'],
  ['EventList', http.EventList, 'Answer to `GET /v1/runs/{id}/events` with `Accept: application/json`.'],
  ['ArtifactList', http.ArtifactList, 'Answer to `GET /v1/runs/{id}/artifacts`.'],
]);

const pascal = (name: string): string => name.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());

const toolRows = tools.TOOL_NAMES.flatMap((name): CatalogueEntry[] => {
  const { description, args, result } = tools.TOOLS[name];
  const answered = `What the tool \`${name}\` answers; when it fails, \`{"error": "…"}\` instead.`;
  return [
    ...group('Standard tools', 'received', [[`${pascal(name)}Args`, args, `Arguments of the tool \`${name}\`. ${description}`]]),
    ...group('Standard tools', 'sent', [[`${pascal(name)}Result`, result, answered]]),
  ];
});

/** Every message, grouped. Names are unique. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  ...requests,
  ...commandRows,
  ...accountRows,
  ...replies,
  ...log,
  ...feedRows,
  ...tokenRows,
  ...workers,
  ...messages,
  ...definitions,
  ...queries,
  ...viewRows,
  ...toolRows,
];

/** Shapes that messages share: no message by themselves, but named in the schemas of those that use them. */
export const PARTS: Readonly<Record<string, z.ZodType>> = {
  RunId: ids.RunId,
  TaskId: ids.TaskId,
  TenantId: ids.TenantId,
  WorkerId: ids.WorkerId,
  AgentName: ids.AgentName,
  Json: values.Json,
  BlobRef: values.BlobRef,
  WorkspacePath: values.WorkspacePath,
  ModelLimits: governor.ModelLimits,
  ModelLimitTable: governor.ModelLimitTable,
  ArtifactRef: values.ArtifactRef,
  Content: values.Content,
  Missing: results.Missing,
  AnswerAccount: results.AnswerAccount,
  Usage: values.Usage,
  Failure: values.Failure,
  Timestamp: values.Timestamp,
  Traceparent: values.Traceparent,
  PatternKind: plan.PatternKind,
  Priority: plan.Priority,
  Skill: plan.Skill,
  BidderFigures: bidderFigures.BidderFigures,
  ResultSchema: resultSchema.ResultSchema,
  RetryPolicy: plan.RetryPolicy,
  Require: plan.Require,
  Specialist: plan.Specialist,
  TaskSpec: plan.TaskSpec,
  Scope: plan.Scope,
  Delegation: plan.Delegation,
  Delegated: tools.Delegated,
  ContextAccess: context.ContextAccess,
  ContextAuthor: context.ContextAuthor,
  ContextKey: context.ContextKey,
  ContextName: context.ContextName,
  ContextPattern: context.ContextPattern,
  ContextRef: context.ContextRef,
  ContextRule: context.ContextRule,
  ContextSettings: context.ContextSettings,
  ContextSource: context.ContextSource,
  ContextSummary: context.ContextSummary,
  ContextTag: context.ContextTag,
  ContextVersion: context.ContextVersion,
  TaskContext: context.TaskContext,
  MemoryMessage: memory.MemoryMessage,
  MemorySettings: memory.MemorySettings,
  ContextStep: lineage.ContextStep,
  TaskStep: lineage.TaskStep,
  Given: plan.Given,
  WorkflowName: workflows.WorkflowName,
  WorkflowParam: workflows.WorkflowParam,
  Trigger: workflows.Trigger,
  ChannelName: channels.ChannelName,
  ChannelKind: channels.ChannelKind,
  ChannelRight: channels.ChannelRight,
  ChannelMember: channels.ChannelMember,
  MessageId: channels.MessageId,
  PlacedMessage: channels.PlacedMessage,
  Subscription: channels.Subscription,
  TypePattern: channels.TypePattern,
  WaitingTask: views.WaitingTask,
  ParamName: plan.ParamName,
  Params: plan.Params,
  Expression: scopes.Expression,
  Need: scopes.Need,
  Join: scopes.Join,
  Gate: scopes.Gate,
  UnknownConfidence: scopes.UnknownConfidence,
  Repeat: scopes.Repeat,
  Combine: scopes.Combine,
  AggregationRule: aggregations.AggregationRule,
  Wait: scopes.Wait,
  EventType: scopes.EventType,
  OutsideEvent: commands.OutsideEvent,
  PlanSource: plan.PlanSource,
  RunOptions: plan.RunOptions,
  Goal: plan.Goal,
  Micros: values.Micros,
  Budget: plan.Budget,
  Cache: plan.Cache,
  AnyToolName: calls.AnyToolName,
  Continuation: commands.Continuation,
  ToolEffect: calls.ToolEffect,
  CallKind: calls.CallKind,
  CallOutcome: calls.CallOutcome,
  SpendLimit: calls.SpendLimit,
  AccountEvent: accounts.AccountEvent,
  ShardCommand: commands.ShardCommand,
  CallKey: calls.CallKey,
  CallBody: calls.CallBody,
  CallReservation: calls.CallReservation,
  CallSettlement: calls.CallSettlement,
  CallGrant: calls.CallGrant,
  QuestionId: questions.QuestionId,
  QuestionChoice: questions.QuestionChoice,
  Question: questions.Question,
  TaskOutcome: results.TaskOutcome,
  ResultMark: results.ResultMark,
  ResultOrigin: results.ResultOrigin,
  Rejection: commands.Rejection,
  Thinking: thinking.Thinking,
  TaskThinking: thinking.TaskThinking,
  ThinkingStyle: thinking.ThinkingStyle,
  ReasoningEffort: thinking.ReasoningEffort,
  Alternative: thinking.Alternative,
  ReducedThinking: underLoad.ReducedThinking,
  UnderLoad: underLoad.UnderLoad,
  UnderModelLoad: underLoad.UnderModelLoad,
  QueueRelief: underLoad.QueueRelief,
  NeverUnderLoad: underLoad.NeverUnderLoad,
  QueuedMs: underLoad.QueuedMs,
  AgentState: agents.AgentState,
  AgentSummary: agents.AgentSummary,
  AgentSettings: agents.AgentSettings,
  TemplateSummary: agents.TemplateSummary,
  McpServerState: agents.McpServerState,
  Labels: labels.Labels,
  HeldAttempt: agents.HeldAttempt,
  UnwantedAttempt: agents.UnwantedAttempt,
  FeedPosition: feed.FeedPosition,
  IngressSubject: feed.IngressSubject,
  RunStatus: views.RunStatus,
  TaskStatus: views.TaskStatus,
  ColumnProfile: tools.ColumnProfile,
  DataProfile: tools.DataProfile,
  TrendPoint: tools.TrendPoint,
  Trend: tools.Trend,
  Anomalies: tools.Anomalies,
  TypeDiagnostic: tools.TypeDiagnostic,
  Finding: tools.Finding,
  ApiExport: tools.ApiExport,
  RunLinks: http.RunLinks,
  ArtifactView: http.ArtifactView,
};
