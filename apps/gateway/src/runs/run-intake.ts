/** Hands runs to their owners, for HTTP and for events from outside alike. */
import { CadreError, type CommandReply, type Rejection, type RunId, type RunRequest, type TenantId } from '@cadre/contracts';
import type { Blobs, CommandSender } from '@cadre/engine';
import type { TraceContext } from '@cadre/messaging';
import { InputProblem, type CounterMetric, type Metrics } from '@cadre/service-kit';
import { v7 } from 'uuid';
import { fingerprintOf } from './run-identity.js';

export interface Submission {
  tenant: TenantId;
  runId: RunId;
  request: RunRequest;
  trace: TraceContext;
  /** Where it came in, for the metrics. */
  origin: 'http' | 'event';
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
  async start({ tenant, runId, request, trace, origin }: Submission): Promise<IntakeOutcome> {
    const { goal, inputs, options, plan } = request;
    const reply = await this.send({
      type: 'StartRun',
      id: v7(),
      runId,
      traceparent: trace.format(),
      tenant,
      goal,
      inputs,
      options,
      ...(plan === undefined ? {} : { plan }),
      fingerprint: fingerprintOf(request),
    }).catch((error: unknown) => {
      this.submitted.inc({ origin, outcome: 'unanswered' });
      throw error;
    });
    this.submitted.inc({ origin, outcome: reply.outcome });
    return outcomeOf(reply);
  }

  async cancel(tenant: TenantId, runId: RunId, reason: string, trace: TraceContext): Promise<IntakeOutcome> {
    return outcomeOf(await this.send({ type: 'CancelRun', id: v7(), runId, traceparent: trace.format(), tenant, reason }));
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
