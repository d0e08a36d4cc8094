/** Asks a read model as a monitor is asked. */
import { HistoryAnswer, HistoryQuery, type HistoryQueryInput, type RunView } from '@cadre/contracts';
import type { HistoryStore } from '../history-store.js';

export async function ask(store: HistoryStore, query: HistoryQueryInput, bytes?: number): Promise<HistoryAnswer> {
  const answer = await store.query(HistoryQuery.parse(query), bytes === undefined ? {} : { bytes });
  return HistoryAnswer.parse(answer);
}

export async function getRun(store: HistoryStore, runId: string, tenant = 'default'): Promise<RunView> {
  const answer = await ask(store, { type: 'GetRun', tenant, runId });
  if (answer.type !== 'Run') throw new Error(`expected the run, got ${JSON.stringify(answer)}`);
  return answer.run;
}
