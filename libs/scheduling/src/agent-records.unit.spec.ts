import { makeRunId, type Block, type Commit, type RunEvent } from '@cadre/contracts';
import { AgentRecords } from './agent-records.js';

const RUN = makeRunId(0, '00000000-0000-7000-8000-000000000001');
let seq = 0;
const apply = (records: AgentRecords, ...events: object[]): void => {
  const commit: Commit = { runId: RUN, seq: (seq += 1), at: 1, cause: `c${seq}`, events: events as RunEvent[] };
  records.apply({ v: 1, id: `b${seq}`, shard: 0, owner: 'o', kind: 'commits', at: 1, commits: [commit] } as Block);
};
const began = (taskId: string) => ({
  type: 'AttemptStarted',
  taskId,
  attempt: 1,
  agent: 'writer',
  workerId: 'w',
  deadlineAt: 9,
  tools: [],
});
const billed = (taskId: string, costMicros: number) => ({ type: 'CallsSettled', taskId, attempt: 1, calls: [{ costMicros }] });

test('successes, failures that are its own, and what its work costs on average', () => {
  const records = new AgentRecords();
  apply(records, began('a'), began('b'), began('c'), billed('a', 30), billed('b', 10));
  apply(records, { type: 'TaskCompleted', taskId: 'a', attempt: 1, result: {} });
  apply(records, { type: 'AttemptFailed', taskId: 'b', attempt: 1, counted: true, error: { code: 'malformed-output' } });
  apply(records, { type: 'AttemptFailed', taskId: 'c', attempt: 1, counted: false, error: { code: 'attempt-released' } });
  expect(records.of('writer')).toEqual({ succeeded: 1, failed: 1, costMicros: 20 });
  expect(records.of('other')).toEqual({ succeeded: 0, failed: 0 });
  expect(records.runs).toBe(0);
});

test.each(['RunCompleted', 'RunFailed', 'RunCancelled'])('%s: attempts that it leaves open are not kept', (type) => {
  const records = new AgentRecords();
  apply(records, began('a'), began('b'));
  expect(records.runs).toBe(1);
  apply(records, { type });
  expect(records.runs).toBe(0);
});
