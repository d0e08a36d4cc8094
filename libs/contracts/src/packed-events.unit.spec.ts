import type { Block, Commit, RunEvent } from './events.js';
import { packCommit, PackedEvents, unpackBlock } from './packed-events.js';

const runId = 'r00-00000000-0000-7000-8000-000000000001';
const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const cancelled = (n: number): RunEvent => ({ type: 'TaskCancelled', taskId: `t${n}` });
const scheduled = (n: number, agent?: string): RunEvent => ({
  type: 'AttemptScheduled',
  taskId: `t${n}`,
  attempt: 1,
  notBefore: 5,
  ...(agent === undefined ? {} : { agent }),
});
const commitOf = (events: RunEvent[]): Commit => ({ runId, seq: 1, at: 1, cause: 'c', events });
const blockOf = (commits: object[]): Block => ({
  v: 1,
  id: 'b',
  shard: 0,
  owner: 'o',
  kind: 'commits',
  at: 1,
  packed: true,
  commits: commits as Commit[],
});
const through = (commit: Commit): Commit => unpackBlock(JSON.parse(JSON.stringify(blockOf([packCommit(commit)!]))) as Block).commits[0]!;

test('small commits are written as they are, and blocks without the mark are left alone', () => {
  expect(packCommit(commitOf(many(63, cancelled)))).toBeUndefined();
  const { packed: _packed, ...block } = blockOf([commitOf([cancelled(1)])]);
  expect(unpackBlock(block)).toBe(block);
});

test('alike events are written together and read one by one', () => {
  const commit = commitOf([{ type: 'CancelRequested', reason: '', graceUntil: 1 }, ...many(10_000, cancelled)]);
  const packed = packCommit(commit) as { events: object[] };
  expect(packed.events).toHaveLength(2);
  expect(PackedEvents.parse(packed.events[1]).taskIds).toHaveLength(10_000);
  expect(JSON.stringify(packed).length).toBeLessThan(100_000);
  expect(through(commit)).toEqual(commit);
});

test('within a stretch of one type they are grouped, but never carried past an event of another', () => {
  const stretch = many(100, (n) => scheduled(n, n % 2 === 0 ? 'even' : 'odd'));
  const commit = commitOf([...stretch, cancelled(0), scheduled(100, 'even')]);
  expect((packCommit(commit) as { events: object[] }).events).toHaveLength(4);
  const { events } = through(commit);
  expect(events.slice(-2)).toEqual(commit.events.slice(-2));
  expect(new Set(events.slice(0, 100).map((event) => JSON.stringify(event)))).toEqual(
    new Set(stretch.map((event) => JSON.stringify(event))),
  );
});
