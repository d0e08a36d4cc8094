/** Asks the monitors, and waits a while for one to be there. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CadreError,
  HistoryAnswer,
  SUBJECTS,
  type CallList,
  type FeedEvent,
  type FeedPosition,
  type HistoryQueryInput,
  type QuestionView,
  type RunId,
  type RunPage,
  type RunStatus,
  type RunView,
  type WaitingTask,
  type TenantBudgetView,
  type TenantId,
} from '@cadre/contracts';
import { requestJson, type TraceContext } from '@cadre/messaging';
import { InputProblem } from '@cadre/service-kit';
import type { NatsConnection } from '@nats-io/transport-node';

const RETRY_EVERY_MS = 200;
/** A monitor that ends takes questions with it unanswered: what is not answered by then is asked once more, beside the first. */
const ASK_AGAIN_MS = 3000;

export interface ListQuery {
  status?: RunStatus | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface EventPage {
  events: FeedEvent[];
  more: boolean;
}

type Answer<T extends HistoryAnswer['type']> = Extract<HistoryAnswer, { type: T }>;

/** All methods: error `unavailable` (retriable) when no monitor answers in time, or none has caught up with the log by then. */
export class HistoryClient {
  constructor(
    private readonly nats: NatsConnection,
    private readonly timeoutMs: number,
  ) {}

  async list(tenant: TenantId, { status, limit, cursor }: ListQuery, trace: TraceContext): Promise<RunPage> {
    const query = { status, limit, cursor };
    const answer = await this.ask({ type: 'ListRuns', tenant, ...withoutUndefined(query) }, 'Runs', trace);
    return answer?.page ?? { runs: [] };
  }

  /** @throws CadreError `unknown-run` */
  async run(tenant: TenantId, runId: RunId, trace: TraceContext): Promise<RunView> {
    const answer = await this.ask({ type: 'GetRun', tenant, runId }, 'Run', trace);
    return (answer ?? missing(runId)).run;
  }

  /** @throws CadreError `unknown-run` */
  async calls(tenant: TenantId, runId: RunId, trace: TraceContext): Promise<CallList> {
    const answer = await this.ask({ type: 'GetCalls', tenant, runId }, 'Calls', trace);
    const { calls, more } = answer ?? missing(runId);
    return { calls, more };
  }

  /** Open questions, oldest first. @param runId undefined: of all the tenant's runs @throws CadreError `unknown-run` */
  async questions(tenant: TenantId, runId: RunId | undefined, trace: TraceContext): Promise<QuestionView[]> {
    const answer = await this.ask({ type: 'GetQuestions', tenant, ...withoutUndefined({ runId }) }, 'Questions', trace);
    if (answer === undefined && runId !== undefined) missing(runId);
    return answer?.questions ?? [];
  }

  /** All tasks that wait for an event of this type. */
  async waits(tenant: TenantId, event: string, trace: TraceContext): Promise<WaitingTask[]> {
    const waits: WaitingTask[] = [];
    for (;;) {
      const answer = await this.ask({ type: 'GetWaits', tenant, event, ...withoutUndefined({ after: waits.at(-1) }) }, 'Waits', trace);
      waits.push(...(answer?.waits ?? []));
      if (!answer?.more) return waits;
    }
  }

  async tenantBudget(tenant: TenantId, trace: TraceContext): Promise<TenantBudgetView> {
    const answer = await this.ask({ type: 'GetTenantBudget', tenant }, 'TenantBudget', trace);
    return answer?.budget ?? { tenant, capMicros: null, settledMicros: 0, reservedMicros: 0 };
  }

  /** @param after events with later positions only @throws CadreError `unknown-run` */
  async events(tenant: TenantId, runId: RunId, after: FeedPosition | undefined, limit: number, trace: TraceContext): Promise<EventPage> {
    const answer = await this.ask({ type: 'GetEvents', tenant, runId, limit, ...withoutUndefined({ after }) }, 'Events', trace);
    const { events, more } = answer ?? missing(runId);
    return { events, more };
  }

  /** @returns undefined for `NotFound` */
  private async ask<T extends HistoryAnswer['type']>(
    query: HistoryQueryInput,
    type: T,
    trace: TraceContext,
  ): Promise<Answer<T> | undefined> {
    const answer = await this.request(query, trace);
    if (answer.type === 'NotFound') return undefined;
    if (answer.type === 'Invalid') throw new InputProblem('invalid-request', `The request is not valid: ${answer.message}`);
    if (answer.type !== type) throw new CadreError('bad-reply', `a monitor answered ${answer.type} to ${query.type}`);
    return answer as Answer<T>;
  }

  /** The first answer counts: a monitor that is only slow is still heard. */
  private async request(query: HistoryQueryInput, trace: TraceContext): Promise<HistoryAnswer> {
    const until = Date.now() + this.timeoutMs;
    const over = new AbortController();
    const first = this.requestUntil(until, query, trace);
    const again = sleep(ASK_AGAIN_MS, undefined, { signal: over.signal }).then(() => this.requestUntil(until, query, trace));
    // What fails at once is no case for asking again.
    first.catch(() => over.abort());
    try {
      return await Promise.any([first, again]);
    } catch (error) {
      throw (error as AggregateError).errors[0];
    } finally {
      over.abort();
    }
  }

  private async requestUntil(until: number, query: HistoryQueryInput, trace: TraceContext): Promise<HistoryAnswer> {
    for (;;) {
      const timeoutMs = Math.max(1, until - Date.now());
      let trouble: CadreError;
      try {
        const answer = await requestJson(this.nats, SUBJECTS.history, query, { schema: HistoryAnswer, timeoutMs, trace });
        if (answer.type !== 'Behind') return answer;
        trouble = behind();
      } catch (error) {
        if (!(error instanceof CadreError) || !error.retriable) throw error;
        trouble = unavailable(error);
      }
      if (Date.now() + RETRY_EVERY_MS >= until) throw trouble;
      await sleep(RETRY_EVERY_MS);
    }
  }
}

/** The field `key` left out where its value is undefined. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never;
}

function missing(runId: RunId): never {
  throw new CadreError('unknown-run', `There is no run ${runId}.`, { remedy: 'see GET /v1/runs for the runs there are' });
}

function behind(): CadreError {
  return new CadreError('unavailable', 'The run history is behind what has happened.', {
    retriable: true,
    remedy: 'ask again in a moment',
  });
}

function unavailable(cause: CadreError): CadreError {
  return new CadreError('unavailable', 'The run history does not answer at the moment.', {
    retriable: true,
    remedy: 'see that a monitor runs, then ask again',
    cause,
  });
}
