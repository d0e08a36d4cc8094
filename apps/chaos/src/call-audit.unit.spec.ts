import type { Commit, RunEvent } from '@cadre/contracts';
import { auditCalls } from './call-audit.js';
import type { WitnessedCall } from './outside-world.js';

const RUN = 'r00-00000000-0000-7000-8000-000000000001';
const key = (digit: number): string => String(digit).repeat(32);

function commits(...events: object[]): Commit[] {
  return events.map((event, index) => ({ runId: RUN, seq: index + 1, at: index, cause: 'c', events: [event as RunEvent] }));
}
const reserved = (digit: number) => ({ type: 'CallsReserved', taskId: 't', attempt: 1, calls: [{ key: key(digit) }] });
const settled = (digit: number, outcome: string) => ({
  type: 'CallsSettled',
  taskId: 't',
  attempt: 1,
  calls: [{ key: key(digit), outcome }],
});
const seen = (digit: number, name: string, effect: WitnessedCall['effect'], times = 1): WitnessedCall => {
  return { key: key(digit), name, effect, times, runId: RUN, taskId: 't' };
};

test('each call once, on record: nothing to say', () => {
  const log = commits(reserved(1), settled(1, 'done'), reserved(2), settled(2, 'done'));
  expect(auditCalls(log, new Map([[key(1), 1]]), [seen(2, 'strike', 'once')])).toEqual({
    ...{ callsRepeated: 0, unrecordedRepeated: 0, effectsRepeated: 0, faults: [] },
  });
});

test('a call made again because the answer of the first was not recorded is counted, billed and no fault', () => {
  const log = commits(reserved(1), settled(1, 'unknown'), reserved(1), settled(1, 'done'));
  expect(auditCalls(log, new Map([[key(1), 2]]), [])).toMatchObject({ callsRepeated: 0, unrecordedRepeated: 1, faults: [] });
});

test('a call made again though its answer was recorded is found', () => {
  const log = commits(reserved(1), settled(1, 'done'));
  const { callsRepeated, faults } = auditCalls(log, new Map([[key(1), 2]]), []);
  expect(callsRepeated).toBe(1);
  expect(faults.join('\n')).toMatch(/made 2 times and reserved 1 times[\s\S]*made 2 times and paid 1 times[\s\S]*repeated though/);
});

test('a call that nobody reserved is found', () => {
  expect(auditCalls([], new Map([[key(1), 1]]), []).faults).toEqual([`model call ${key(1)} was made and is not in the log`]);
});

test('an effect that happened twice is found, under one key or two', () => {
  const log = commits(reserved(1), settled(1, 'unknown'), reserved(1), settled(1, 'done'), reserved(2), settled(2, 'done'));
  expect(auditCalls(log, new Map(), [seen(1, 'strike', 'once', 2)]).effectsRepeated).toBe(1);
  expect(auditCalls(log, new Map(), [seen(1, 'mark', 'idempotent'), seen(2, 'mark', 'idempotent')]).effectsRepeated).toBe(1);
  expect(auditCalls(log, new Map(), [seen(1, 'mark', 'idempotent', 2)]).effectsRepeated).toBe(0);
});

test('an effect that is missing though its task is done is found', () => {
  const log = commits({ type: 'AttemptStarted', taskId: 't', agent: 'striker' }, { type: 'TaskCompleted', taskId: 't', attempt: 1 });
  expect(auditCalls(log, new Map(), []).faults).toContain(`strike of ${RUN}/t never happened`);
});
