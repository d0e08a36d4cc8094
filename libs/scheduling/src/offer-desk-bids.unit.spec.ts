/** What an offer of a bid tells of the bidder. */
import { RunOptions, TaskSpec, makeRunId, type RunEvent } from '@cadre/contracts';
import { AgentDirectory } from './agent-directory.js';
import { OfferDesk } from './offer-desk.js';
import { OpenWork } from './open-work.js';

const RUN = makeRunId(0, '00000000-0000-7000-8000-000000000001');
const NOW = 1000;
const KEY = 'a'.repeat(32);

function desk(ids: string[], bidding: string[]) {
  const work = new OpenWork();
  const directory = new AgentDirectory(0);
  const made = new OfferDesk(work, directory, { unmatchedMs: 0 });
  let seq = 0;
  const log = (...events: RunEvent[]): void => {
    seq += 1;
    const commits = [{ runId: RUN, seq, at: NOW, cause: 'c', events }];
    work.apply({ v: 1, id: `b${seq}`, shard: 0, owner: 'o', kind: 'commits', at: NOW, commits }, NOW);
  };
  const worker = { workerId: 'w', epoch: 'e', seq: 1, at: NOW, startedAt: 1, specialty: 'x', state: 'idle' as const, slots: 4, held: [] };
  directory.hear({ ...worker, agents: [{ name: 'ann', description: 'd', skills: ['general'] }] }, NOW);
  const tasks = ids.map((id) =>
    TaskSpec.parse({ id, title: id, instructions: id, agent: 'ann', ...(bidding.includes(id) && { bid: true }) }),
  );
  const run = { tenant: 'default', goal: 'g', inputs: [], options: RunOptions.parse({}), fingerprint: 'f', deadlineAt: NOW * 1000 };
  log({ type: 'RunStarted', ...run }, { type: 'TasksAdded', source: 'submitted', tasks });
  const ready = (id: string) => log({ type: 'AttemptScheduled', taskId: id, attempt: 1, notBefore: NOW });
  const start = (id: string) =>
    log({ type: 'AttemptStarted', taskId: id, attempt: 1, agent: 'ann', workerId: 'w', deadlineAt: NOW * 1000, tools: [] });
  const offers = () => made.offers(NOW).flatMap((each) => each.offers);
  return { log, ready, start, offers };
}

const result = { answer: { text: 'x' }, confidence: 1, artifacts: [] };
const error = (code: string) => ({ code, message: 'No.', retriable: false });
const cost = { try: 1, outcome: 'done' as const, ok: true, note: '', at: NOW, durationMs: 1, inputTokens: 1, outputTokens: 1 };

test('load, past and cost of the bidder; of other work nothing', () => {
  const { log, ready, start, offers } = desk(['a', 'b', 'c', 'busy', 'bid'], ['bid']);
  for (const id of ['a', 'b', 'c', 'busy']) ready(id);
  expect(offers().every((offer) => offer.figures === undefined)).toBe(true);
  for (const id of ['a', 'b', 'c', 'busy']) start(id);
  log({ type: 'CallsSettled', taskId: 'a', attempt: 1, calls: [{ ...cost, key: KEY, costMicros: 30 }] });
  log({ type: 'TaskCompleted', taskId: 'a', attempt: 1, result });
  log({ type: 'AttemptFailed', taskId: 'b', attempt: 1, error: error('malformed-output'), counted: true });
  // What its worker or its run did says nothing of the agent.
  log({ type: 'AttemptFailed', taskId: 'c', attempt: 1, error: error('worker-lost'), counted: true });
  ready('bid');
  expect(offers()).toMatchObject([{ taskId: 'bid', figures: { load: 0.5, succeeded: 1, failed: 1, costMicros: 15 } }]);
});

test('of an agent that has done nothing yet no cost is told', () => {
  const { ready, offers } = desk(['bid'], ['bid']);
  ready('bid');
  expect(offers()[0]?.figures).toEqual({ load: 0.25, succeeded: 0, failed: 0 });
});
