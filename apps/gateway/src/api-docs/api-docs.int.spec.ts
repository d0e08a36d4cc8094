import {
  AgentRemoved,
  AgentView,
  AggregationRequest,
  AnswerAccepted,
  AnswerRequest,
  EventAccepted,
  EventRequest,
  ArtifactList,
  CallList,
  CancelAccepted,
  DefinedAgent,
  ContextArtifactView,
  ContextDeleted,
  ContextGrants,
  ContextGrantsList,
  ContextGrantsRequest,
  ContextLineage,
  ContextPage,
  ContextPutRequest,
  Channel,
  ChannelList,
  EventList,
  KeptChannel,
  MemoryView,
  Message,
  MessageAccepted,
  MessagePage,
  PlanView,
  QuestionList,
  ReplyRequest,
  RunAccepted,
  RunLineage,
  RunPage,
  RunRequest,
  RunView,
  SendRequest,
  TenantBudgetView,
  WorkerList,
  Workflow,
  WorkflowList,
  WorkflowRunRequest,
  WorkflowVersion,
} from '@cadre/contracts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { EXAMPLES } from './examples.js';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

test('the examples fit the schemas', () => {
  RunRequest.parse(EXAMPLES.request);
  RunRequest.parse(EXAMPLES.requestWithPlan);
  AggregationRequest.parse(EXAMPLES.aggregation);
  RunRequest.parse(EXAMPLES.requestForPlan);
  EventRequest.parse(EXAMPLES.eventRequest);
  Channel.parse(EXAMPLES.channel);
  DefinedAgent.parse(EXAMPLES.agentRequest);
  SendRequest.parse(EXAMPLES.sendRequest);
  ReplyRequest.parse(EXAMPLES.replyRequest);
  Workflow.parse(EXAMPLES.workflow);
  WorkflowRunRequest.parse(EXAMPLES.workflowRun);
  ContextPutRequest.parse(EXAMPLES.contextPut);
  ContextGrantsRequest.parse(EXAMPLES.contextGrantsRequest);
  AnswerRequest.parse(EXAMPLES.approval);
  AnswerRequest.parse(EXAMPLES.effectDone);
  for (const [schema, example] of [
    [RunAccepted, EXAMPLES.accepted],
    [RunPage, EXAMPLES.page],
    [RunView, EXAMPLES.run],
    [PlanView, EXAMPLES.plan],
    [CallList, EXAMPLES.calls],
    [CancelAccepted, EXAMPLES.cancelled],
    [QuestionList, EXAMPLES.questions],
    [AnswerAccepted, EXAMPLES.answered],
    [EventAccepted, EXAMPLES.eventAccepted],
    [KeptChannel, EXAMPLES.keptChannel],
    [ChannelList, EXAMPLES.channels],
    [Message, EXAMPLES.message],
    [MessageAccepted, EXAMPLES.messageAccepted],
    [MessagePage, EXAMPLES.messagePage],
    [WorkflowVersion, EXAMPLES.workflowVersion],
    [WorkflowList, EXAMPLES.workflows],
    [ArtifactList, EXAMPLES.artifacts],
    [EventList, EXAMPLES.events],
    [TenantBudgetView, EXAMPLES.tenantBudget],
    [WorkerList, EXAMPLES.workers],
    [AgentView, EXAMPLES.definedAgent],
    [AgentRemoved, EXAMPLES.agentRemoved],
    [ContextPage, EXAMPLES.contextPage],
    [ContextArtifactView, EXAMPLES.contextArtifact],
    [ContextDeleted, EXAMPLES.contextDeleted],
    [ContextLineage, EXAMPLES.contextLineage],
    [ContextGrants, EXAMPLES.contextGrants],
    [ContextGrantsList, EXAMPLES.contextGrantsList],
    [RunLineage, EXAMPLES.runLineage],
    [MemoryView, EXAMPLES.memory],
  ] as const) {
    expect(schema.parse(example)).toEqual(example);
  }
});

type Doc = {
  openapi: string;
  paths: Record<
    string,
    Record<
      string,
      {
        summary?: string;
        operationId?: string;
        requestBody?: { content: object };
        parameters?: { name: string; required?: boolean }[];
        responses: Record<string, { description?: string; content?: object }>;
      }
    >
  >;
  components: { schemas: Record<string, unknown> };
};

test('the document names every route with its bodies, and every reference leads somewhere', async () => {
  const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as Doc;
  expect(document.openapi).toBe('3.1.0');
  const routes = Object.entries(document.paths).flatMap(([path, each]) => Object.keys(each).map((method) => `${method} ${path}`));
  expect(routes.sort()).toEqual([
    'delete /v1/agents/{agent}/memory',
    'delete /v1/agents/{name}',
    'delete /v1/channels/{name}',
    'delete /v1/context/artifacts/{name}',
    'get /livez',
    'get /metrics',
    'get /readyz',
    'get /v1/agents',
    'get /v1/agents/{agent}/memory',
    'get /v1/agents/{name}',
    'get /v1/channels',
    'get /v1/channels/{name}',
    'get /v1/channels/{name}/messages',
    'get /v1/context',
    'get /v1/context/artifacts/{name}',
    'get /v1/context/grants',
    'get /v1/context/lineage/{name}',
    'get /v1/context/versions/{name}',
    'get /v1/questions',
    'get /v1/runs',
    'get /v1/runs/{runId}',
    'get /v1/runs/{runId}/answer',
    'get /v1/runs/{runId}/artifacts',
    'get /v1/runs/{runId}/artifacts/{name}',
    'get /v1/runs/{runId}/calls',
    'get /v1/runs/{runId}/events',
    'get /v1/runs/{runId}/lineage',
    'get /v1/runs/{runId}/plan',
    'get /v1/runs/{runId}/questions',
    'get /v1/runs/{runId}/tasks/{taskId}/thinking',
    'get /v1/tenants/{tenant}/budget',
    'get /v1/workflows',
    'get /v1/workflows/{name}',
    'post /v1/aggregations',
    'post /v1/channels/{name}/messages',
    'post /v1/channels/{name}/requests',
    'post /v1/events',
    'post /v1/runs',
    'post /v1/runs/{runId}/cancel',
    'post /v1/runs/{runId}/questions/{questionId}/answer',
    'post /v1/workflows/{name}/runs',
    'put /v1/agents/{name}',
    'put /v1/channels/{name}',
    'put /v1/context/artifacts/{name}',
    'put /v1/context/grants/{agent}',
    'put /v1/tenants/{tenant}/budget',
    'put /v1/workflows/{name}',
  ]);
  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    expect(document.components.schemas).toHaveProperty([name ?? '']);
  expect(text).not.toMatch(/\$defs|x-wildcard|x-stream/);
  for (const operation of Object.values(document.paths).flatMap((each) => Object.values(each))) {
    expect(operation.summary).toBeTruthy();
    for (const response of Object.values(operation.responses)) expect(response.description).toBeTruthy();
  }
  const start = document.paths['/v1/runs']?.['post'];
  expect(Object.keys(start?.requestBody?.content ?? {})).toEqual(['application/json', 'multipart/form-data']);
  expect(start?.responses['202']).toMatchObject({
    content: { 'application/json': { schema: { $ref: '#/components/schemas/RunAccepted' }, example: EXAMPLES.accepted } },
  });
  expect(Object.keys(document.paths['/v1/runs/{runId}/events']?.['get']?.responses['200']?.content ?? {})).toEqual([
    'text/event-stream',
    'application/json',
  ]);
  const parameters = (path: string, method: string) =>
    (document.paths[path]?.[method]?.parameters ?? []).map((each) => `${each.name}${each.required ? '!' : ''}`).sort();
  expect(parameters('/v1/runs', 'get')).toEqual(['cursor', 'limit', 'status']);
  expect(parameters('/v1/context/artifacts/{name}', 'put')).toEqual(['Idempotency-Key', 'name!']);
  expect(parameters('/v1/context/artifacts/{name}', 'delete')).toEqual(['Idempotency-Key', 'expects', 'name!']);
  expect(parameters('/v1/agents/{name}', 'delete')).toEqual(['handTo', 'name!']);
  expect(parameters('/v1/context/lineage/{name}', 'get')).toEqual(['name!', 'version']);
  expect(parameters('/v1/runs', 'post')).toEqual(['Idempotency-Key']);
  expect(parameters('/v1/runs/{runId}/questions/{questionId}/answer', 'post')).toEqual(['questionId!', 'runId!']);
  expect(parameters('/v1/runs/{runId}/events', 'get')).toEqual(['Last-Event-ID', 'after', 'limit', 'runId!']);
});

test('the page and all its parts come from here', async () => {
  const page = await fetch(`${gateway.url}/docs`);
  const html = await page.text();
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(html).not.toMatch(/https?:\/\//);
  for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
    const part = await fetch(gateway.url + path);
    expect(part.status).toBe(200);
    expect((await part.arrayBuffer()).byteLength).toBeGreaterThan(50);
  }
});
