/** Each thing that must not happen is planted, and seen. */
import { makeRunId, type RunEvent } from '@cadre/contracts';
import { RaceLedger, type ServerCount } from './race-ledger.js';
import type { RaceCaps } from './race-rounds.js';

const [RUN, TWIN] = [0, 1].map((shard) => makeRunId(shard, '00000000-0000-4000-8000-000000000000')) as [string, string];
const KEY = 'a'.repeat(32);
const attempt = { taskId: 'a', attempt: 1 };

const added = { type: 'TasksAdded', source: 'submitted', tasks: [{ id: 'a' }] };
const started = { type: 'AttemptStarted', ...attempt, agent: 'sprinter' };
const reserved = (micros: number, number = 1, key = KEY) => ({
  type: 'CallsReserved',
  ...attempt,
  calls: [{ key, try: number, kind: 'model', name: 'm', maxCostMicros: micros }],
});
const settled = (outcome: string, costMicros: number, number = 1) => ({
  type: 'CallsSettled',
  ...attempt,
  calls: [{ key: KEY, try: number, outcome, costMicros }],
});
const refused = { type: 'CallRefused', ...attempt, key: 'b'.repeat(32), limit: 'run', then: 'stop' };
const failed = { type: 'TaskFailed', taskId: 'a', error: { code: 'budget-exceeded', message: '' } };
const completed = { type: 'TaskCompleted', ...attempt, result: {} };
const whole = [added, started, reserved(50), settled('done', 40), completed];

function folded(events: object[], caps: RaceCaps = { runMicros: 100 }, more: object[] = []): RaceLedger {
  const ledger = new RaceLedger({ kind: 'run', caps, runs: [RUN, TWIN] });
  for (const [at, event] of events.entries()) ledger.commit({ runId: RUN, at, events: [event as RunEvent] });
  for (const [at, event] of more.entries()) ledger.commit({ runId: TWIN, at, events: [event as RunEvent] });
  ledger.finish();
  return ledger;
}
const served = (count: Partial<ServerCount>): Map<string, ServerCount> =>
  new Map([[KEY, { received: 1, done: 1, costMicros: 40, outcomes: {}, ...count }]]);

test('what is as it should be', () => {
  for (const caps of [{ runMicros: 50 }, { taskMicros: 50 }, { agentMicros: { sprinter: 50 } }, { tenantMicros: 50 }]) {
    const ledger = folded(whole, caps);
    expect(ledger.compare(served({}))).toEqual({ billMicros: 40, paidMicros: 40 });
    expect(ledger.faults).toEqual([]);
    expect(Object.values(ledger.fullest)).toEqual([1]);
  }
  const retried = folded([added, started, reserved(50), settled('unknown', 50), reserved(50, 2), settled('failed', 0, 2), refused, failed]);
  retried.compare(served({ received: 2 }));
  expect(retried).toMatchObject({ faults: [], refusals: { run: 1 }, retriesAfterRefusal: 0, overCap: 0 });
});

test.each<[string, RaceCaps, object[]]>([
  ['run', { runMicros: 49 }, []],
  ['task', { taskMicros: 49 }, []],
  ['agent', { agentMicros: { sprinter: 49 } }, []],
  ['tenant', { tenantMicros: 99 }, [added, started, reserved(50, 1, 'c'.repeat(32))]],
])('over the cap of the %s', (kind, caps, more) => {
  const ledger = folded(whole, caps, more);
  expect(ledger.overCap).toBe(1);
  expect(ledger.faults).toContainEqual(expect.stringContaining(`under the cap of the ${kind}`));
});

test.each([started, reserved(1), { type: 'AttemptScheduled', taskId: 'a', attempt: 2, notBefore: 0 }, completed])(
  'something follows a refusal: %j',
  (event) => {
    expect(folded([added, started, refused, event, failed])).toMatchObject({ retriesAfterRefusal: 1 });
  },
);

test.each<[string, object[]]>([
  ['never settled', [added, started, reserved(50), completed]],
  ['while its last try was open', [added, started, reserved(10), reserved(10, 2), completed]],
  ['while its last try was done', [added, started, reserved(10), settled('done', 5), reserved(10, 2), settled('done', 5, 2), completed]],
  ['is not open', [...whole.slice(0, 4), settled('done', 40), completed]],
  ['not paid in full', [added, started, reserved(50), settled('unknown', 10), completed]],
  ['has no end', [added, started]],
  ['failed with budget-exceeded', [added, started, failed]],
])('the log has a call %s', (fault, events) => {
  expect(folded(events).faults).toContainEqual(expect.stringContaining(fault));
});

test.each<[string, Partial<ServerCount>]>([
  ['asked 2 times, 1 tries', { received: 2 }],
  ['done 2 times, and paid 1 times', { received: 2, done: 2 }],
  ['has not done it', { done: 0, costMicros: 0 }],
  ['bill is 41, 40 were settled', { costMicros: 41 }],
  ['bill is 101, the cap 100', { costMicros: 101 }],
])('the server knows better: %s', (fault, count) => {
  const ledger = folded(whole);
  ledger.compare(served(count));
  expect(ledger.faults).toContainEqual(expect.stringContaining(fault));
});
