/** The typed client of Cadre's HTTP interface. Works wherever `fetch` does. */
import {
  type AgentRemoved,
  type AgentView,
  type AggregationRequest,
  AnswerAccepted,
  type AnswerRequest,
  ArtifactList,
  CadreError,
  CallList,
  CancelAccepted,
  EventAccepted,
  EventList,
  type EventRequest,
  isTerminal,
  PlanView,
  QuestionList,
  type QuestionView,
  RunAccepted,
  RunPage,
  type RunStatus,
  RunView,
  TenantBudgetView,
  ThinkingTrace,
  type WorkerView,
  type Workflow,
  WorkflowList,
  type WorkflowRunRequest,
  WorkflowVersion,
} from '@cadre/contracts';
import type { z } from 'zod';
import { AgentsClient, type DefinedAgentInput } from './agents-client.js';
import { ChannelsClient } from './channels-client.js';
import { ContextClient } from './context-client.js';
import { MemoryClient } from './memory-client.js';
import { runEvents, type EventsOptions, type RunFeedItem } from './event-stream.js';
import { HttpExchange } from './http-exchange.js';
import { executeAll, type ExecuteParallelOptions, type ParallelOutcome, type Submission } from './many-runs.js';
import { form, JSON_BODY, repeated, search, type RunRequestInput, type StartRunOptions } from './request-parts.js';

export interface CadreClientOptions {
  /** Address of the gateway, for example `http://127.0.0.1:7400`. */
  baseUrl: string;
  /** Default: the global `fetch`. */
  fetch?: typeof fetch;
  /** Sent with every request. */
  headers?: Record<string, string>;
}

export type EventInput = z.input<typeof EventRequest>;
export type WorkflowInput = z.input<typeof Workflow>;
export type WorkflowRunInput = z.input<typeof WorkflowRunRequest>;
export type AggregationStrategy = z.input<typeof AggregationRequest>['combine'];
/** `combine` may be left out: then the client's strategy counts. */
export type AggregationInput = Omit<z.input<typeof AggregationRequest>, 'combine'> & { combine?: AggregationStrategy };
export type AnswerInput = z.input<typeof AnswerRequest>;

/** An agent of one's own. Three fields will do: `name`, `description`, `instructions`. */
export interface AgentInput extends Omit<DefinedAgentInput, 'template' | 'skills'> {
  name: string;
  template?: string | undefined;
  skills?: string[] | undefined;
}

export interface Health {
  live: boolean;
  ready: boolean;
  /** What `/readyz` said. */
  detail: unknown;
}

export interface ArtifactDownload {
  body: ReadableStream<Uint8Array>;
  mediaType: string;
  /** Bytes, when the gateway says so. */
  size: number | undefined;
}

interface Abortable {
  signal?: AbortSignal;
}

const run = (runId: string, rest = ''): string => `/v1/runs/${encodeURIComponent(runId)}${rest}`;

const workflowPath = (name: string): string => `/v1/workflows/${encodeURIComponent(name)}`;

const DEFAULT_TENANT = 'default';
const budgetPath = (tenant: string): string => `/v1/tenants/${encodeURIComponent(tenant)}/budget`;

/**
 * Every method throws `CadreApiError` for a refusal (code, status, remedy, faults) and `CadreError` `gateway-unreachable` or `bad-answer`.
 */
export class CadreClient {
  readonly channels: ChannelsClient;
  private readonly http: HttpExchange;
  /** Artifacts that outlive a run. */
  readonly context: ContextClient;
  /** What agents remember across tasks. */
  readonly memory: MemoryClient;
  /** Agents that are defined at run time. */
  readonly definedAgents: AgentsClient;
  private aggregation: AggregationStrategy = { by: 'summary' };

  constructor(options: CadreClientOptions) {
    // A bare reference to the global function loses its receiver in browsers.
    const send: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.http = new HttpExchange(options.baseUrl.replace(/\/+$/, ''), send, options.headers ?? {});
    this.context = new ContextClient(this.http);
    this.memory = new MemoryClient(this.http);
    this.channels = new ChannelsClient(this.http);
    this.definedAgents = new AgentsClient(this.http);
  }

  get baseUrl(): string {
    return this.http.baseUrl;
  }

  /**
   * Starts a run. Files are uploaded with the request. With an idempotency key a request that the gateway cannot answer for the moment is
   * sent again, three times at most; without one that could start a second run.
   */
  async startRun(request: RunRequestInput, options: StartRunOptions = {}): Promise<RunAccepted> {
    const { files = [], idempotencyKey, signal } = options;
    const body = JSON.stringify(request);
    return await repeated(idempotencyKey === undefined ? 0 : 3, () =>
      this.http.json('/v1/runs', RunAccepted, {
        method: 'POST',
        headers: {
          ...(files.length === 0 ? JSON_BODY : {}),
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
        body: files.length === 0 ? body : form(body, files),
        ...(signal === undefined ? {} : { signal }),
      }),
    );
  }

  /** Starts a run and waits for its end. @param request a goal alone will do @returns the run, ended well or not, as its status says */
  async execute(request: string | RunRequestInput, options: StartRunOptions = {}): Promise<RunView> {
    const asked = typeof request === 'string' ? { goal: request } : request;
    const { runId } = await this.startRun(asked, { idempotencyKey: crypto.randomUUID(), ...options });
    return await this.waitForEnd(runId, options.signal === undefined ? {} : { signal: options.signal });
  }

  /**
   * Starts many runs and waits for the end of all. One that is refused or fails holds up no other. @returns what became of each, in order
   */
  executeParallel(submissions: readonly Submission[], options: ExecuteParallelOptions = {}): Promise<ParallelOutcome[]> {
    return executeAll(this, submissions, options);
  }

  /**
   * Starts a run that puts together what others have come to; wait for it like for any other. Errors: 422 `unprocessable` naming each run
   * without a result, unless the request has `partial`, 404 `unknown-run`.
   */
  async aggregate(request: AggregationInput, options: Pick<StartRunOptions, 'idempotencyKey'> = {}): Promise<RunAccepted> {
    const headers = { ...JSON_BODY, 'idempotency-key': options.idempotencyKey ?? crypto.randomUUID() };
    const body = JSON.stringify({ combine: this.aggregation, ...request });
    return await repeated(3, () => this.http.json('/v1/aggregations', RunAccepted, { method: 'POST', headers, body }));
  }

  /** How `aggregate` puts runs together where its request does not say. Default: one summary of all. */
  setAggregationStrategy(strategy: AggregationStrategy): void {
    this.aggregation = strategy;
  }

  /**
   * Defines an agent by what it is: the template `assistant` and a skill of the agent's own name, unless it says otherwise. The same again
   * changes nothing. Errors: as `definedAgents.define`.
   */
  defineAgent({ name, template = 'assistant', skills = [name], ...definition }: AgentInput): Promise<AgentView> {
    return this.definedAgents.define(name, { template, skills, ...definition });
  }

  /** Another worker for goals to come: an agent of one's own, as by `defineAgent`. */
  addWorker(worker: AgentInput): Promise<AgentView> {
    return this.defineAgent(worker);
  }

  /** Takes a worker that was added away again; what it has begun is done by others. Errors: as `definedAgents.remove`. */
  removeWorker(name: string, options: { handTo?: string } = {}): Promise<AgentRemoved> {
    return this.definedAgents.remove(name, options);
  }

  getRun(runId: string, options: Abortable = {}): Promise<RunView> {
    return this.http.json(run(runId), RunView, options);
  }

  /** What a run is to do, as it could be sent again, with all defaults. Error: 404 `not-found` while it has no plan yet. */
  plan(runId: string, options: Abortable = {}): Promise<PlanView> {
    return this.http.json(run(runId, '/plan'), PlanView, options);
  }

  /**
   * Has a goal planned, and waits for it: a run of its own, which ends with its plan. Nothing of it is done; send the plan, changed or not,
   * with the run that is to do it, and the run's `inputs` instead of the files. Error: `planning-failed` when the run ended without a plan.
   */
  async preview(request: RunRequestInput, options: StartRunOptions = {}): Promise<{ run: RunView; plan: PlanView }> {
    const ended = await this.execute({ ...request, options: { ...request.options, planOnly: true } }, options);
    if (ended.status === 'completed') return { run: ended, plan: await this.plan(ended.runId) };
    const why = ended.error?.message ?? ended.cancelReason ?? '';
    throw new CadreError('planning-failed', `Run ${ended.runId} has ended without a plan (${ended.status})${why === '' ? '' : `: ${why}`}`);
  }

  /** Runs, newest first, one page. `nextCursor` of the answer asks for the next. */
  listRuns(query: { status?: RunStatus; limit?: number; cursor?: string } & Abortable = {}): Promise<RunPage> {
    const { signal, ...rest } = query;
    return this.http.json(`/v1/runs${search(rest)}`, RunPage, signal === undefined ? {} : { signal });
  }

  /** Asks for the end of a run. It is over when its terminal event has come. May be repeated. */
  async cancelRun(runId: string, reason?: string): Promise<CancelAccepted> {
    const body = JSON.stringify(reason === undefined ? {} : { reason });
    return await this.http.json(run(runId, '/cancel'), CancelAccepted, { method: 'POST', headers: JSON_BODY, body });
  }

  /** Open questions, oldest first: of one run, or of all. */
  async questions(runId?: string, options: Abortable = {}): Promise<QuestionView[]> {
    const path = runId === undefined ? '/v1/questions' : run(runId, '/questions');
    return (await this.http.json(path, QuestionList, options)).questions;
  }

  /**
   * Answers an open question. The same answer may be sent again; when the gateway cannot answer for the moment this is done here, three
   * times at most. Errors: 404 `unknown-question` when it is not open (any more), 422 `choice-not-allowed`.
   */
  async answerQuestion(runId: string, questionId: string, answer: AnswerInput): Promise<AnswerAccepted> {
    const path = run(runId, `/questions/${encodeURIComponent(questionId)}/answer`);
    const body = JSON.stringify(answer);
    return await repeated(3, () => this.http.json(path, AnswerAccepted, { method: 'POST', headers: JSON_BODY, body }));
  }

  /**
   * Sends an event to whoever waits for its type. Settles when it is stored; asked again here when the gateway cannot answer for the
   * moment, three times at most.
   * @param event without an `id` it gets one, so that it counts once however often it is sent
   */
  async sendEvent(event: EventInput): Promise<EventAccepted> {
    const body = JSON.stringify({ ...event, id: event.id ?? crypto.randomUUID() });
    return await repeated(3, () => this.http.json('/v1/events', EventAccepted, { method: 'POST', headers: JSON_BODY, body }));
  }

  /**
   * Keeps a definition as the next version of its workflow; the same as the newest stays that version. Errors: 400 and 422 with each fault
   * and its path.
   */
  async putWorkflow(workflow: WorkflowInput): Promise<WorkflowVersion> {
    const body = JSON.stringify(workflow);
    const path = workflowPath(workflow.metadata.name);
    return await repeated(3, () => this.http.json(path, WorkflowVersion, { method: 'PUT', headers: JSON_BODY, body }));
  }

  /** The same as `putWorkflow`. */
  defineWorkflow(workflow: WorkflowInput): Promise<WorkflowVersion> {
    return this.putWorkflow(workflow);
  }

  /** The newest version of each workflow, by name. */
  async workflows(): Promise<WorkflowList['workflows']> {
    return (await this.http.json('/v1/workflows', WorkflowList)).workflows;
  }

  /** @param version default: the newest. Error: 404 `not-found` */
  workflow(name: string, version?: number): Promise<WorkflowVersion> {
    return this.http.json(`${workflowPath(name)}${search({ version })}`, WorkflowVersion);
  }

  /** Starts a run of a workflow with parameters. Errors: 404 `not-found`, 400 that names each parameter that is missing or unknown. */
  async runWorkflow(
    name: string,
    request: WorkflowRunInput = {},
    options: Pick<StartRunOptions, 'idempotencyKey'> = {},
  ): Promise<RunAccepted> {
    const { idempotencyKey = crypto.randomUUID() } = options;
    const headers = { ...JSON_BODY, 'idempotency-key': idempotencyKey };
    const body = JSON.stringify(request);
    return await repeated(3, () => this.http.json(`${workflowPath(name)}/runs`, RunAccepted, { method: 'POST', headers, body }));
  }

  /** One page of what has happened, without waiting for more. `next` is where to go on. */
  eventPage(runId: string, query: { after?: string; limit?: number } & Abortable = {}): Promise<EventList> {
    const { signal, ...rest } = query;
    return this.http.json(`${run(runId, '/events')}${search(rest)}`, EventList, {
      headers: { accept: 'application/json' },
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** The run's events from its start (or after a position), through lost connections, until its terminal event. */
  events(runId: string, options: EventsOptions = {}): AsyncGenerator<RunFeedItem, void, undefined> {
    return runEvents(this.http, runId, options);
  }

  /** Waits for a run's end. */
  async waitForEnd(runId: string, options: Abortable = {}): Promise<RunView> {
    for await (const item of this.events(runId, options)) void item;
    return await this.endedRun(runId, options);
  }

  /**
   * The view of a run whose terminal event was seen. The read model may be some milliseconds behind the feed.
   * @returns the last view after 5 s, ended or not
   */
  async endedRun(runId: string, options: Abortable = {}): Promise<RunView> {
    const until = Date.now() + 5000;
    for (;;) {
      const view = await this.getRun(runId, options);
      if (isTerminal(view.status) || Date.now() > until) return view;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The run's model and tool calls, in order. `more`: it has made more than are listed. */
  calls(runId: string, options: Abortable = {}): Promise<CallList> {
    return this.http.json(run(runId, '/calls'), CallList, options);
  }

  async artifacts(runId: string, options: Abortable = {}): Promise<ArtifactList['artifacts']> {
    return (await this.http.json(run(runId, '/artifacts'), ArtifactList, options)).artifacts;
  }

  /** The run's whole answer, as Markdown, however long. A refusal when there is none. */
  async answer(runId: string, options: Abortable = {}): Promise<string> {
    return await (await this.http.request(run(runId, '/answer'), options)).text();
  }

  /** What the agent of a task thought on the way to its result, in a run with `collectThinking`. A refusal when there is nothing. */
  thinking(runId: string, taskId: string, options: Abortable = {}): Promise<ThinkingTrace> {
    return this.http.json(run(runId, `/tasks/${encodeURIComponent(taskId)}/thinking`), ThinkingTrace, options);
  }

  /** @param name the artifact's name, which may hold slashes: `charts/rain.svg` */
  async downloadArtifact(runId: string, name: string, options: Abortable = {}): Promise<ArtifactDownload> {
    const path = name.split('/').map(encodeURIComponent).join('/');
    const response = await this.http.request(run(runId, `/artifacts/${path}`), options);
    const length = response.headers.get('content-length');
    return {
      body: response.body ?? new Blob([]).stream(),
      mediaType: response.headers.get('content-type') ?? 'application/octet-stream',
      size: length === null ? undefined : Number(length),
    };
  }

  /** A tenant's cap and what its runs have spent. */
  tenantBudget(tenant = DEFAULT_TENANT, options: Abortable = {}): Promise<TenantBudgetView> {
    return this.http.json(budgetPath(tenant), TenantBudgetView, options);
  }

  /** Sets the cap; when this has resolved, it holds. May be repeated. @param capMicros millionths of a US dollar; null: no cap */
  setTenantBudget(capMicros: number | null, tenant = DEFAULT_TENANT): Promise<TenantBudgetView> {
    const body = JSON.stringify({ capMicros });
    return this.http.json(budgetPath(tenant), TenantBudgetView, { method: 'PUT', headers: JSON_BODY, body });
  }

  /** The workers that the gateway hears or heard of. */
  async agents(options: Abortable = {}): Promise<WorkerView[]> {
    return (await this.definedAgents.list(options)).workers;
  }

  /** @throws CadreError `gateway-unreachable` when nothing answers */
  async health(options: Abortable = {}): Promise<Health> {
    const live = await this.http.raw('/livez', options);
    await live.body?.cancel();
    const ready = await this.http.raw('/readyz', options);
    return { live: live.ok, ready: ready.ok, detail: (await ready.json().catch(() => undefined)) as unknown };
  }
}
