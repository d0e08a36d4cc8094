import { TaskSpec } from '@cadre/contracts';
import { emptyShard } from '@cadre/engine';
import { AgentDirectory } from './agent-directory.js';
import { OpenWork } from './open-work.js';
import { rig } from './testing/desk-rig.js';

describe('offers', () => {
  test('are made once, confirmed by heartbeats, and stay confirmed until the start', () => {
    const it = rig([{}, {}, {}]);
    expect(it.offered()).toEqual([]);
    it.beat();
    expect(it.offered()).toEqual(['t01>w', 't11>w']);
    expect(it.offered()).toEqual([]);
    it.now += 200;
    it.beat(['t0', 't1']);
    it.now += 1500;
    it.beat(['t0', 't1']);
    expect(it.offered()).toEqual([]);
    it.started('t0');
    it.log({ type: 'TaskCancelled', taskId: 't0' });
    expect(it.offered()).toEqual([]); // the worker still lists t0
    it.beat(['t1']);
    expect(it.offered()).toEqual(['t21>w']);
  });

  test('of delayed attempts are made when their time comes, in whatever order they were scheduled and closed', () => {
    const it = rig([{}, {}, {}]);
    const { now } = it;
    [500, 300, 800].forEach((delay, n) => it.schedule(`t${n}`, 2, now + delay));
    const offeredAt = (ms: number) => ((it.now = now + ms), it.beat([], { slots: 3 }), it.offered());
    expect(offeredAt(299)).toEqual([]);
    it.log({ type: 'TaskCancelled', taskId: 't1' });
    expect(offeredAt(300)).toEqual([]);
    expect(offeredAt(499)).toEqual([]);
    it.schedule('t0', 3, now + 600);
    expect(offeredAt(500)).toEqual([]);
    expect(offeredAt(600)).toEqual(['t03>w']);
    expect(offeredAt(800)).toEqual(['t22>w']);
  });

  test('that nobody confirms are made again, to another worker if there is one', () => {
    const it = rig();
    it.beat();
    it.beat([], { workerId: 'x' });
    expect(it.offered()).toEqual(['t01>w']);
    it.now += 900;
    it.beat();
    it.beat([], { workerId: 'x' });
    expect(it.offered()).toEqual([]);
    it.now += 200;
    expect(it.offered()).toEqual(['t01>x']);
    it.now += 100;
    it.beat([], { workerId: 'x', epoch: 'e2', startedAt: 2 });
    expect(it.offered()).toEqual(['t01>w']);
  });

  test('a taken offer that the worker drops again is made anew; one that never starts too', () => {
    const it = rig();
    it.beat();
    it.offered();
    it.now += 100;
    it.beat(['t0']);
    expect(it.offered()).toEqual([]);
    it.now += 100;
    it.beat([]);
    expect(it.offered()).toEqual(['t01>w']);
    for (let ms = 0; ms < 10_500; ms += 250) {
      it.now += 250;
      it.beat(['t0']);
      it.beat([], { workerId: 'x', slots: 0 });
      expect(it.offered()).toEqual([]);
    }
    it.beat([], { workerId: 'x' });
    expect(it.offered()).toEqual(['t01>x']);
  });

  test('none before its time, none to workers that are paused, full, gone or silent', () => {
    const it = rig([]);
    it.log({ type: 'TasksAdded', source: 'submitted', tasks: [TaskSpec.parse({ id: 'late', title: 't', instructions: 'i' })] });
    it.schedule('late', 1, it.now + 500);
    it.beat();
    expect(it.offered()).toEqual([]);
    it.now += 500;
    for (const change of [
      { state: 'paused' },
      { state: 'error' },
      { state: 'initializing' },
      { state: 'terminated' },
      { slots: 0 },
    ] as const) {
      it.beat([], change);
      expect(it.offered()).toEqual([]);
    }
    it.beat();
    it.now += 1100;
    expect(it.offered()).toEqual([]);
    it.beat();
    expect(it.offered()).toEqual(['late1>w']);
  });

  test('planning tasks get the catalogue', () => {
    const it = rig([]);
    it.log({
      type: 'TasksAdded',
      source: 'engine',
      tasks: [TaskSpec.parse({ id: 'plan', title: 't', instructions: 'i', skills: ['planning'] })],
    });
    it.schedule('plan');
    it.beat();
    it.beat([], { workerId: 'z', agents: [{ name: 'analyst', description: 'a', skills: ['data-analysis'] }] });
    expect(it.desk.offers(it.now)[0]?.offers[0]?.catalogue?.map((agent) => agent.name)).toEqual(['analyst', 'generalist']);
  });

  test('a worker that is silent for a while is still planned for, one that took its leave is not', () => {
    const directory = new AgentDirectory(0);
    const analyst = { name: 'analyst', description: 'a', skills: ['data-analysis'] };
    const beat = {
      workerId: 'z',
      epoch: 'e',
      seq: 1,
      at: 0,
      startedAt: 0,
      specialty: 's',
      state: 'idle' as const,
      agents: [analyst],
      slots: 1,
      held: [],
    };
    directory.hear(beat, 0);
    expect(directory.live(10_000)).toEqual([]);
    expect(directory.catalogue(10_000, 'default')).toEqual([analyst]);
    expect(directory.catalogue(31_000, 'default')).toEqual([]);
    directory.hear({ ...beat, seq: 2, state: 'terminated' }, 31_000);
    expect(directory.catalogue(31_001, 'default')).toEqual([]);
  });
});

test('the state of a snapshot gives the same work as the log itself', () => {
  const it = rig([{}, { skills: ['general'] }, { priority: 'high' }, {}]);
  it.started('t0');
  it.log({ type: 'TaskCancelled', taskId: 't3' });
  const fromSnapshot = new OpenWork();
  fromSnapshot.reset(0, it.state, it.now);
  const content = (work: OpenWork) => ({
    ready: work.ready(it.now).map((group) => ({ ...group, attempts: [...group.attempts] })),
    running: [...work.running()],
  });
  expect(content(fromSnapshot)).toEqual(content(it.work));
  fromSnapshot.reset(0, emptyShard(), it.now);
  expect(content(fromSnapshot)).toEqual({ ready: [], running: [] });
});

describe('a worker that goes on by itself', () => {
  const goOn = (it: ReturnType<typeof rig>) => {
    it.started('t0');
    it.now += 300;
    it.beat(['t0']);
    it.log(
      { type: 'TaskCompleted', taskId: 't0', attempt: 1, result: { answer: { text: '' }, confidence: 1, artifacts: [] } },
      { type: 'AttemptScheduled', taskId: 't1', attempt: 2, notBefore: it.now },
      { type: 'AttemptStarted', taskId: 't1', attempt: 2, agent: 'generalist', workerId: 'w', deadlineAt: 50_000, tools: [], after: 't0' },
    );
  };

  test('takes no further slot', () => {
    const it = rig([{}, {}]);
    it.log({ type: 'TaskCancelled', taskId: 't1' });
    it.beat([], { slots: 1 });
    goOn(it);
    it.schedule('t0', 3);
    it.beat(['t0'], { slots: 2 });
    expect(it.offered()).toEqual(['t03>w']);
    expect(it.offered()).toEqual([]);
  });

  test('has not lost the new attempt, nor is the old one unwanted, as long as it waits for the answer', () => {
    const it = rig([{}, {}]);
    it.beat();
    goOn(it);
    for (const _ of Array(20)) {
      it.now += 250;
      it.beat(['t0']);
    }
    expect(it.lost()).toEqual([]);
    expect(it.desk.unwanted(it.now)).toEqual([]);
    it.now += 250;
    it.beat([]);
    expect(it.lost()).toEqual(['t1 not-listed']);
  });

  test('is seen to go on by a successor that starts from a snapshot', () => {
    const it = rig([{}, {}]);
    it.beat();
    goOn(it);
    it.work.reset(0, it.state, it.now);
    it.now += 2000;
    it.beat(['t0']);
    expect([it.lost(), it.desk.unwanted(it.now)]).toEqual([[], []]);
  });
});

describe('a backlog', () => {
  test('is work that waits for a slot of a live agent, beyond what is offered', () => {
    const it = rig([{}, {}, { skills: ['planning'] }, { agent: 'nobody' }]);
    expect(it.desk.backlog(it.now)).toEqual([]);
    it.beat([], { slots: 2 });
    expect(it.offered()).toHaveLength(2);
    expect(it.desk.backlog(it.now)).toEqual(['generalist']);
    it.started('t0');
    it.started('t1');
    expect(it.offered()).toEqual([]);
    expect(it.desk.backlog(it.now)).toEqual(['generalist']);
    it.log({ type: 'TaskCancelled', taskId: 't2' });
    expect(it.desk.backlog(it.now)).toEqual([]); // nobody can do the last one
  });
});
