/** Hands runs to their owners, for HTTP and for events from outside alike. */
import {
  CadreError,
  type AnswerRequest,
  type CommandReply,
  type Json,
  type OutsideEvent,
  type Rejection,
  type RunId,
  type RunRequest,
  type TaskId,
  type TaskSpec,
  type TenantId,
} from '@cadre/contracts';
import type { Blobs, CommandSender } from '@cadre/engine';
import type { TraceContext } from '@cadre/messaging';
import { InputProblem, type CounterMetric, type Metrics } from '@cadre/service-kit';
import { v7 } from 'uuid';
import { planParts } from './plan-parts.js';
import { fingerprintOf } from './run-identity.js';

export interface Submission {
  tenant: TenantId;
  runId: RunId;
  request: RunRequest;
  trace: TraceContext;
  /** What repetitions are recognised by, instead of the request. */
  asked?: Json;
  /** Where it came in, for the metrics. */
  origin: 'http' | 'event' | 'clock';
}

export type IntakeOutcome = { outcome: 'accepted' } | { outcome: 'duplicate' } | { outcome: 'rejected'; code: Rejection; message: string };

export interface IntakeOptions {
  sender: CommandSender;
  blobs: Blobs;
  metrics: Metrics;
  /** Number of shards. */
  shards: number;
  /** How long to wait for an owner. */
  timeoutMs: number;
}

export class RunIntake {
  private readonly submitted: CounterMetric;

  constructor(private readonly options: IntakeOptions) {
    this.submitted = options.metrics.counter('cadre_runs_submitted_total', 'Requests to start a run', ['origin', 'outcome']);
  }

  get shards(): number {
    return this.options.shards;
  }

  /**
   * Answered after the run is stored. Errors: `commands-unanswered` (retriable; whether the run started is open), `command-too-large`.
   */
  async start({ tenant, runId, request, asked, trace, origin }: Submission): Promise<IntakeOutcome> {
    const { goal, inputs, options, plan, params } = request;
    const [first, ...more] = plan === undefined ? [] : planParts(plan.tasks);
    const reply = await this.send({
      type: 'StartRun',
      id: v7(),
      runId,
      traceparent: trace.format(),
      tenant,
      goal,
      inputs,
      options,
      ...(first === undefined ? {} : { plan: { tasks: first } }),
      ...(params === undefined ? {} : { params }),
      ...(more.length === 0 ? {} : { morePlan: true as const }),
      fingerprint: fingerprintOf(asked ?? request),
    }).catch((error: unknown) => this.unanswered(origin, error));
    let outcome = outcomeOf(reply);
    if (more.length > 0 && outcome.outcome !== 'rejected') {
      const refused = await this.addParts(tenant, runId, more, trace).catch((error: unknown) => this.unanswered(origin, error));
      outcome = refused ?? outcome;
    }
    this.submitted.inc({ origin, outcome: outcome.outcome });
    return outcome;
  }

  /**
   * One after the other. A repeated request sends them all again: those that came are recognised by their numbers.
   * @returns why the rest of the plan was refused; the run is cancelled then
   */
  private async addParts(
    tenant: TenantId,
    runId: RunId,
    parts: readonly TaskSpec[][],
    trace: TraceContext,
  ): Promise<(IntakeOutcome & { outcome: 'rejected' }) | undefined> {
    for (const [index, tasks] of parts.entries()) {
      const rest = { tenant, part: index + 2, tasks, last: index === parts.length - 1 };
      const outcome = outcomeOf(await this.send({ type: 'AddTasks', id: v7(), runId, traceparent: trace.format(), ...rest }));
      if (outcome.outcome !== 'rejected') continue;
      // It was over before the rest came: cancelled meanwhile, or finished and started again with the same key.
      if (outcome.code === 'run-ended') return undefined;
      await this.cancel(tenant, runId, `its plan could not be stored: ${outcome.message}`.slice(0, 1000), trace);
      return outcome;
    }
    return undefined;
  }

  private unanswered(origin: Submission['origin'], error: unknown): never {
    this.submitted.inc({ origin, outcome: 'unanswered' });
    throw error;
  }

  async cancel(tenant: TenantId, runId: RunId, reason: string, trace: TraceContext): Promise<IntakeOutcome> {
    return outcomeOf(await this.send({ type: 'CancelRun', id: v7(), runId, traceparent: trace.format(), tenant, reason }));
  }

  /** An answer to an open question. Errors: `commands-unanswered` (retriable; a repetition does no harm). */
  async answer(tenant: TenantId, runId: RunId, questionId: string, given: AnswerRequest, trace: TraceContext): Promise<IntakeOutcome> {
    const command = { type: 'AnswerQuestion', id: v7(), runId, traceparent: trace.format(), tenant, questionId, ...given } as const;
    return outcomeOf(await this.send(command));
  }

  /** An event for a task that waits for it. Errors: `commands-unanswered` (retriable; a repetition does no harm). */
  async wake(runId: RunId, taskId: TaskId, event: OutsideEvent, trace: TraceContext): Promise<IntakeOutcome> {
    return outcomeOf(await this.send({ type: 'WakeTask', id: v7(), runId, traceparent: trace.format(), taskId, event }));
  }

  /**
   * Inputs that a request names without bringing them must be there. Errors: `unprocessable` naming each that is not.
   */
  async assertInputsStored(request: RunRequest): Promise<void> {
    const missing: { path: string; message: string }[] = [];
    for (const [i, input] of request.inputs.entries()) {
      try {
        const bytes = await this.options.blobs.get(input);
        if (bytes.length !== input.size) missing.push({ path: `inputs[${i}].size`, message: `the content has ${bytes.length} bytes` });
      } catch (error) {
        if (!(error instanceof CadreError) || error.code !== 'blob-missing') throw error;
        missing.push({ path: `inputs[${i}].sha256`, message: 'no content with this digest was uploaded' });
      }
    }
    if (missing.length === 0) return;
    throw new InputProblem(
      'unprocessable',
      `Some inputs cannot be used: ${missing.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
      {
        errors: missing,
        remedy: 'upload the files with the request (multipart/form-data, field input)',
      },
    );
  }

  private async send(command: Parameters<CommandSender['send']>[0][number]): Promise<CommandReply> {
    const [reply] = await this.options.sender.send([command], AbortSignal.timeout(this.options.timeoutMs));
    if (!reply) throw new CadreError('internal', 'a command was sent and no reply came with the answer');
    return reply;
  }
}

function outcomeOf(reply: CommandReply): IntakeOutcome {
  if (reply.outcome === 'rejected') return { outcome: 'rejected', code: reply.code, message: reply.message };
  return { outcome: reply.outcome === 'duplicate' ? 'duplicate' : 'accepted' };
}
