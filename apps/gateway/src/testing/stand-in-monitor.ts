/** A monitor without a database: keeps views and events in memory, answers queries and publishes the feed. */
import {
  HistoryQuery,
  NO_USAGE,
  SUBJECTS,
  compareFeedPositions,
  toFeedEvents,
  type FeedEvent,
  type HistoryAnswer,
  type QuestionView,
  type RunEvent,
  type RunView,
  type StartRun,
  type TenantBudgetView,
} from '@cadre/contracts';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { positionOf } from '../feed/positions.js';

const TERMINAL: Partial<Record<RunEvent['type'], RunView['status']>> = {
  RunCompleted: 'completed',
  RunFailed: 'failed',
  RunCancelled: 'cancelled',
};

export class StandInMonitor {
  readonly runs = new Map<string, RunView>();
  readonly queries: HistoryQuery[] = [];
  /** Tasks that wait for events, of every tenant. */
  readonly waits: { event: string; runId: string; taskId: string }[] = [];
  /** Of every tenant. */
  budget: TenantBudgetView = { tenant: 'default', capMicros: null, settledMicros: 0, reservedMicros: 0 };
  private readonly archive = new Map<string, FeedEvent[]>();
  private subscription: Subscription | undefined;

  constructor(private readonly nats: NatsConnection) {}

  start(): void {
    this.subscription = this.nats.subscribe(SUBJECTS.history, {
      callback: (_error, message) => void message.respond(JSON.stringify(this.answer(HistoryQuery.parse(message.json())))),
    });
  }

  stop(): void {
    this.subscription?.unsubscribe();
    this.subscription = undefined;
  }

  /** A run that has just started. */
  add(start: StartRun): void {
    const { runId, tenant, goal, options, inputs } = start;
    const at = Date.now();
    const figures = { tasksDone: 0, tasksTotal: 0, usage: NO_USAGE, seq: 0, tasks: [], artifacts: [], reservedMicros: 0, questions: [] };
    this.runs.set(runId, { runId, tenant, goal, options, inputs, status: 'running', createdAt: at, deadlineAt: at + 1000, ...figures });
    this.archive.set(runId, []);
  }

  /** Archives one commit and publishes its events; `stream: false` as if the stream had dropped them by age. */
  async commit(runId: string, events: RunEvent[], { stream = true, repeat = false } = {}): Promise<void> {
    const run = this.need(runId);
    if (!repeat) run.seq += 1;
    const feed = toFeedEvents(run.tenant, { runId, seq: run.seq, at: Date.now(), cause: 'test', events });
    if (!repeat) this.archive.get(runId)?.push(...feed);
    for (const event of events) {
      const status = TERMINAL[event.type];
      if (status) Object.assign(run, { status, endedAt: Date.now() });
      if (event.type === 'RunCompleted') Object.assign(run, { answer: event.answer, artifacts: event.artifacts });
    }
    if (!stream) return;
    for (const event of feed) await jetstream(this.nats).publish(SUBJECTS.events(run.tenant, runId), JSON.stringify(event));
  }

  /** A question that the run's task asks now. */
  ask(runId: string, question: Omit<QuestionView, 'runId' | 'askedAt' | 'taskTitle' | 'dueAt' | 'text'>): void {
    const at = Date.now();
    const view = { ...question, runId, askedAt: at, dueAt: at + 60_000, taskTitle: 'The task', text: 'May it?' };
    this.need(runId).questions.push(view);
  }

  private need(runId: string): RunView {
    const run = this.runs.get(runId);
    if (!run) throw new Error(`no run ${runId}`);
    return run;
  }

  private answer(query: HistoryQuery): HistoryAnswer {
    this.queries.push(query);
    if (query.type === 'ListRuns') return this.list(query);
    if (query.type === 'GetPosition') return { type: 'Position', seq: 0 };
    if (query.type === 'GetTenantBudget') return { type: 'TenantBudget', budget: this.budget };
    if (query.type === 'GetWaits') {
      const waits = this.waits.filter(({ event }) => event === query.event).map(({ runId, taskId }) => ({ runId, taskId }));
      // One at a time, so that the gateway has to ask on.
      const next = waits.findIndex(({ runId, taskId }) => runId === query.after?.runId && taskId === query.after.taskId) + 1;
      return { type: 'Waits', waits: waits.slice(next, next + 1), more: next + 1 < waits.length };
    }
    if (query.type === 'GetQuestions' && query.runId === undefined) {
      const ours = [...this.runs.values()].filter(({ tenant }) => tenant === query.tenant);
      return { type: 'Questions', questions: ours.flatMap(({ questions }) => questions) };
    }
    const run = this.runs.get(query.runId ?? '');
    if (!run || run.tenant !== query.tenant) return { type: 'NotFound' };
    if (query.type === 'GetRun') return { type: 'Run', run };
    if (query.type === 'GetCalls') return { type: 'Calls', calls: [], more: false };
    if (query.type === 'GetQuestions') return { type: 'Questions', questions: run.questions };
    const { after, limit } = query;
    const events = (this.archive.get(query.runId) ?? []).filter((event) => !after || compareFeedPositions(positionOf(event), after) > 0);
    return { type: 'Events', events: events.slice(0, limit), more: events.length > limit };
  }

  private list({ status, limit, cursor }: Extract<HistoryQuery, { type: 'ListRuns' }>): HistoryAnswer {
    if (cursor !== undefined && !/^\d+$/.test(cursor)) return { type: 'Invalid', message: 'the cursor is not one of ours' };
    const all = [...this.runs.values()].filter((run) => status === undefined || run.status === status).reverse();
    const from = Number(cursor ?? 0);
    const runs = all.slice(from, from + limit).map(({ runId, tenant, goal, status: is, createdAt, tasksDone, tasksTotal, usage }) => {
      return { runId, tenant, goal, status: is, createdAt, tasksDone, tasksTotal, usage };
    });
    return { type: 'Runs', page: { runs, ...(from + limit < all.length ? { nextCursor: String(from + limit) } : {}) } };
  }
}
