/**
 * An in-process HTTP server that follows the gateway's interface closely enough to test clients against: it accepts runs, plays a scripted
 * one, streams its events, and can break connections on purpose. The goal chooses the script: it ends with `fail`, `partial`, `hang` or
 * `ask`, else it completes.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AggregationRequest,
  AnswerRequest,
  type ArtifactRef,
  compareFeedPositions,
  isTerminal,
  type Problem,
  type RunLinks,
  EventRequest,
  RunRequest,
  type ThinkingTrace,
  type WorkerView,
  Workflow,
  WorkflowRunRequest,
  type WorkflowVersion,
} from '@cadre/contracts';
import { type Outcome, playRun, RunScript } from './scenario.js';

export interface StandInOptions {
  /** Time between two events of a stream. Default 0. */
  stepMs?: number;
  /** Breaks each event stream after so many events, without ending it properly. */
  breakAfter?: number;
  /** Whether `/readyz` says yes. Default true. */
  ready?: boolean;
  port?: number;
  /** So many requests to start a run are refused for the moment first. */
  busy?: number;
}

interface Received {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
}

const files: Record<string, string> = {
  'report.md': '# Report\n',
  'charts/rain.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
};

export class StandInGateway {
  readonly workflows = new Map<string, WorkflowVersion>();
  /** Requests to start a workflow. */
  readonly workflowRuns: WorkflowRunRequest[] = [];
  /** Requests to aggregate runs. */
  readonly aggregations: AggregationRequest[] = [];
  /** Requests to start a run, as they came. */
  readonly bodies: unknown[] = [];
  /** Events that were sent. */
  readonly events: EventRequest[] = [];
  /** Every request that came in. */
  readonly requests: Received[] = [];
  /** Uploaded files by name. */
  readonly uploads = new Map<string, string>();
  /** What is said to be wrong with every plan that is sent. */
  refusedPlan: { path: string; message: string } | undefined;
  workers: WorkerView[] = [];
  /** The tenant's cap. */
  capMicros: number | null = null;
  private readonly runs = new Map<string, RunScript>();
  private readonly keys = new Map<string, string>();
  private server: Server | undefined;

  private constructor(readonly options: StandInOptions) {}

  static async start(options: StandInOptions = {}): Promise<StandInGateway> {
    const gateway = new StandInGateway(options);
    await gateway.listen(options.port ?? 0);
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server?.address() as AddressInfo).port}`;
  }

  async listen(port: number): Promise<void> {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => problem(response, 500, 'internal', String(error)));
    });
    await new Promise<void>((resolve) => this.server!.listen(port, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const method = request.method ?? 'GET';
    this.requests.push({ method, path: `${url.pathname}${url.search}`, headers: request.headers });
    const [, version, kind, runId, ...rest] = url.pathname.split('/').map(decodeURIComponent);
    if (url.pathname === '/livez') return json(response, 200, { live: true });
    if (url.pathname === '/readyz')
      return json(response, this.options.ready === false ? 503 : 200, { ready: this.options.ready !== false });
    if (url.pathname === '/v1/agents') return json(response, 200, { workers: this.workers, templates: [], defined: [] });
    if (url.pathname === '/v1/tenants/default/budget') return await this.budget(method, request, response);
    if (version === 'v1' && kind === 'workflows') return await this.answerWorkflows(method, [runId, ...rest], request, response);
    if (url.pathname === '/v1/events') return await this.takeEvent(request, response);
    if (url.pathname === '/v1/aggregations') return await this.aggregate(request, response);
    if (url.pathname === '/v1/questions')
      return json(response, 200, { questions: [...this.runs.values()].flatMap(({ last }) => last.questions) });
    if (version !== 'v1' || kind !== 'runs') return problem(response, 404, 'not-found', 'There is no such page.');
    if (runId === undefined) return method === 'POST' ? await this.startRun(request, response) : this.listRuns(url, response);
    const script = this.runs.get(runId);
    if (script === undefined)
      return problem(response, 404, 'unknown-run', `There is no run ${runId}.`, 'Run `cadre runs list` for the ids.');
    if (method === 'POST' && rest[0] === 'questions') return await this.answerQuestion(script, rest[1] ?? '', request, response);
    if (method === 'POST') return this.cancel(script, response);
    await this.answerRun(script, rest, request, response);
  }

  /** One version of each is kept. */
  private async answerWorkflows(
    method: string,
    [name, what]: (string | undefined)[],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (name === undefined) {
      const workflows = [...this.workflows.values()].map(({ workflow, ...rest }) => ({ ...rest, ...workflow.metadata }));
      return json(response, 200, { workflows });
    }
    if (method === 'PUT') {
      const workflow = Workflow.parse((await readRequest(request)).request);
      const kept = { name, version: (this.workflows.get(name)?.version ?? 0) + 1, createdAt: 1_790_000_000_000, workflow };
      this.workflows.set(name, kept);
      return json(response, 201, kept);
    }
    const kept = this.workflows.get(name);
    if (!kept) return problem(response, 404, 'not-found', `There is no workflow ${JSON.stringify(name)}.`);
    if (what === 'runs') {
      const asked = WorkflowRunRequest.parse((await readRequest(request)).request);
      this.workflowRuns.push(asked);
      const { goal, options } = kept.workflow.spec;
      return this.start({ goal: asked.goal ?? goal, options }, [], request, response);
    }
    json(response, 200, kept);
  }

  private async aggregate(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = AggregationRequest.parse((await readRequest(request)).request);
    const missing = asked.runs.filter((runId) => this.runs.get(runId)?.last.answer === undefined);
    if (missing.length > 0 && !asked.partial)
      return problem(response, 422, 'unprocessable', `Not all runs have a result: ${missing.join(', ')}`);
    this.aggregations.push(asked);
    this.start({ goal: asked.goal ?? 'Aggregate', options: asked.options }, [], request, response);
  }

  private async takeEvent(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const event = EventRequest.parse((await readRequest(request)).request);
    if (this.options.busy !== undefined && this.options.busy > 0) {
      this.options.busy -= 1;
      return problem(response, 503, 'unavailable', 'The broker has not taken the event.');
    }
    this.events.push(event);
    json(response, 202, { id: event.id, source: event.source, type: event.type });
  }

  private async budget(method: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (method === 'PUT') this.capMicros = ((await readRequest(request)).request as { capMicros: number | null }).capMicros;
    const settledMicros = [...this.runs.values()].reduce((sum, { last }) => sum + last.usage.costMicros, 0);
    json(response, 200, { tenant: 'default', capMicros: this.capMicros, settledMicros, reservedMicros: 0 });
  }

  private async answerRun(script: RunScript, rest: string[], request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [what, ...name] = rest;
    if (what === undefined) return json(response, 200, script.last);
    if (what === 'events' && request.headers.accept === 'application/json') return this.pageOfEvents(script, request, response);
    if (what === 'events') return await this.streamEvents(script, request, response);
    if (what === 'answer') return void response.writeHead(200, { 'content-type': 'text/markdown' }).end(LONG_ANSWER);
    if (what === 'tasks') return this.thinkingOf(script, name, response);
    if (what === 'plan') return this.planOf(script, response);
    if (what === 'calls') return json(response, 200, { calls: script.calls, more: false });
    if (what === 'questions') return json(response, 200, { questions: script.last.questions });
    if (what === 'artifacts' && name.length === 0) {
      const { artifacts, runId } = script.last;
      return json(response, 200, { artifacts: artifacts.map((each) => ({ ...each, href: `/v1/runs/${runId}/artifacts/${each.name}` })) });
    }
    const text = files[name.join('/')];
    if (text === undefined) return problem(response, 404, 'not-found', `The run has no artifact ${name.join('/')}.`);
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(text) }).end(text);
  }

  private thinkingOf({ last: { options } }: RunScript, [taskId, part]: string[], response: ServerResponse): void {
    if (part === 'thinking' && taskId === 'analyse' && options.collectThinking) return json(response, 200, TRACE);
    problem(response, 404, 'not-found', `There is no trace of what was thought on ${taskId}.`);
  }

  private planOf({ last: { runId }, steps }: RunScript, response: ServerResponse): void {
    const added = steps.flatMap(({ event: { data } }) => (data.type === 'TasksAdded' && data.source !== 'engine' ? [data] : []));
    const [plan] = added;
    if (!plan) return problem(response, 404, 'not-found', 'The run has no plan yet.');
    json(response, 200, { runId, source: plan.source, note: 'No model was asked.', tasks: plan.tasks });
  }

  private async startRun(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readRequest(request);
    if (this.options.busy !== undefined && this.options.busy > 0) {
      this.options.busy -= 1;
      return problem(response, 503, 'commands-unanswered', 'The run could not be stored in time.');
    }
    this.bodies.push(body.request);
    const parsed = RunRequest.safeParse(body.request);
    if (!parsed.success) {
      const errors = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
      return problem(response, 400, 'invalid-request', 'The request is not valid.', 'correct the fields named under errors', errors);
    }
    if (parsed.data.plan && this.refusedPlan)
      return problem(response, 422, 'invalid-plan', 'The plan cannot be run.', 'change the tasks named under errors', [this.refusedPlan]);
    for (const [name, text] of body.files) this.uploads.set(name, text);
    this.start(parsed.data, body.files, request, response);
  }

  private start(
    { goal, options }: Pick<RunRequest, 'goal' | 'options'>,
    uploads: [string, string][],
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const key = request.headers['idempotency-key'];
    const known = typeof key === 'string' ? this.keys.get(key) : undefined;
    const runId = known ?? `r00-00000000-0000-7000-8000-${(this.runs.size + 1).toString().padStart(12, '0')}`;
    if (typeof key === 'string') this.keys.set(key, runId);
    if (known === undefined) {
      const script = new RunScript(
        runId,
        goal,
        uploads.map(([name, text]) => artifact(name, text)),
        Date.now(),
        options,
      );
      const outcome = /(fail|partial|hang|ask)$/.exec(goal)?.[1] as Outcome | undefined;
      playRun(
        script,
        outcome ?? 'complete',
        Object.entries(files).map(([name, text]) => artifact(name, text)),
      );
      this.runs.set(runId, script);
    }
    json(response, 202, { runId, status: 'planning', inputs: this.runs.get(runId)!.last.inputs, links: links(runId) });
  }

  private listRuns(url: URL, response: ServerResponse): void {
    const status = url.searchParams.get('status');
    const limit = Number(url.searchParams.get('limit') ?? 50);
    const start = Number(url.searchParams.get('cursor') ?? 0);
    const all = [...this.runs.values()].reverse().map(({ last }) => last);
    const wanted = all.filter((view) => status === null || view.status === status);
    const runs = wanted.slice(start, start + limit).map((view) => {
      const { runId, tenant, goal, status: now, createdAt, endedAt, tasksDone, tasksTotal, usage } = view;
      return { runId, tenant, goal, status: now, createdAt, ...(endedAt === undefined ? {} : { endedAt }), tasksDone, tasksTotal, usage };
    });
    json(response, 200, { runs, ...(wanted.length > start + limit ? { nextCursor: String(start + limit) } : {}) });
  }

  private cancel(script: RunScript, response: ServerResponse): void {
    if (isTerminal(script.last.status)) return problem(response, 409, 'run-ended', 'The run has already ended.');
    script.cancel('asked');
    json(response, 202, { runId: script.last.runId, status: 'cancelling', links: links(script.last.runId) });
  }

  private async answerQuestion(script: RunScript, questionId: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { choice, by } = AnswerRequest.parse((await readRequest(request)).request);
    const { runId } = script.last;
    const open = script.last.questions.find((each) => each.questionId === questionId);
    if (open === undefined) return problem(response, 404, 'unknown-question', `The run has no open question "${questionId}".`);
    if (!open.choices.includes(choice))
      return problem(response, 422, 'choice-not-allowed', `The question cannot be answered with ${choice}.`, 'choose one of approve, deny');
    script.answer(questionId, choice, by, []);
    json(response, 200, { runId, questionId, links: links(runId) });
  }

  private pageOfEvents(script: RunScript, request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? '/', 'http://stand-in').searchParams;
    const after = query.get('after') ?? '0.0';
    const limit = Number(query.get('limit') ?? 500);
    const wanted = script.steps.filter(({ position }) => compareFeedPositions(position, after) > 0);
    const page = wanted.slice(0, limit);
    const next = page.at(-1)?.position;
    json(response, 200, { events: page.map(({ event }) => event), more: wanted.length > limit, ...(next === undefined ? {} : { next }) });
  }

  private async streamEvents(script: RunScript, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const after = request.headers['last-event-id'];
    let next = 0;
    let sent = 0;
    const last = script.steps.at(-1)?.position;
    if (isTerminal(script.last.status) && last !== undefined && after === last) return void response.writeHead(204).end();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': hello\n\n');
    while (!response.destroyed) {
      const step = script.steps[next];
      if (step === undefined) {
        if (isTerminal(script.last.status)) break;
        await sleep(5);
        continue;
      }
      next += 1;
      if (typeof after === 'string' && compareFeedPositions(step.position, after) <= 0) continue;
      if (this.options.breakAfter !== undefined && sent >= this.options.breakAfter) return void response.destroy();
      await sleep(this.options.stepMs ?? 0);
      response.write(`id: ${step.position}\nevent: ${step.event.type}\ndata: ${JSON.stringify(step.event)}\n\n`);
      sent += 1;
    }
    response.end();
  }
}

/** What the answer of a run is when it is asked for by itself. */
const TRACE: ThinkingTrace = {
  ...{ style: 'critical', thinkingTokens: 120, note: 'The budget for thinking is spent.' },
  rounds: [
    {
      confidence: 0.6,
      steps: ['Read the file.', 'Fit a line.'],
      alternatives: [{ option: 'A median', whyNot: 'It hides \u001b[2Jthe trend.' }],
    },
    { confidence: 0.8, steps: [], alternatives: [], reflection: 'The unit was wrong.' },
  ],
  reasoning: [{ call: 2, text: 'Is it Kelvin?' }],
};
const LONG_ANSWER = '# Answer\n\nThe whole of a long answer.';

function links(runId: string): RunLinks {
  const self = `/v1/runs/${runId}`;
  const parts = ['events', 'calls', 'questions', 'artifacts', 'answer', 'cancel'].map((part) => [part, `${self}/${part}`]);
  return { self, ...Object.fromEntries(parts) } as RunLinks;
}

function artifact(name: string, text: string): ArtifactRef {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { name, sha256, size: Buffer.byteLength(text), mediaType: 'text/plain' };
}

/** Reads either form of the request: plain JSON, or a form with files. */
async function readRequest(request: IncomingMessage): Promise<{ request: unknown; files: [string, string][] }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const type = request.headers['content-type'] ?? '';
  const body = new Response(Buffer.concat(chunks), { headers: { 'content-type': type } });
  if (!type.startsWith('multipart/')) return { request: JSON.parse(await body.text()), files: [] };
  const form = await body.formData();
  const uploads = form.getAll('input').filter((entry) => typeof entry !== 'string');
  const read = uploads.map(async (file): Promise<[string, string]> => [file.name, await file.text()]);
  return { request: JSON.parse(String(form.get('request'))), files: await Promise.all(read) };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function problem(
  response: ServerResponse,
  status: number,
  code: string,
  detail: string,
  remedy?: string,
  errors?: Problem['errors'],
): void {
  if (response.headersSent) return void response.destroy();
  const body = { type: `urn:cadre:problem:${code}`, title: code, status, detail, code, remedy, errors };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}
