/** What is lost, and whose time is up. */
import { OfferDesk } from './offer-desk.js';
import { OpenWork } from './open-work.js';
import { RUN, rig } from './testing/desk-rig.js';

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
