/** The plan of a run, put together from its events: the log has it once, in as many parts as it came in. */
import { CadreError, type FeedEvent, type PlanView, type RunEvent, type RunId, type TaskSpec, type TenantId } from '@cadre/contracts';
import type { TraceContext } from '@cadre/messaging';
import { positionOf } from '../feed/positions.js';
import type { HistoryClient } from '../history/history-client.js';

const PAGE = 500;

type PlanPart = Extract<RunEvent, { type: 'TasksAdded' }>;

function partIn({ data }: FeedEvent): (PlanPart & { source: PlanView['source'] }) | undefined {
  return data.type === 'TasksAdded' && data.source !== 'engine' ? { ...data, source: data.source } : undefined;
}

/** @throws CadreError `unknown-run`, `not-found` while there is none, `unavailable` (retriable) */
export async function planOf(history: HistoryClient, tenant: TenantId, runId: RunId, trace: TraceContext): Promise<PlanView> {
  const tasks: TaskSpec[] = [];
  for (let after: string | undefined; ;) {
    const { events, more } = await history.events(tenant, runId, after, PAGE, trace);
    for (const event of events) {
      const part = partIn(event);
      if (!part) continue;
      tasks.push(...part.tasks);
      if (!part.more) return { runId, source: part.source, ...(part.note === undefined ? {} : { note: part.note }), tasks };
    }
    const last = events.at(-1);
    if (!more || last === undefined) throw noPlan(runId);
    after = positionOf(last);
  }
}

function noPlan(runId: RunId): CadreError {
  return new CadreError('not-found', 'The run has no plan yet.', {
    remedy: `see /v1/runs/${runId}; when its planning has ended, ask again`,
  });
}
