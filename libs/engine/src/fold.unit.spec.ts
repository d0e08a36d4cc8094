import type { Block, Commit } from '@cadre/contracts';
import { evolve, foldCommit } from './evolve.js';
import { emptyShard, foldBlock, pruneEnded } from './fold-shard.js';
import { EngineRig, RUN_ID, task } from './testing/engine-rig.js';

const OTHER = 'r00-00000000-0000-7000-8000-000000000002';

function story(): EngineRig {
  const rig = new EngineRig();
  rig.start([task('a'), task('b', { dependsOn: ['a'] })], { summarize: false });
  rig.complete('a');
  return rig;
}

test('a snapshot is the JSON of the state, and folding goes on from it', () => {
  const rig = story();
  const middle = JSON.parse(JSON.stringify(rig.shard));
  expect(middle).toEqual(rig.shard);
  const taken = rig.blocks.length;
  rig.complete('b');
  const resumed = rig.blocks.slice(taken).reduce((shard, { block }) => foldBlock(shard, block), middle);
  expect(resumed).toEqual(rig.shard);
  const scratch = rig.blocks.reduce((shard, { block }) => foldBlock(shard, block), emptyShard());
  expect(scratch).toEqual(rig.shard);
});

test('a run that has ended leaves its fingerprint for the retention time', () => {
  const rig = story();
  rig.complete('b');
  expect(rig.shard).toEqual({
    open: {},
    ended: { [RUN_ID]: { fingerprint: 'f1', tenant: 'default', status: 'completed', endedAt: rig.now } },
    accounts: {},
  });
  expect(pruneEnded(rig.shard, rig.now + 1000, 1000).ended).toHaveProperty(RUN_ID);
  expect(pruneEnded(rig.shard, rig.now + 1001, 1000).ended).toEqual({});
});

test('claims change nothing', () => {
  const block: Block = { v: 1, id: 'b', shard: 0, owner: 'o', kind: 'claim', at: 1, commits: [] };
  expect(foldBlock(emptyShard(), block)).toEqual(emptyShard());
});

test('a log with a gap, a repeated commit or a commit after the end is refused', () => {
  const rig = story();
  const commits = rig.blocks.map(({ block }) => block.commits[0] as Commit);
  const [first, second] = commits as [Commit, Commit];
  const code = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  expect(code(() => foldCommit(undefined, second))).toBe('log-corrupt');
  expect(code(() => foldCommit(foldCommit(undefined, first), first))).toBe('log-corrupt');
  expect(code(() => foldCommit(undefined, { ...second, seq: 1 }))).toBe('log-corrupt');
  expect(code(() => foldCommit(undefined, { ...first, events: [...first.events, ...first.events] }))).toBe('log-corrupt');
  expect(code(() => evolve(undefined, { type: 'CancelRequested', reason: '', graceUntil: 1 }, 1, OTHER))).toBe('log-corrupt');
  rig.complete('b');
  const after: Block = { ...rig.blocks[1]!.block, commits: [{ ...second, seq: rig.run().seq + 1 }] };
  expect(code(() => foldBlock(rig.shard, after))).toBe('log-corrupt');
});

test('ten thousand tasks and many commits fold fast', () => {
  const specs = Array.from({ length: 10_000 }, (_, i) => task(`t${i}`));
  const rig = new EngineRig();
  rig.start([task('seed')], { summarize: false });
  const [start] = rig.blocks[0]!.block.commits as [Commit];
  const [started, added] = start.events;
  if (started?.type !== 'RunStarted' || added?.type !== 'TasksAdded') throw new Error('unexpected');
  const [seed] = added.tasks;
  const tasks = specs.map(({ id }) => ({ ...seed!, id }));
  const commits: Commit[] = [{ ...start, events: [started, { ...added, tasks }] }];
  for (let i = 0; i < 20_000; i += 1) {
    const taskId = `t${i % 10_000}`;
    commits.push({ ...start, seq: i + 2, events: [{ type: 'AttemptScheduled', taskId, attempt: 1, notBefore: 0 }] });
  }
  const before = performance.now();
  const run = commits.reduce<ReturnType<typeof foldCommit> | undefined>(foldCommit, undefined);
  expect(run?.seq).toBe(20_001);
  expect(performance.now() - before).toBeLessThan(15_000);
});
