/** What is offered before a slot is free. */
import { RunOptions, TaskSpec, makeRunId, type Priority, type RunEvent } from '@cadre/contracts';
import { AgentDirectory } from './agent-directory.js';
import { OfferDesk } from './offer-desk.js';
import { OpenWork } from './open-work.js';

const RUN = makeRunId(0, '00000000-0000-7000-8000-000000000001');
const SLOTS = 20;
const STARTED = { attempt: 1, agent: 'worker', workerId: 'w', deadlineAt: 900_000, tools: [] };

/** A run of 200 like tasks, and a worker that does them. */
function rig() {
  const work = new OpenWork();
  const directory = new AgentDirectory(0);
  const desk = new OfferDesk(work, directory, { aheadMs: 100 });
  let [seq, beats, runs] = [0, 0, 1];
  const self = {
    now: 1000,
    started: [] as string[],
    log(...events: RunEvent[]): void {
      seq += 1;
      const commits = [{ runId: RUN, seq, at: self.now, cause: 'c', events }];
      work.apply({ v: 1, id: `b${seq}`, shard: 0, owner: 'o', kind: 'commits', at: self.now, commits }, self.now);
    },
    /** @returns tasks offered now */
    offered(slots = SLOTS): string[] {
      const agents = [{ name: 'worker', description: 'w', skills: ['general'] }];
      const rest = { epoch: 'e', at: self.now, startedAt: 1, specialty: 'x', state: 'idle' as const, held: [] };
      directory.hear({ workerId: 'w', seq: (beats += 1), slots, agents, ...rest }, self.now);
      return desk.offers(self.now).flatMap(({ offers }) => offers.map(({ taskId }) => taskId));
    },
    start(tasks: string[]): void {
      self.log(...tasks.map((taskId) => ({ type: 'AttemptStarted' as const, ...STARTED, taskId })));
      self.started.push(...tasks);
    },
    complete(tasks: string[]): void {
      const result = { answer: { text: '' }, confidence: 1, artifacts: [] };
      self.log(...tasks.map((taskId) => ({ type: 'TaskCompleted' as const, taskId, attempt: 1, result })));
    },
    /** Another run, of so many tasks. */
    arrive(tenant: string, priority: Priority, tasks: number): void {
      const runId = makeRunId(0, `00000000-0000-7000-8000-${(runs += 1).toString().padStart(12, '0')}`);
      const specs = Array.from({ length: tasks }, (_, n) =>
        TaskSpec.parse({ id: `${tenant}-${priority}-${n}`, title: 't', instructions: 'i' }),
      );
      const options = RunOptions.parse({ priority });
      const events: RunEvent[] = [
        { type: 'RunStarted', tenant, goal: 'g', inputs: [], options, fingerprint: 'f', deadlineAt: 900_000 },
        { type: 'TasksAdded', source: 'submitted', tasks: specs },
        ...specs.map(({ id }) => ({ type: 'AttemptScheduled' as const, taskId: id, attempt: 1, notBefore: self.now })),
      ];
      const commits = [{ runId, seq: 1, at: self.now, cause: 'c', events }];
      work.apply({ v: 1, id: `r${runs}`, shard: 0, owner: 'o', kind: 'commits', at: self.now, commits }, self.now);
    },
    /** All slots are taken, by attempts of a worker that took so long for those before. */
    busy(tookMs: number): void {
      const first = self.offered();
      self.start(first);
      self.now += tookMs;
      self.complete(first);
      self.start(self.offered());
    },
  };
  const options = RunOptions.parse({});
  self.log({ type: 'RunStarted', tenant: 'default', goal: 'g', inputs: [], options, fingerprint: 'f', deadlineAt: 900_000 });
  const specs = Array.from({ length: 200 }, (_, n) => TaskSpec.parse({ id: `t${n}`, title: 't', instructions: 'i' }));
  self.log({ type: 'TasksAdded', source: 'submitted', tasks: specs });
  self.log(...specs.map(({ id }) => ({ type: 'AttemptScheduled' as const, taskId: id, attempt: 1, notBefore: self.now })));
  return self;
}

test('nothing, as long as nobody knows how long the work takes', () => {
  const it = rig();
  const first = it.offered();
  expect(first).toHaveLength(SLOTS);
  it.start(first);
  expect(it.offered()).toEqual([]);
  it.now += 200;
  it.complete(first.slice(0, 15));
  it.start(it.offered());
  expect(it.offered()).toEqual([]);
});

test.each([
  [200, 10], // half of the slots within 100 ms
  [400, 5],
  [1000, 2],
  [30, 10], // never more than half
  [5000, 0],
])('attempts that take %i ms: %i of 20 slots', (tookMs, ahead) => {
  const it = rig();
  it.busy(tookMs);
  expect(it.offered()).toHaveLength(ahead);
  // Once: they count as offered until they begin.
  expect(it.offered()).toEqual([]);
});

test('what becomes free is filled up, and so much again is offered ahead', () => {
  const it = rig();
  it.busy(200);
  const ahead = it.offered();
  it.now += 200;
  it.complete(it.started.slice(SLOTS, SLOTS + 4));
  it.start(ahead.slice(0, 4));
  expect(it.offered()).toHaveLength(4);
});

test('a worker that takes no more gets nothing', () => {
  const it = rig();
  it.busy(200);
  expect(it.offered(0)).toEqual([]);
});

describe('what was offered ahead is overtaken', () => {
  test('by what is more urgent, and by a tenant that has less at work; not by their like', () => {
    const it = rig();
    it.busy(400);
    expect(it.offered()).toHaveLength(5);
    it.arrive('default', 'medium', 1);
    expect(it.offered()).toEqual([]);
    it.arrive('default', 'critical', 2);
    expect(it.offered()).toEqual(['default-critical-0', 'default-critical-1']);
    it.arrive('other', 'background', 2);
    expect(it.offered()).toEqual(['other-background-0', 'other-background-1']);
    expect(it.offered()).toEqual([]);
  });

  test('by as many as it is itself: the rest waits here', () => {
    const it = rig();
    it.busy(400);
    const waiting = it.offered();
    it.arrive('default', 'critical', 50);
    expect(it.offered()).toHaveLength(5);
    expect(it.offered()).toEqual([]);
    // The first ones have begun, in slots that became free.
    it.complete(it.started.slice(SLOTS, SLOTS + 2));
    it.start(waiting.slice(0, 2));
    expect(it.offered().every((taskId) => taskId.startsWith('default-critical'))).toBe(true);
  });

  test('not where nothing waits: a task is not sent to stand behind one that takes long', () => {
    const it = rig();
    it.busy(5000);
    it.arrive('default', 'critical', 1);
    it.arrive('other', 'critical', 1);
    expect(it.offered()).toEqual([]);
  });

  test('two tenants with as much at work do not overtake each other for ever', () => {
    const it = rig();
    it.busy(400);
    it.offered();
    it.arrive('other', 'medium', 100);
    const sent = [it.offered(), it.offered(), it.offered()].flat();
    expect(sent).toHaveLength(5);
    it.arrive('default', 'medium', 100);
    expect(it.offered()).toEqual([]);
  });
});
