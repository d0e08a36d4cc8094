/** What is answered while the history is behind the log. */
import { makeRunId, type HistoryAnswer } from '@cadre/contracts';
import { QueryDesk } from './query-desk.js';

const RUN = makeRunId(0, '00000000-0000-7000-8000-000000000001');
const GET = { type: 'GetRun', tenant: 'default', runId: RUN };
const WAITS = { type: 'GetWaits', tenant: 'default', event: 'paid' };

/** A log of two blocks; the history has as many of them as given, and comes to know the run with the second one. */
function desk(history: { seq: number }, catchUpMs = 0): QueryDesk {
  const log = { lastSeq: async () => 2 };
  const answerTo = (type: string): HistoryAnswer => {
    if (type === 'GetWaits') return { type: 'Waits', waits: [], more: false };
    return history.seq < 2 ? { type: 'NotFound' } : { type: 'Position', seq: 2 };
  };
  const store = { query: async ({ type }: { type: string }) => answerTo(type), position: async () => history.seq };
  return new QueryDesk({ store, logs: [log], catchUpMs, answerBytes: () => 1000 });
}

test('what the history does not have is unknown only when it has caught up', async () => {
  expect(await desk({ seq: 1 }).answer(GET)).toEqual({ type: 'Behind' });
  expect(await desk({ seq: 1 }).answer(WAITS)).toEqual({ type: 'Behind' });
  expect(await desk({ seq: 2 }).answer(WAITS)).toMatchObject({ type: 'Waits' });
  const elsewhere = { ...GET, runId: makeRunId(7, '00000000-0000-7000-8000-000000000001') };
  expect(await desk({ seq: 1 }).answer(elsewhere)).toEqual({ type: 'NotFound' });
});

test('it is given a while to catch up', async () => {
  const history = { seq: 1 };
  const answering = desk(history, 60_000).answer(GET);
  history.seq = 2;
  expect(await answering).toEqual({ type: 'Position', seq: 2 });
});
