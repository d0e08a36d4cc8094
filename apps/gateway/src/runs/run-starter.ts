/** Starts runs for HTTP callers, once for each of their keys. */
import { CadreError, type Json, type RunAccepted, type RunId, type RunRequest, type RunStatus } from '@cadre/contracts';
import { InputProblem, traceOf } from '@cadre/service-kit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HistoryClient } from '../history/history-client.js';
import { DEFAULT_TENANT } from '../tenant.js';
import { freshRunId, runIdOfKey } from './run-identity.js';
import type { IntakeOutcome, RunIntake } from './run-intake.js';
import { runLinks, runPath } from './run-links.js';

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

/** To be asked before a body is read. @throws InputProblem `invalid-request` */
export function assertKey(key: string | undefined): void {
  if (key === undefined || IDEMPOTENCY_KEY.test(key)) return;
  throw new InputProblem('invalid-request', 'The Idempotency-Key must be 1 to 200 printable ASCII characters without spaces.');
}

export class RunStarter {
  constructor(
    private readonly intake: RunIntake,
    private readonly history: HistoryClient,
  ) {}

  /**
   * Answers 202, or 200 when the same request came before with the same key.
   * @param asked what the request was made from, if that may give another one the next time
   * @throws CadreError `run-conflict`, `unavailable` (retriable)
   */
  async start(request: RunRequest, key: string | undefined, http: FastifyRequest, reply: FastifyReply, asked?: Json): Promise<RunAccepted> {
    const { shards } = this.intake;
    const runId = key === undefined ? freshRunId(shards) : runIdOfKey(DEFAULT_TENANT, key, shards);
    const outcome = await this.intake
      .start({ tenant: DEFAULT_TENANT, runId, request, trace: traceOf(http), origin: 'http', ...(asked === undefined ? {} : { asked }) })
      .catch((error: unknown) => Promise.reject(unanswered(error, runId, key)));
    if (outcome.outcome === 'rejected') throw refusal(outcome, key);
    const repeated = outcome.outcome === 'duplicate';
    void reply.status(repeated ? 200 : 202).header('location', runPath(runId));
    const status = repeated ? await this.statusOf(runId, http) : initialStatus(request);
    return { runId, status, inputs: request.inputs, links: runLinks(runId) };
  }

  /** Only for show: a repeated request is answered even while no monitor is there. */
  private async statusOf(runId: RunId, http: FastifyRequest): Promise<RunStatus> {
    try {
      return (await this.history.run(DEFAULT_TENANT, runId, traceOf(http))).status;
    } catch {
      return 'running';
    }
  }
}

function initialStatus(request: RunRequest): RunStatus {
  return request.plan === undefined ? 'planning' : 'running';
}

export function refusal({ code, message }: Extract<IntakeOutcome, { outcome: 'rejected' }>, key: string | undefined): CadreError {
  // Another tenant's run does not exist for this one.
  if (code === 'unknown-run' || code === 'forbidden')
    return new CadreError('unknown-run', 'There is no such run.', { remedy: 'see GET /v1/runs' });
  if (code === 'run-conflict' && key !== undefined) {
    return new CadreError('run-conflict', 'The Idempotency-Key was used for another request.', {
      remedy: 'send a new key for a new request',
    });
  }
  return new CadreError(code, message);
}

/** Nobody can say whether the run was stored; a caller with a key can simply ask again. */
function unanswered(error: unknown, runId: RunId, key: string | undefined): unknown {
  if (!(error instanceof CadreError) || error.code !== 'commands-unanswered') return error;
  const remedy =
    key === undefined
      ? `see whether ${runPath(runId)} exists before you send it again; with an Idempotency-Key a repetition is safe`
      : 'send the same request with the same Idempotency-Key again';
  return new CadreError('unavailable', 'No orchestrator has answered in time; the run may or may not have started.', {
    retriable: true,
    remedy,
    cause: error,
  });
}
