/** Limits and shares, counted over what runs, what is on its way and what was taken from a leader before. */
import { RunOptions, TaskSpec, makeRunId, type AgentSummary, type RunEvent } from '@cadre/contracts';
import { emptyShard, foldBlock } from '@cadre/engine';
import { AgentDirectory } from './agent-directory.js';
import { OfferDesk, type DeskTiming } from './offer-desk.js';
import { OpenWork } from './open-work.js';

const runOf = (n: number) => makeRunId(0, `00000000-0000-7000-8000-${n.toString().padStart(12, '0')}`);

function rig(timing: Partial<DeskTiming> = {}) {
  const state = emptyShard();
  const work = new OpenWork();
  const directory = new AgentDirectory(0);
  const desk = new OfferDesk(work, directory, timing);
  const seqs = new Map<string, number>();
  let beats = 0;
  const self = {
    now: 1000,
    ...{ desk, work, state },
    log(runId: string, ...events: RunEvent[]): void {
      const seq = (seqs.get(runId) ?? 0) + 1;
      seqs.set(runId, seq);
      const commits = [{ runId, seq, at: self.now, cause: 'c', events }];
      const block = { v: 1 as const, id: `b${runId}${seq}`, shard: 0, owner: 'o', kind: 'commits' as const, at: self.now, commits };
      foldBlock(state, block);
      work.apply(block, self.now);
    },
    run(n: number, tenant: string, tasks: number, maxParallel?: number): void {
      const options = RunOptions.parse({ ...(maxParallel !== undefined && { maxParallel }) });
      const specs = Array.from({ length: tasks }, (_, i) => TaskSpec.parse({ id: `t${i}`, title: 't', instructions: 'i' }));
      self.log(
        runOf(n),
        { type: 'RunStarted', tenant, goal: 'g', inputs: [], options, fingerprint: 'f', deadlineAt: 900_000 },
        { type: 'TasksAdded', source: 'submitted', tasks: specs },
        ...specs.map(({ id }) => ({ type: 'AttemptScheduled' as const, taskId: id, attempt: 1, notBefore: self.now })),
      );
    },
    start(n: number, ...tasks: string[]): void {
      const rest = { attempt: 1, agent: 'generalist', workerId: 'w', deadlineAt: 900_000, tools: [] };
      for (const taskId of tasks) self.log(runOf(n), { type: 'AttemptStarted', taskId, ...rest });
    },
    complete(n: number, taskId: string): void {
      const result = { answer: { text: '' }, confidence: 1, artifacts: [] };
      self.log(runOf(n), { type: 'TaskCompleted', taskId, attempt: 1, result });
    },
    beat(slots: number, change: Partial<AgentSummary> = {}, held: string[] = [], workerId = 'w'): void {
      const agents = [{ name: 'generalist', description: 'g', skills: ['general'], ...change }];
      const life = { epoch: 'e', at: self.now, startedAt: 1, specialty: 'x', state: 'idle' as const };
      const attempts = held.map((taskId) => ({ runId: runOf(1), taskId, attempt: 1 }));
      directory.hear({ workerId, seq: (beats += 1), slots, agents, held: attempts, ...life }, self.now);
    },
    /** @returns run and task of each offer, as in `1 t0` */
    offered: () =>
      desk.offers(self.now).flatMap(({ offers }) => offers.map(({ runId, taskId }) => `${Number(runId.slice(-12))} ${taskId}`)),
  };
  return self;
}

test('a run with a limit has no more at work, offered and running together, and goes on as its attempts end', () => {
  const it = rig();
  it.run(1, 'default', 6, 2);
  it.beat(10);
  expect(it.offered()).toEqual(['1 t0', '1 t1']);
  expect(it.offered()).toEqual([]);
  it.start(1, 't0', 't1');
  expect(it.offered()).toEqual([]);
  it.complete(1, 't0');
  expect(it.offered()).toEqual(['1 t2']);
});

test('a limit survives the snapshot, and what a leader before offered counts', () => {
  const it = rig();
  it.run(1, 'default', 6, 3);
  it.start(1, 't0');
  const work = new OpenWork();
  work.reset(0, it.state, it.now);
  const directory = new AgentDirectory(0);
  const agents = [{ name: 'generalist', description: 'g', skills: ['general'] }];
  const held = ['t0', 't1'].map((taskId) => ({ runId: runOf(1), taskId, attempt: 1 }));
  const beat = { workerId: 'w', epoch: 'e', seq: 1, at: 1, startedAt: 1, specialty: 'x', state: 'idle' as const, slots: 9, agents, held };
  directory.hear(beat, it.now);
  const offers = new OfferDesk(work, directory).offers(it.now).flatMap((entry) => entry.offers.map(({ taskId }) => taskId));
  expect(offers).toHaveLength(1);
});

test('an agent that says how much it can take gets no more over all its workers; those that disagree get the least', () => {
  const it = rig();
  it.run(1, 'default', 9);
  it.beat(5, { maxParallel: 4 });
  it.beat(5, { maxParallel: 3 }, [], 'v');
  expect(it.offered()).toHaveLength(3);
  it.start(1, 't0', 't1', 't2');
  expect(it.offered()).toEqual([]);
  it.complete(1, 't1');
  expect(it.offered()).toHaveLength(1);
});

test('tenants share the slots, each within its limit', () => {
  const it = rig({ tenantSlots: { each: 4, of: { big: 5 }, kept: { percent: 0, forMs: 0 } } });
  it.run(1, 'big', 50);
  it.run(2, 'small', 2);
  it.run(3, 'other', 50);
  it.beat(20);
  const offered = it.offered().map((each) => each[0]);
  expect([...offered].sort().join('')).toBe('11111223333');
  expect(offered.slice(0, 3).sort()).toEqual(['1', '2', '3']);
});

test('a tenant that comes later gets every slot that becomes free, until it has as much as the one that has filled them all', () => {
  const it = rig({ aheadMs: 0 });
  it.run(1, 'big', 50);
  it.beat(4);
  it.start(1, ...it.offered().map((each) => each.slice(2)));
  it.now += 60_000; // What waits has grown old.
  it.run(2, 'small', 10);
  it.beat(4, {}, ['t0', 't1', 't2', 't3']);
  const next: string[] = [];
  for (const taskId of ['t0', 't1', 't2']) {
    it.complete(1, taskId);
    const offers = it.offered();
    next.push(...offers);
    for (const each of offers) it.start(Number(each[0]), each.slice(2));
  }
  expect(next.map((each) => each[0]).join('')).toBe('221');
});

describe('slots that are kept for others', () => {
  /** How many attempts of each run were offered. */
  const counts = (offered: string[]) => {
    const runs: Record<string, number> = {};
    for (const each of offered) runs[each.split(' ')[0]!] = (runs[each.split(' ')[0]!] ?? 0) + 1;
    return runs;
  };

  test('a tenant that is alone gets all slots; one that is not leaves a tenth, which others get at once', () => {
    const alone = rig();
    alone.run(1, 'big', 50);
    alone.beat(20);
    expect(counts(alone.offered())).toEqual({ 1: 20 });

    const it = rig();
    it.run(2, 'small', 1);
    it.run(1, 'big', 50);
    it.beat(20);
    expect(counts(it.offered())).toEqual({ 1: 18, 2: 1 });
    it.run(3, 'small', 5);
    expect(counts(it.offered())).toEqual({ 3: 1 });
  });

  test('they are free again some time after the others were heard of last', () => {
    const it = rig({ tenantSlots: { of: {}, kept: { percent: 10, forMs: 60_000 } } });
    it.run(2, 'small', 1);
    it.run(1, 'big', 50);
    it.beat(20);
    expect(it.offered()).toHaveLength(19);
    it.start(2, 't0');
    it.complete(2, 't0');
    it.now += 60_001;
    it.beat(20);
    it.start(1, ...Array.from({ length: 18 }, (_, n) => `t${n}`));
    expect(counts(it.offered())).toEqual({ 1: 2 });
  });

  test('of all slots for a kind of work together; of fewer than ten none is kept', () => {
    const it = rig();
    it.run(2, 'small', 1);
    it.run(1, 'big', 50);
    for (const id of ['u', 'v', 'w']) it.beat(5, {}, [], id);
    expect(counts(it.offered())).toEqual({ 1: 14, 2: 1 });
    const few = rig();
    few.run(2, 'small', 1);
    few.run(1, 'big', 50);
    few.beat(9);
    expect(counts(few.offered())).toEqual({ 1: 8, 2: 1 });
  });

  test('what was offered, is running and is held by workers counts alike, after a failover too', () => {
    const it = rig();
    it.run(2, 'small', 1);
    it.run(1, 'big', 50);
    it.beat(20);
    it.offered();
    it.start(1, ...Array.from({ length: 10 }, (_, n) => `t${n}`));
    expect(it.offered()).toEqual([]);
    const work = new OpenWork();
    work.reset(0, it.state, it.now);
    const directory = new AgentDirectory(0);
    const agents = [{ name: 'generalist', description: 'g', skills: ['general'] }];
    const held = ['t0', 't10', 't11'].map((taskId) => ({ runId: runOf(1), taskId, attempt: 1 }));
    const beat = {
      workerId: 'w',
      epoch: 'e',
      seq: 1,
      at: 1,
      startedAt: 1,
      specialty: 'x',
      state: 'idle' as const,
      slots: 20,
      agents,
      held,
    };
    directory.hear(beat, it.now);
    const offers = new OfferDesk(work, directory).offers(it.now).flatMap((entry) => entry.offers);
    expect(counts(offers.map(({ runId }) => `${Number(runId.slice(-12))} `))).toEqual({ 1: 6, 2: 1 });
  });

  test('a limit of its own takes their place', () => {
    const it = rig({ tenantSlots: { of: { big: 20 }, kept: { percent: 10, forMs: 60_000 } } });
    it.run(2, 'small', 1);
    it.run(1, 'big', 50);
    it.beat(20);
    expect(counts(it.offered())).toEqual({ 1: 19, 2: 1 });
  });
});
