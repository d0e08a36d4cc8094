/** The OpenAPI document: routes from the controllers, bodies from the zod schemas that validate them. */
import {
  AgentRemoved,
  AgentView,
  AggregationRequest,
  AnswerAccepted,
  AnswerRequest,
  EventRequest,
  ArtifactList,
  ArtifactRef,
  CallList,
  CallView,
  CancelAccepted,
  CancelRequest,
  Channel,
  ChannelList,
  Content,
  DefinedAgent,
  ContextArtifactView,
  ContextDeleted,
  ContextGrants,
  ContextGrantsList,
  ContextGrantsRequest,
  ContextLineage,
  ContextPage,
  ContextPutRequest,
  ContextStep,
  ContextVersion,
  EventList,
  FeedEvent,
  Json,
  KeptChannel,
  MemoryView,
  Message,
  MessageAccepted,
  MessagePage,
  Plan,
  PlanView,
  QuestionList,
  QuestionView,
  ReplyRequest,
  RunAccepted,
  RunLineage,
  RunPage,
  Scope,
  SendRequest,
  TaskSpec,
  Workflow,
  WorkflowList,
  WorkflowRunRequest,
  WorkflowVersion,
  RunRequest,
  RunSummary,
  RunView,
  TaskView,
  TenantBudgetRequest,
  TenantBudgetView,
  ThinkingTrace,
  WorkerList,
  WorkerView,
} from '@cadre/contracts';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { WILDCARD, type Description } from './described.js';
import { EXAMPLES } from './examples.js';
import { INPUT_EXTENSIONS } from '../runs/input-files.js';

const OUT: Record<string, z.ZodType> = {
  RunAccepted,
  RunPage,
  RunSummary,
  RunView,
  PlanView,
  TaskView,
  ThinkingTrace,
  CallList,
  CallView,
  EventList,
  FeedEvent,
  CancelAccepted,
  QuestionList,
  QuestionView,
  AnswerAccepted,
  ArtifactList,
  ArtifactRef,
  Content,
  TenantBudgetView,
  WorkerList,
  WorkerView,
  AgentView,
  AgentRemoved,
  WorkflowVersion,
  WorkflowList,
  ContextPage,
  ContextArtifactView,
  ContextVersion,
  ContextDeleted,
  ContextLineage,
  ContextStep,
  ContextGrants,
  ContextGrantsList,
  RunLineage,
  MemoryView,
  KeptChannel,
  ChannelList,
  Message,
  MessageAccepted,
  MessagePage,
};
const IN: Record<string, z.ZodType> = {
  RunRequest,
  AggregationRequest,
  Plan,
  CancelRequest,
  AnswerRequest,
  EventRequest,
  TenantBudgetRequest,
  Workflow,
  WorkflowRunRequest,
  ContextPutRequest,
  ContextGrantsRequest,
  Channel,
  SendRequest,
  ReplyRequest,
  DefinedAgent,
};
/** Refers to itself, so it needs a name of its own. */
const JSON_NAME = 'Json';
/** These refer to each other; as Cadre tells of them all their fields are there. */
const TASKS: Record<'input' | 'output', Record<string, z.ZodType>> = {
  input: { TaskSpec, Scope },
  output: { PlannedTask: TaskSpec, PlannedScope: Scope },
};

const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe('Stable; for programs'),
    remedy: z.string().optional().describe('What to change'),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    presentVersion: z.int().optional().describe('Of a `version-conflict`: the newest version; 0 when there is none'),
  })
  .meta({ example: EXAMPLES.problem });

/** What is said of parameters, by name. */
const PARAMETERS: Record<string, object> = {
  runId: { description: 'Id of the run', example: EXAMPLES.runId },
  tenant: { description: 'Name of the tenant', example: 'default' },
  version: { description: 'Default: the newest', example: 3 },
  expects: { description: 'Only if this is the newest version', example: 3 },
  prefix: { description: 'Only those whose names begin with it', example: 'reports/' },
  tag: { description: 'Only those with this tag', example: 'weather' },
  agent: { description: 'Name of the agent', example: 'data-analyst' },
  questionId: { description: 'Id of the question within its run', example: 'q1' },
  'idempotency-key': {
    name: 'Idempotency-Key',
    required: false,
    description: 'A text of your choice, unique for this request; makes it safe to send the request again',
    example: 'order-77',
  },
  'last-event-id': { name: 'Last-Event-ID', required: false, description: 'The last event seen; goes before `after`', example: '12.0' },
  after: { description: 'Only events after this position', example: '12.0' },
  cursor: { description: '`nextCursor` of the page before' },
  status: { description: 'Only runs with this status' },
  limit: { description: 'Most entries of the answer' },
};

type Operation = Record<string, unknown> & { parameters?: Record<string, unknown>[]; responses?: Record<string, Record<string, unknown>> };

export function openApiDocument(app: NestFastifyApplication, limits: { fileBytes: number; files: number }): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Cadre')
    .setDescription('Give teams of agents a goal and data, follow them at work, get one answer with its artifacts.')
    .setVersion('0.1.0')
    .build();
  const names = new Map([...Object.entries(OUT), ...Object.entries(IN)].map(([name, schema]) => [schema, name]));
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
    autoTagControllers: false,
    standardSchemaConverter: (schema, { schemaType }) => {
      const name = names.get(schema as z.ZodType);
      return { schema: name ? { $ref: ref(name) } : plain(schema as z.ZodType, schemaType) };
    },
  });
  document.components = {
    ...document.components,
    schemas: { ...components(IN, 'input'), ...components(OUT, 'output'), ...problemSchema() } as never,
  };
  finish(document, limits);
  return document;
}

const ref = (name: string): string => `#/components/schemas/${name}`;

/** Named schemas, referring to each other. */
function components(named: Record<string, z.ZodType>, io: 'input' | 'output'): Record<string, unknown> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries({ ...named, ...TASKS[io], [JSON_NAME]: Json })) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io, uri: ref, unrepresentable: 'any', reused: 'inline' });
  const { __shared: _shared, ...ours } = schemas as Record<string, object>;
  const bare = Object.entries(ours).map(([name, schema]) => [name, without(schema, ['$schema', '$id'])] as const);
  return { ...Object.fromEntries(bare), [JSON_NAME]: { description: 'any JSON' } };
}

function without(schema: object, keys: string[]): object {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !keys.includes(key)));
}

function problemSchema(): Record<string, unknown> {
  return { Problem: plain(Problem, 'output') };
}

function plain(schema: z.ZodType, io: 'input' | 'output'): object {
  return without(z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }), ['$schema', '~standard']);
}

/** Routes of every service; they are not Nest's. */
const OPERATION_PATHS = Object.fromEntries(
  [
    { path: '/livez', summary: 'Whether the process lives', content: 'application/json', statuses: { 200: 'It does' } },
    {
      path: '/readyz',
      summary: 'Whether requests can be served',
      content: 'application/json',
      statuses: { 200: 'Yes', 503: 'No; `checks` says why' },
    },
    { path: '/metrics', summary: 'Figures for Prometheus', content: 'text/plain', statuses: { 200: 'In its text format' } },
  ].map(({ path, summary, content, statuses }) => {
    const type = content === 'text/plain' ? 'string' : 'object';
    const responses = Object.entries(statuses).map(([status, description]) => [
      status,
      { description, content: { [content]: { schema: { type } } } },
    ]);
    return [
      path,
      { get: { summary, operationId: path.slice(1), tags: ['Operation'], responses: Object.fromEntries(responses) as object } },
    ];
  }),
) as Record<string, Record<string, Operation>>;

/** What decorators cannot say. */
function finish(document: OpenAPIObject, limits: { fileBytes: number; files: number }): void {
  const paths = document.paths as unknown as Record<string, Record<string, Operation>>;
  for (const [path, operations] of Object.entries(paths)) {
    for (const operation of Object.values(operations)) {
      nameRun(path, operation);
      nameWildcard(paths, path, operation);
      describeStream(operation);
      for (const parameter of operation.parameters ?? []) Object.assign(parameter, PARAMETERS[String(parameter['name'])]);
    }
  }
  Object.assign(paths, OPERATION_PATHS);
  const start = paths['/v1/runs']?.['post'];
  if (start) describeSubmission(start, limits);
  describeBody(paths['/v1/aggregations'], 'AggregationRequest', true, { example: EXAMPLES.aggregation });
  describeBody(paths['/v1/runs/{runId}/cancel'], 'CancelRequest', false, { example: { reason: 'not needed any more' } });
  describeBody(paths['/v1/tenants/{tenant}/budget'], 'TenantBudgetRequest', true, { example: { capMicros: 50_000_000 } }, 'put');
  describeBody(paths['/v1/workflows/{name}'], 'Workflow', true, { example: EXAMPLES.workflow }, 'put');
  describeBody(paths['/v1/workflows/{name}/runs'], 'WorkflowRunRequest', false, { example: EXAMPLES.workflowRun });
  describeBody(paths['/v1/context/artifacts/{name}'], 'ContextPutRequest', true, { example: EXAMPLES.contextPut }, 'put');
  describeBody(paths['/v1/context/grants/{agent}'], 'ContextGrantsRequest', true, { example: EXAMPLES.contextGrantsRequest }, 'put');
  describeBody(paths['/v1/agents/{name}'], 'DefinedAgent', true, { example: EXAMPLES.agentRequest }, 'put');
  describeBody(paths['/v1/channels/{name}'], 'Channel', true, { example: EXAMPLES.channel }, 'put');
  describeBody(paths['/v1/channels/{name}/messages'], 'SendRequest', true, { example: EXAMPLES.sendRequest });
  describeBody(paths['/v1/channels/{name}/requests'], 'ReplyRequest', true, { example: EXAMPLES.replyRequest });
  describeBody(paths['/v1/events'], 'EventRequest', true, { example: EXAMPLES.eventRequest });
  describeBody(paths['/v1/runs/{runId}/questions/{questionId}/answer'], 'AnswerRequest', true, {
    examples: {
      budget: { summary: 'Raise the cap that was hit by half a dollar', value: EXAMPLES.approval },
      effect: { summary: 'The call has happened; this is what it answered', value: EXAMPLES.effectDone },
    },
  });
}

/** A JSON body that is read and checked by hand. */
function describeBody(
  path: Record<string, Operation> | undefined,
  name: string,
  required: boolean,
  examples: object,
  method = 'post',
): void {
  const operation = path?.[method];
  if (operation) operation['requestBody'] = { required, content: { 'application/json': { schema: { $ref: ref(name) }, ...examples } } };
}

/** The scanner forgets the path's own parameters where a query has a schema. */
function nameRun(path: string, operation: Operation): void {
  const parameters = operation.parameters ?? [];
  if (!path.includes('{runId}') || parameters.some((parameter) => parameter['name'] === 'runId')) return;
  operation.parameters = [{ name: 'runId', in: 'path', required: true, schema: { type: 'string' } }, ...parameters];
}

/** A `*` at the end of a path is a parameter in the document. */
function nameWildcard(paths: Record<string, Record<string, Operation>>, path: string, operation: Operation): void {
  const wildcard = operation[WILDCARD] as Description['wildcard'];
  if (!wildcard) return;
  delete operation[WILDCARD];
  const { name, description, example } = wildcard;
  const rest = (operation.parameters ?? []).filter((parameter) => parameter['name'] === 'runId' || parameter['in'] !== 'path');
  operation.parameters = [...rest, { name, in: 'path', required: true, description, example, schema: { type: 'string' } }];
  const named = path.replace(/\/(\{[^/]*path[^/]*\}|\*.*|\{\*.*)$/, `/{${name}}`);
  if (named === path) return;
  // Several methods of one path come one after the other.
  paths[named] ??= paths[path] ?? {};
  delete paths[path];
}

function describeStream(operation: Operation): void {
  for (const response of Object.values(operation.responses ?? {})) {
    if (typeof response['x-stream'] !== 'string') continue;
    const content = (response['content'] ?? {}) as Record<string, unknown>;
    response['content'] = { 'text/event-stream': { schema: { type: 'string' }, example: response['x-stream'] }, ...content };
    delete response['x-stream'];
  }
}

function describeSubmission(operation: Operation, limits: { fileBytes: number; files: number }): void {
  const request = { $ref: ref('RunRequest') };
  operation['requestBody'] = {
    required: true,
    content: {
      'application/json': {
        schema: request,
        examples: {
          goal: { summary: 'A goal; the plan is made for you', value: EXAMPLES.request },
          plan: { summary: 'A goal with a plan', value: EXAMPLES.requestWithPlan },
          planOnly: { summary: 'Only the plan, to be looked at first', value: EXAMPLES.requestForPlan },
        },
      },
      'multipart/form-data': {
        schema: {
          type: 'object',
          description: `Either request or goal. Files: ${INPUT_EXTENSIONS.join(', ')}; each at most ${limits.fileBytes} bytes, at most ${limits.files}.`,
          properties: {
            request,
            goal: { type: 'string', example: EXAMPLES.request.goal },
            input: { type: 'array', items: { type: 'string', format: 'binary' } },
          },
        },
        encoding: { request: { contentType: 'application/json' } },
      },
    },
  };
}
