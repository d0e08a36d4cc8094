/**
 * One attempt on this worker, from the offer to the answered report. The agent's work can be stopped for four reasons, which differ in
 * what is told to the owner: out of time (a failure), handed back at shutdown (a release), closed from outside (nothing), and the end of
 * the process (nothing more can be told).
 */
import { failureOf, runAttempt } from '@cadre/agents';
import type { AttemptOutcome, ModelPort, Tool } from '@cadre/agents';
import { CadreError, NO_USAGE } from '@cadre/contracts';
import type { AgentDefinition, Assignment, CallRecord, HeldAttempt, Offer, TaskResult, Usage } from '@cadre/contracts';
import { CallReporter } from './call-reporter.js';
import { attemptClosed, readText, storeText } from './content.js';
import { genericTools } from './generic-tools.js';
import { OwnerLine } from './owner-line.js';
import type { OwnerAnswer } from './owner-line.js';
import type { WorkBench } from './work-bench.js';
import type { WorkEnding } from './work-meter.js';
import { Workspace } from './workspace.js';

type Product = { kind: 'completed'; result: TaskResult } | Extract<AttemptOutcome, { kind: 'failed' }>;
type Close = () => void | Promise<void>;

export class AttemptWork {
  readonly held: HeldAttempt;
  private readonly stopper = new AbortController();
  private readonly unwanted = new AbortController();
  private readonly line: OwnerLine;
  private readonly log: WorkBench['context']['log'];

  /** @param giveUp aborts when the process cannot wait for answers any longer */
  constructor(
    private readonly offer: Offer,
    private readonly agent: AgentDefinition,
    private readonly bench: WorkBench,
    giveUp: AbortSignal,
  ) {
    const { runId, taskId, attempt } = offer;
    this.held = { runId, taskId, attempt };
    this.log = bench.context.log.child(this.held);
    this.line = new OwnerLine(bench.sender, bench.workerId, offer, AbortSignal.any([giveUp, this.unwanted.signal]));
  }

  /** The attempt is closed from outside: stop, and tell nobody. */
  drop(): void {
    this.unwanted.abort();
    this.stopper.abort(attemptClosed());
  }

  /** Stop, and hand the attempt back. */
  release(): void {
    this.stopper.abort(new CadreError('released', 'The worker shuts down and hands its work back.', { retriable: true }));
  }

  /** Never rejects. */
  async run(): Promise<WorkEnding> {
    const startedAt = performance.now();
    const ending = await this.runUnmetered().catch((error: unknown): WorkEnding => {
      if (this.unwanted.signal.aborted) return 'dropped';
      this.log.error({ err: error }, 'the end of the attempt could not be told to its owner');
      return 'failed';
    });
    const tookMs = performance.now() - startedAt;
    this.bench.meter.ended(this.agent.name, ending, tookMs);
    // An attempt that another worker holds was never begun here.
    if (ending !== 'refused') this.log.info({ agent: this.agent.name, ending, tookMs: Math.round(tookMs) }, 'the attempt has ended');
    return ending;
  }

  private async runUnmetered(): Promise<WorkEnding> {
    let assignment: Assignment | undefined;
    try {
      assignment = await this.line.start();
    } catch (error) {
      if (!(error instanceof CadreError) || error.code !== 'assignment-invalid') throw error;
      return this.tellFailure(failureOf(error, 'assignment-invalid'), NO_USAGE);
    }
    if (!assignment) return 'refused';
    const { runId, taskId, attempt } = this.held;
    const attributes = { 'cadre.run': runId, 'cadre.task': taskId, 'cadre.attempt': attempt, 'gen_ai.agent.name': this.agent.name };
    const given = assignment;
    return this.bench.context.tracing.span('attempt', assignment.traceparent, attributes, (trace) => {
      this.log.info({ agent: this.agent.name, title: given.title, traceId: trace.traceId }, 'the attempt has begun');
      this.line.follow(trace.format());
      return this.work(given, trace.format());
    });
  }

  private async work(assignment: Assignment, trace: string): Promise<WorkEnding> {
    const reporter = new CallReporter((calls) => this.record(calls));
    const onCall = (record: CallRecord) => {
      this.bench.meter.call(record);
      reporter.add(record);
    };
    const closers: Close[] = [];
    const timer = this.limitTime(assignment);
    try {
      const product = await this.produce(assignment, trace, onCall, closers);
      clearTimeout(timer);
      await reporter.drain();
      return await this.report(product);
    } finally {
      clearTimeout(timer);
      for (const close of closers.reverse()) await this.closeQuietly(close);
    }
  }

  private limitTime(assignment: Assignment): NodeJS.Timeout {
    const left = assignment.deadlineAt - Date.now();
    const { maxMs } = this.agent.limits;
    const message = left <= maxMs ? "The attempt's time is up." : `No final answer within ${maxMs} ms, the agent's limit.`;
    const stop = () => this.stopper.abort(new CadreError('time-limit', message, { retriable: true }));
    return setTimeout(stop, Math.max(0, Math.min(left, maxMs)));
  }

  /** The agent's work in a workspace of its own, as a result that is ready to be told. Never rejects. */
  private async produce(assignment: Assignment, trace: string, onCall: (r: CallRecord) => void, closers: Close[]): Promise<Product> {
    const { bench, agent, stopper, offer } = this;
    let usage: Usage = NO_USAGE;
    try {
      const workspace = await Workspace.create(bench.workDir);
      closers.push(() => workspace.remove());
      await workspace.materialise(assignment.inputs, assignment.results, bench.blobs, stopper.signal);
      const environment = { assignment, agent, signal: stopper.signal, onClose: (close: Close) => void closers.push(close) };
      const outcome = await runAttempt({
        assignment,
        agent,
        model: this.tracedModel(trace),
        tools: [...genericTools(workspace), ...bench.tools(workspace, environment)].map((tool) => this.tracedTool(tool, trace)),
        clock: Date,
        onCall,
        readContent: (content) => readText(content, bench.blobs),
        ...(offer.catalogue && { catalogue: offer.catalogue }),
        signal: stopper.signal,
      });
      usage = outcome.usage;
      if (outcome.kind === 'failed') return outcome;
      return { kind: 'completed', result: await this.resultOf(outcome, workspace) };
    } catch (error) {
      this.log.warn({ err: error }, 'the attempt failed outside its agent');
      return { kind: 'failed', error: failureOf(stopper.signal.aborted ? stopper.signal.reason : error, 'attempt-failed'), usage };
    }
  }

  private async resultOf(outcome: Extract<AttemptOutcome, { kind: 'completed' }>, workspace: Workspace): Promise<TaskResult> {
    const artifacts = await workspace.collectArtifacts(this.bench.blobs);
    const answer = await storeText(outcome.answer, this.bench.blobs);
    const { confidence, usage, plan } = outcome;
    return { answer, confidence, artifacts, usage, ...(plan && { plan: { ...plan, source: 'model' as const } }) };
  }

  private async report(product: Product): Promise<WorkEnding> {
    if (this.unwanted.signal.aborted) return 'dropped';
    if (product.kind === 'completed') {
      const answer = await this.line.complete(product.result);
      if (answer.kind !== 'refused') return this.endingOf(answer, 'completed');
      const message = `The result was not accepted: ${answer.message}`.slice(0, 4000);
      return this.tellFailure({ code: 'result-refused', message, retriable: false }, product.result.usage);
    }
    if (product.error.code === 'released') return this.endingOf(await this.line.release(product.usage), 'released');
    this.log.info({ code: product.error.code, reason: product.error.message }, 'the attempt failed');
    return this.tellFailure(product.error, product.usage);
  }

  private async tellFailure(error: Extract<Product, { kind: 'failed' }>['error'], usage: Usage): Promise<WorkEnding> {
    return this.endingOf(await this.line.fail(error, usage), 'failed');
  }

  private endingOf(answer: OwnerAnswer, ending: WorkEnding): WorkEnding {
    if (answer.kind === 'refused') this.log.error({ reason: answer.message }, 'the owner did not take the end of the attempt');
    return answer.kind === 'closed' ? 'dropped' : ending;
  }

  private async record(calls: CallRecord[]): Promise<void> {
    if (this.unwanted.signal.aborted) return;
    try {
      const answer = await this.line.record(calls);
      if (answer.kind === 'closed') this.drop();
      if (answer.kind === 'refused') this.log.error({ reason: answer.message }, 'records of calls were refused');
    } catch (error) {
      if (!this.unwanted.signal.aborted) this.log.warn({ err: error }, 'records of calls could not be told');
    }
  }

  private tracedModel(trace: string): ModelPort {
    const { model, context } = this.bench;
    return {
      complete: (request, signal) =>
        context.tracing.span(
          'model call',
          trace,
          { 'gen_ai.operation.name': 'chat', ...(request.model !== undefined && { 'gen_ai.request.model': request.model }) },
          () => model.complete(request, signal),
        ),
    };
  }

  private tracedTool(tool: Tool, trace: string): Tool {
    const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool.name };
    return {
      ...tool,
      run: (args, context) => this.bench.context.tracing.span(`tool ${tool.name}`, trace, attributes, () => tool.run(args, context)),
    };
  }

  private async closeQuietly(close: Close): Promise<void> {
    try {
      await close();
    } catch (error) {
      this.log.warn({ err: error }, 'something of the attempt could not be closed');
    }
  }
}
