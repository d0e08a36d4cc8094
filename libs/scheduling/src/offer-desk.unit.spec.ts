import {
  RunOptions,
  TaskSpec,
  makeRunId,
  type Commit,
  type Heartbeat,
  type HeldAttempt,
  type RunEvent,
  type TaskSpecInput,
} from '@cadre/contracts';
import { emptyShard, foldBlock, type ShardState } from '@cadre/engine';
import { AgentDirectory } from './agent-directory.js';
import { OfferDesk } from './offer-desk.js';
import { OpenWork } from './open-work.js';

const RUN = makeRunId(0, '00000000-0000-7000-8000-000000000001');

/** A desk with a hand-driven clock, log and workers. */
function rig(tasks: Partial<TaskSpecInput>[] = [{}]) {
  const state: ShardState = emptyShard();
  const work = new OpenWork();
  const directory = new AgentDirectory(0);
  const desk = new OfferDesk(work, directory);
  const seqs = new Map<string, number>();
  const beats = new Map<string, number>();
  const self = {
    now: 1000,
    ...{ work, directory, desk, state },
    log(...events: RunEvent[]): void {
      const seq = (seqs.get(RUN) ?? 0) + 1;
      seqs.set(RUN, seq);
      const commit: Commit = { runId: RUN, seq, at: self.now, cause: 'c', events };
      const block = { v: 1 as const, id: `b${seq}`, shard: 0, owner: 'o', kind: 'commits' as const, at: self.now, commits: [commit] };
      foldBlock(state, block);
      work.apply(block, self.now);
    },
    schedule(id: string, attempt = 1, notBefore?: number): void {
      self.log({ type: 'AttemptScheduled', taskId: id, attempt, notBefore: notBefore ?? self.now });
    },
    started(id: string, workerId = 'w', attempt = 1): void {
      self.log({ type: 'AttemptStarted', taskId: id, attempt, agent: 'generalist', workerId, deadlineAt: self.now + 5000, tools: [] });
    },
    beat(held: string[] = [], change: Partial<Heartbeat> = {}): void {
      const workerId = change.workerId ?? 'w';
      const seq = (beats.get(workerId) ?? 0) + 1;
      beats.set(workerId, seq);
      const beat: Heartbeat = {
        ...{ workerId, epoch: 'e1', seq, at: self.now, startedAt: 1, specialty: 'general', state: 'idle', slots: 2 },
        agents: [{ name: 'generalist', description: 'g', skills: ['general', 'planning'] }],
        held: held.map((taskId): HeldAttempt => ({ runId: RUN, taskId, attempt: 1 })),
        ...change,
      };
      directory.hear(beat, self.now);
    },
    offered: () =>
      desk.offers(self.now).flatMap((entry) => entry.offers.map((offer) => `${offer.taskId}${offer.attempt}>${entry.workerId}`)),
    lost: (): string[] => desk.lost(self.now).map((attempt) => `${attempt.taskId} ${attempt.cause}`),
  };
  const options = RunOptions.parse({ deadlineMs: 60_000 });
  self.log({ type: 'RunStarted', tenant: 'default', goal: 'g', inputs: [], options, fingerprint: 'f', deadlineAt: 61_000 });
  const specs = tasks.map((task, n) => TaskSpec.parse({ id: `t${n}`, title: 't', instructions: 'i', ...task }));
  self.log({ type: 'TasksAdded', source: 'submitted', tasks: specs });
  for (const spec of specs) self.schedule(spec.id);
  return self;
}

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
    expect(directory.catalogue(10_000)).toEqual([analyst]);
    expect(directory.catalogue(31_000)).toEqual([]);
    directory.hear({ ...beat, seq: 2, state: 'terminated' }, 31_000);
    expect(directory.catalogue(31_001)).toEqual([]);
  });
});

describe('lost attempts', () => {
  test('silence, once it is long enough and was listened to', () => {
    const it = rig();
    it.beat(['t0']);
    it.started('t0');
    it.now += 2400;
    expect(it.lost()).toEqual([]);
    it.now += 200;
    expect(it.lost()).toEqual(['t0 silent']);
    it.directory.listenAnew(it.now);
    expect(it.lost()).toEqual([]);
    it.now += 2600;
    expect(it.lost()).toEqual(['t0 silent']);
  });

  test('a new life of the worker, at once', () => {
    const it = rig();
    it.beat(['t0']);
    it.started('t0');
    it.now += 100;
    it.beat(['t0']);
    expect(it.lost()).toEqual([]);
    it.now += 100;
    it.beat([], { epoch: 'e2', startedAt: 2 });
    expect(it.lost()).toEqual(['t0 restarted']);
    it.beat(['t0'], { epoch: 'e1', startedAt: 1 }); // a late beat of the earlier life
    expect(it.lost()).toEqual(['t0 restarted']);
  });

  test('a worker that beats but does not list it, from a second after the start on', () => {
    const it = rig();
    it.beat();
    it.started('t0');
    it.now += 900;
    it.beat([]);
    expect(it.lost()).toEqual([]);
    it.now += 200;
    it.beat([]);
    expect(it.lost()).toEqual(['t0 not-listed']);
    it.beat(['t0']);
    expect(it.lost()).toEqual([]);
  });

  test('a worker that has left; one never heard of, after a while', () => {
    const it = rig([{}, {}]);
    it.beat(['t0']);
    it.started('t0');
    it.started('t1', 'nobody');
    it.now += 10;
    it.beat([], { state: 'terminated' });
    expect(it.lost()).toEqual(['t0 left']);
    it.now += 2000;
    expect(it.lost().sort()).toEqual(['t0 left', 't1 silent']);
  });
});

describe('what else is due', () => {
  test('time that is up, of attempts and of runs', () => {
    const it = rig();
    it.beat();
    it.started('t0');
    expect(it.desk.expiredAttempts(it.now + 4999)).toEqual([]);
    expect(it.desk.expiredAttempts(it.now + 5000)).toMatchObject([{ taskId: 't0', attempt: 1 }]);
    expect(it.desk.expiredRuns(60_999)).toEqual([]);
    expect(it.desk.expiredRuns(61_000)).toEqual([RUN]);
    it.log({ type: 'RunFailed', error: { code: 'x-y', message: 'm', retriable: false }, artifacts: [], usage: it.state.open[RUN]!.usage });
    expect(it.desk.expiredRuns(61_000)).toEqual([]);
    expect(it.work.runningCount + it.work.readyCount).toBe(0);
  });

  test('questions that nobody has answered in time, also those of a snapshot', () => {
    const it = rig([{}, {}, {}]);
    const ask = (taskId: string, questionId: string, dueAt: number): void =>
      it.log({
        ...{ type: 'QuestionAsked', taskId },
        question: { questionId, taskId, kind: 'budget', text: 'May it?', choices: ['approve', 'deny'], dueAt },
      });
    ask('t0', 'q1', 5000);
    ask('t1', 'q2', 5000);
    ask('t2', 'q3', 6000);
    expect(it.desk.expiredQuestions(4999)).toEqual([]);
    it.log({ type: 'QuestionAnswered', taskId: 't0', questionId: 'q1', choice: 'approve', by: 'ada' });
    expect(it.desk.expiredQuestions(5000)).toEqual([{ runId: RUN, questionId: 'q2' }]);
    const work = new OpenWork();
    work.reset(0, it.state, it.now);
    expect(new OfferDesk(work, it.directory).expiredQuestions(6000).map(({ questionId }) => questionId)).toEqual(['q2', 'q3']);
    it.log({ type: 'TaskCancelled', taskId: 't1' });
    expect(it.desk.expiredQuestions(6000)).toEqual([{ runId: RUN, questionId: 'q3' }]);
    it.log({ type: 'RunCancelled', reason: 'enough', artifacts: [], usage: it.state.open[RUN]!.usage });
    expect(it.desk.expiredQuestions(6000)).toEqual([]);
  });

  test('work no longer wanted: closed in the log, or started by another', () => {
    const it = rig([{}, {}]);
    it.started('t0', 'x');
    it.beat(['t0', 't1']);
    it.beat(['t0'], { workerId: 'x' });
    expect(it.desk.unwanted(it.now)).toEqual([{ workerId: 'w', attempts: [{ runId: RUN, taskId: 't0', attempt: 1 }] }]);
    it.log({ type: 'TaskCancelled', taskId: 't1' });
    expect(it.desk.unwanted(it.now)[0]?.attempts.map((each) => each.taskId)).toEqual(['t0', 't1']);
  });

  test('a cancelled run: its running attempts are to report, and its time is up with the grace time', () => {
    const it = rig([{}, {}]);
    it.started('t0', 'w');
    it.beat(['t0']);
    expect(it.work.cancellingCount).toBe(0);
    it.log({ type: 'CancelRequested', reason: 'enough', graceUntil: 7000 });
    expect(it.desk.unwanted(it.now)).toEqual([{ workerId: 'w', attempts: [{ runId: RUN, taskId: 't0', attempt: 1, runCancelled: true }] }]);
    expect([it.desk.expiredRuns(6999), it.desk.expiredRuns(7000)]).toEqual([[], [RUN]]);
    it.log({ type: 'RunCancelled', reason: 'enough', artifacts: [], usage: it.state.open[RUN]!.usage });
    expect(it.desk.unwanted(it.now)).toEqual([{ workerId: 'w', attempts: [{ runId: RUN, taskId: 't0', attempt: 1 }] }]);
    expect(it.work.cancellingCount).toBe(0);
  });

  test('work that no live agent can do, after half a minute', () => {
    const it = rig([{ skills: ['magic'] }, { skills: ['magic'], priority: 'high' }, { agent: 'ghost' }, {}]);
    it.beat();
    expect(it.desk.unmatched(it.now)).toEqual([]);
    it.now += 30_000;
    it.beat();
    expect(it.desk.unmatched(it.now)).toMatchObject([
      { skills: ['magic'], count: 2, since: 1000 },
      { agent: 'ghost', count: 1 },
    ]);
    it.beat([], { workerId: 'merlin', agents: [{ name: 'merlin', description: 'm', skills: ['magic'] }] });
    expect(it.desk.unmatched(it.now)).toHaveLength(1);
  });

  test('lists of workers tell who is lost', () => {
    const it = rig();
    it.beat(['t0']);
    it.now += 2600;
    it.beat([], { workerId: 'a' });
    expect(it.directory.views(it.now)).toMatchObject([
      { workerId: 'a', lost: false, held: 0 },
      { workerId: 'w', lost: true, held: 1, lastSeenAt: 1000 },
    ]);
    expect(it.directory.views(it.now + 700_000)).toEqual([]);
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
