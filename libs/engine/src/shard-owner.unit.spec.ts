import type { Block, Command, CommandReply } from '@cadre/contracts';
import { Plan, RunOptions } from '@cadre/contracts';
import { MemoryShardLog } from '@cadre/event-log/testing';
import { decideInShard } from './decide/decide.js';
import { emptyShard, foldBlock } from './fold-shard.js';
import type { AppendOutcome, ShardLog } from './ports.js';
import { ShardOwner } from './shard-owner.js';
import type { OwnerSurroundings } from './shard-owner.js';
import type { ShardState } from './state.js';

const runId = (n: number) => `r00-00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

type StartRun = Extract<Command, { type: 'StartRun' }>;

function start(n: number, more: Partial<StartRun> = {}): StartRun {
  const options = RunOptions.parse({});
  return {
    type: 'StartRun',
    id: `start-${n}`,
    runId: runId(n),
    tenant: 'default',
    goal: `goal ${n}`,
    inputs: [],
    options,
    fingerprint: `f${n}`,
    ...more,
  };
}

/** Holds appends back until told to let them through, in order. */
class GatedLog implements Pick<ShardLog, 'append'> {
  readonly waiting: { block: Block; expectedSeq: number; json: string | undefined; go(): void; fail(error: Error): void }[] = [];
  open = false;
  constructor(readonly inner: MemoryShardLog) {}

  append(block: Block, expectedSeq: number, json?: string): Promise<AppendOutcome> {
    if (this.open || block.kind === 'claim') return this.inner.append(block, expectedSeq);
    return new Promise((resolve, reject) => {
      this.waiting.push({ block, expectedSeq, json, go: () => resolve(this.inner.append(block, expectedSeq)), fail: reject });
    });
  }
}

interface World {
  memory: MemoryShardLog;
  gate: GatedLog;
  owner: ShardOwner;
  losses: string[];
  lease: { held: boolean };
  clock: { now: number };
}

let ids = 0;

async function world(memory = new MemoryShardLog(0), more: Partial<OwnerSurroundings> = {}): Promise<World> {
  const gate = new GatedLog(memory);
  const losses: string[] = [];
  const lease = { held: true };
  const clock = { now: 1_000_000 };
  const log: ShardLog = {
    shard: memory.shard,
    lastSeq: () => memory.lastSeq(),
    append: (block, expectedSeq, json) => gate.append(block, expectedSeq, json),
    read: (afterSeq) => memory.read(afterSeq),
    tail: (afterSeq, signal) => memory.tail(afterSeq, signal),
    loadSnapshot: () => memory.loadSnapshot(),
    saveSnapshot: (snapshot) => memory.saveSnapshot(snapshot),
    trim: (uptoSeq) => memory.trim(uptoSeq),
  };
  const around: OwnerSurroundings = {
    log,
    ownerId: `owner-${(ids += 1)}`,
    now: () => clock.now,
    random: () => 0.5,
    newId: () => `block-${(ids += 1)}`,
    defer: (run) => queueMicrotask(run),
    isHeld: () => lease.held,
    onLost: (reason) => losses.push(reason),
    retentionMs: 60_000,
    ...more,
  };
  const owner = (await ShardOwner.take(around))!;
  return { memory, gate, owner, losses, lease, clock };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Watches a reply without waiting for it. */
function watch(reply: Promise<CommandReply>): { value: CommandReply | undefined } {
  const seen: { value: CommandReply | undefined } = { value: undefined };
  void reply.then((value) => (seen.value = value));
  return seen;
}

async function folded(memory: MemoryShardLog): Promise<ShardState> {
  let shard = emptyShard();
  for await (const stored of memory.read(0)) shard = foldBlock(shard, stored.block);
  return shard;
}

test('a new owner writes a claim first', async () => {
  const { memory } = await world();
  const blocks = [];
  for await (const stored of memory.read(0)) blocks.push(stored.block.kind);
  expect(blocks).toEqual(['claim']);
});

test('nothing is answered before its block is stored', async () => {
  const { owner, gate } = await world();
  const reply = watch(owner.submit(start(1)));
  await settle();
  expect(gate.waiting).toHaveLength(1);
  expect(reply.value).toBeUndefined();
  gate.waiting[0]!.go();
  await settle();
  expect(reply.value?.outcome).toBe('accepted');
});

test('commands of one tick share a block', async () => {
  const { owner, gate } = await world();
  const replies = [1, 2, 3].map((n) => watch(owner.submit(start(n))));
  await settle();
  expect(gate.waiting.map((one) => one.block.commits.length)).toEqual([3]);
  gate.waiting[0]!.go();
  await settle();
  expect(replies.map((reply) => reply.value?.outcome)).toEqual(['accepted', 'accepted', 'accepted']);
});

test('at most two blocks are in flight, and the rest share the next', async () => {
  const { owner, gate } = await world();
  for (const n of [1, 2, 3, 4]) {
    void owner.submit(start(n));
    await settle();
  }
  expect(gate.waiting.map((one) => one.expectedSeq)).toEqual([1, 2]);
  gate.waiting[0]!.go();
  await settle();
  expect(gate.waiting.map((one) => one.block.commits.length)).toEqual([1, 1, 2]);
});

test('a repeated command waits for the block of the one that it repeats', async () => {
  const { owner, gate } = await world();
  void owner.submit(start(1));
  await settle();
  const again = watch(owner.submit({ ...start(1), id: 'again' }));
  await settle();
  expect(again.value).toBeUndefined();
  gate.waiting[0]!.go();
  await settle();
  expect(again.value?.outcome).toBe('duplicate');
});

test('a fenced owner answers nothing but unavailable', async () => {
  const old = await world();
  const reply = watch(old.owner.submit(start(1)));
  await settle();
  const next = await world(old.memory);
  next.gate.open = true;
  expect((await next.owner.submit(start(2))).outcome).toBe('accepted');
  const second = watch(old.owner.submit(start(3)));
  await settle();
  for (const waiting of old.gate.waiting) waiting.go();
  await settle();
  expect(reply.value?.outcome).toBe('unavailable');
  expect(second.value?.outcome).toBe('unavailable');
  expect(old.losses).toEqual(['fenced']);
  expect((await old.owner.submit(start(4))).outcome).toBe('unavailable');
  expect(Object.keys((await folded(old.memory)).open)).toEqual([runId(2)]);
});

test('an owner whose log does not answer is lost', async () => {
  const { owner, gate, losses } = await world();
  const reply = watch(owner.submit(start(1)));
  await settle();
  gate.waiting[0]!.fail(new Error('no answer'));
  await settle();
  expect(reply.value?.outcome).toBe('unavailable');
  expect(losses).toEqual(['log-unavailable']);
});

test('an answer that rests on no block needs the lease', async () => {
  const { owner, lease } = await world();
  const ask = (): Promise<CommandReply> => owner.submit({ type: 'CancelRun', id: 'c', runId: runId(9), tenant: 'default', reason: '' });
  expect(await ask()).toMatchObject({ outcome: 'rejected', code: 'unknown-run' });
  lease.held = false;
  expect((await ask()).outcome).toBe('unavailable');
});

test('a new owner continues where the old one stopped', async () => {
  const old = await world();
  old.gate.open = true;
  await old.owner.submit(start(1));
  const next = await world(old.memory);
  next.gate.open = true;
  expect((await next.owner.submit({ ...start(1), id: 'again' })).outcome).toBe('duplicate');
  expect(await next.owner.submit({ ...start(1), id: 'other', fingerprint: 'else' })).toMatchObject({
    outcome: 'rejected',
    code: 'run-conflict',
  });
});

test('a snapshot is the fold of the stored blocks and does not change later', async () => {
  const { owner, gate, memory } = await world();
  gate.open = true;
  await owner.submit(start(1));
  const taken = (await owner.snapshot())!;
  const text = JSON.stringify(taken.state);
  expect(taken.seq).toBe(2);
  expect(taken.state).toEqual(await folded(memory));
  await owner.submit({ type: 'CancelRun', id: 'c', runId: runId(1), tenant: 'default', reason: 'enough' });
  expect(JSON.stringify(taken.state)).toBe(text);
});

test('a snapshot waits for the blocks in flight, and deciding goes on after it', async () => {
  const { owner, gate } = await world();
  void owner.submit(start(1));
  await settle();
  const taken = owner.snapshot();
  const later = watch(owner.submit(start(2)));
  await settle();
  expect(gate.waiting).toHaveLength(1);
  gate.waiting[0]!.go();
  expect((await taken)!.seq).toBe(2);
  await settle();
  gate.waiting[1]!.go();
  await settle();
  expect(later.value?.outcome).toBe('accepted');
});

test('an ended run is forgotten once a snapshot without it is saved, so that every successor has forgotten it too', async () => {
  const { owner, gate, memory, clock } = await world();
  gate.open = true;
  const again = { ...start(1), id: 'again' };
  await owner.submit(start(1));
  await owner.submit({ type: 'CancelRun', id: 'c', runId: runId(1), tenant: 'default', reason: 'enough' });
  clock.now += 100_000;
  const taken = (await owner.snapshot())!;
  expect(taken.state.ended).toEqual({});
  expect((await owner.submit(again)).outcome).toBe('duplicate');
  await memory.saveSnapshot({ seq: taken.seq, state: taken.state as never });
  owner.forget(taken.expired);
  expect((await owner.submit(again)).outcome).toBe('accepted');
  expect(Object.keys((await world(memory)).owner.state.open)).toEqual([runId(1)]);
});

test('closing answers what was taken and refuses what comes later', async () => {
  const { owner, gate } = await world();
  const reply = watch(owner.submit(start(1)));
  const closed = owner.close();
  const late = watch(owner.submit(start(2)));
  await settle();
  expect(late.value?.outcome).toBe('unavailable');
  gate.waiting[0]!.go();
  await closed;
  expect(reply.value?.outcome).toBe('accepted');
});

test('a commit that fits into no message is refused, and its neighbours are not', async () => {
  const { owner, gate, memory } = await world();
  gate.open = true;
  const task = (n: number) => ({
    id: `t${n}`,
    title: 't',
    instructions: 'x'.repeat(8000),
    skills: [],
    fallbackAgents: [],
    dependsOn: [],
    require: 'all' as const,
    priority: 'medium' as const,
    timeoutMs: 1000,
    retry: { maxAttempts: 1, backoffMs: 0, factor: 1, maxBackoffMs: 0, jitter: 0 },
  });
  const plan = { tasks: Array.from({ length: 100 }, (_, n) => task(n)) };
  const [big, small] = await Promise.all([owner.submit(start(1, { plan })), owner.submit(start(2))]);
  expect(big).toMatchObject({ outcome: 'rejected', code: 'invalid-command' });
  expect(small.outcome).toBe('accepted');
  expect(Object.keys((await folded(memory)).open)).toEqual([runId(2)]);
});

test('blocks are measured in bytes, not in characters', async () => {
  const { owner, gate } = await world();
  // Three bytes a character: each commit takes more than 15 KiB of the 512 KiB of a block.
  for (let n = 0; n < 60; n += 1) void owner.submit(start(n, { goal: '界'.repeat(5000), fingerprint: `${n}` }));
  await settle();
  for (const { block } of gate.waiting) expect(Buffer.byteLength(JSON.stringify(block.commits))).toBeLessThan(513 * 1024);
  expect(gate.waiting[0]!.block.commits.length).toBeLessThan(40);
});

test("the log gets the block's JSON with the block", async () => {
  const { owner, gate } = await world();
  for (const n of [1, 2]) void owner.submit(start(n, { goal: '"界" \\' }));
  await settle();
  const { block, json } = gate.waiting[0]!;
  expect(block.commits).toHaveLength(2);
  expect(JSON.parse(json!)).toEqual(block);
});

test('a commit of many alike events is written packed, and read as it was decided', async () => {
  const { owner, gate, memory } = await world();
  const plan = Plan.parse({ tasks: Array.from({ length: 5000 }, (_, n) => ({ id: `t${n}`, title: 't', instructions: 'x' })) });
  const tasks = plan.tasks.slice(2500);
  void owner.submit(start(1, { plan: { tasks: plan.tasks.slice(0, 2500) }, morePlan: true }));
  void owner.submit({ type: 'AddTasks', id: 'more', runId: runId(1), tenant: 'default', part: 2, tasks, last: true });
  await settle();
  gate.open = true;
  for (const waiting of gate.waiting) {
    expect(JSON.parse(waiting.json!).packed).toBe(waiting.block.commits.some((commit) => commit.events.length > 64) ? true : undefined);
    waiting.go();
  }
  await settle();
  expect(await folded(memory)).toEqual(owner.state);
  expect(Object.values(owner.state.open[runId(1)]!.tasks).filter((task) => task.status === 'ready')).toHaveLength(5000);
});

test('every command is counted once', async () => {
  const { owner, gate } = await world();
  gate.open = true;
  await Promise.all([owner.submit(start(1)), owner.submit(start(1)), owner.submit(start(1, { fingerprint: 'else' }))]);
  const { received, accepted, duplicate, rejected, unavailable } = owner.counts;
  expect([received, accepted, duplicate, rejected, unavailable]).toEqual([3, 1, 1, 1, 0]);
});

test('a command that the engine fails on is refused, and holds up nobody', async () => {
  const bugs: string[] = [];
  const { owner, gate } = await world(new MemoryShardLog(0), {
    decide: (shard, command, context) => {
      if (command.id === 'start-2') throw new RangeError('too deep');
      return decideInShard(shard, command, context);
    },
    onBug: ({ id }, cause) => bugs.push(`${id}: ${String(cause)}`),
  });
  gate.open = true;
  const replies = [1, 2, 3].map((n) => owner.submit(start(n)));
  expect((await Promise.all(replies)).map(({ outcome }) => outcome)).toEqual(['accepted', 'rejected', 'accepted']);
  expect(await replies[1]).toMatchObject({ code: 'invalid-command', message: expect.stringContaining('too deep') });
  expect(bugs).toEqual(['start-2: RangeError: too deep']);
});
