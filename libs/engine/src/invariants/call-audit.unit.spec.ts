/** Planted faults of calls, money, effects and grants: each must be found, and the log without them must pass. */
import type { CallSettlement, Commit, RunEvent } from '@cadre/contracts';
import { EngineRig, reservation, settlement, task, toolCall } from '../testing/engine-rig.js';
import { checkInvariants } from './check-invariants.js';
import { replayDecisions } from './replay-decisions.js';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** The clauses that are found when a log is changed. */
function planted(rig: EngineRig, change: (commits: Commit[]) => void): string[] {
  const commits = structuredClone(rig.blocks.flatMap(({ block }) => block.commits));
  change(commits);
  const blocks = commits.map((commit, i) => ({
    seq: i + 1,
    block: { ...rig.blocks[0]!.block, id: `b${i}`, commits: [{ ...commit, seq: i + 1, cause: `c${i}` }] },
  }));
  const clauses = checkInvariants({ blocks }).map(({ invariant, clause }) => `${invariant} ${clause}`);
  // A log that breaks the rules need not fold; that this is seen as well is tested elsewhere.
  return [...new Set(clauses)].filter((clause) => clause !== '1 does-not-fold');
}

function eventOf<T extends RunEvent['type']>(commits: Commit[], type: T, nth = 0): EventOf<T> {
  return commits.flatMap(({ events }) => events).filter((event) => event.type === type)[nth] as EventOf<T>;
}

/** Puts an event before the nth one of a type, in its commit. */
function before(commits: Commit[], type: RunEvent['type'], event: RunEvent, nth = 0): void {
  const target = eventOf(commits, type, nth);
  const { events } = commits.find((commit) => commit.events.includes(target))!;
  events.splice(events.indexOf(target), 0, event);
}

const drop = (commits: Commit[], ...gone: RunEvent[]): void => {
  for (const commit of commits) commit.events = commit.events.filter((event) => !gone.includes(event));
};

const reserved = (...calls: EventOf<'CallsReserved'>['calls']): RunEvent => ({ type: 'CallsReserved', taskId: 'a', attempt: 1, calls });
const settled = (...calls: CallSettlement[]): RunEvent => ({ type: 'CallsSettled', taskId: 'a', attempt: 1, calls });

/** Two model calls and a tool, one after the other. */
function story(budget: object = {}): EngineRig {
  const rig = new EngineRig();
  rig.start([task('a')], { summarize: false, budget });
  rig.begin('a');
  rig.ask('a', reservation('x'));
  rig.record('a', [settlement('x')], [toolCall('t')]);
  rig.record('a', [settlement('t', { costMicros: 0 })], [reservation('y')]);
  rig.record('a', [settlement('y')], []);
  rig.finish('a');
  return rig;
}

test('logs without faults', () => {
  expect(planted(story({ runMicros: 140, taskMicros: 140, agentMicros: { generalist: 140 } }), () => undefined)).toEqual([]);
});

describe('6: money', () => {
  const lowered = (change: (commits: Commit[]) => void) => planted(story({ agentMicros: { generalist: 200 } }), change);

  const budgetOf = (commits: Commit[]) => eventOf(commits, 'RunStarted').options.budget;

  test('a reservation beyond the cap of the run, the task, the agent, or its definition', () => {
    expect(lowered((commits) => void (budgetOf(commits).runMicros = 139))).toEqual(['6 over-cap']);
    expect(lowered((commits) => void (budgetOf(commits).taskMicros = 139))).toEqual(['6 over-cap']);
    expect(lowered((commits) => void (budgetOf(commits).agentMicros['generalist'] = 139))).toEqual(['6 over-cap']);
    expect(lowered((commits) => void (eventOf(commits, 'AttemptStarted').agentCapMicros = 139))).toEqual(['6 over-cap']);
    expect(lowered((commits) => void (eventOf(commits, 'TasksAdded').tasks[0]!.budgetMicros = 139))).toEqual(['6 over-cap']);
  });

  test('an overrun that is named wrongly, or does not count', () => {
    const overrun = (change: Partial<CallSettlement>) =>
      planted(story(), (commits) => {
        Object.assign(eventOf(commits, 'CallsSettled').calls[0]!, { costMicros: 130, overrunMicros: 30, ...change });
        Object.assign(eventOf(commits, 'RunCompleted').usage, { costMicros: 170, overrunMicros: 30 });
      });
    expect(overrun({})).toEqual([]);
    expect(overrun({ overrunMicros: 20 })).toEqual(expect.arrayContaining(['6 cost-beyond-reservation']));
    expect(overrun({ overrunMicros: 40 })).toEqual(expect.arrayContaining(['6 overrun-wrong']));
    expect(overrun({ unpriced: true })).toEqual(expect.arrayContaining(['6 cost-not-unknown']));
    const beyond = planted(story({ runMicros: 229 }), (commits) => {
      Object.assign(eventOf(commits, 'CallsSettled').calls[0]!, { costMicros: 130, overrunMicros: 30 });
      Object.assign(eventOf(commits, 'RunCompleted').usage, { costMicros: 170, overrunMicros: 30 });
    });
    expect(beyond).toEqual(['6 over-cap']);
  });

  test('a model without a price', () => {
    const priceless = (rule: 'refuse' | 'if-uncapped', runMicros?: number) =>
      planted(story(), (commits) => {
        eventOf(commits, 'CallsReserved').calls[0]!.unpriced = true;
        Object.assign(budgetOf(commits), { unpricedModels: rule }, runMicros === undefined ? {} : { runMicros });
      });
    expect(priceless('refuse')).toEqual(['6 unpriced-granted']);
    expect(priceless('if-uncapped', 1e6)).toEqual(['6 unpriced-granted']);
    expect(priceless('if-uncapped')).toEqual([]);
  });

  test('settlements without a reservation, twice, of another attempt, or missing', () => {
    expect(planted(story(), (commits) => before(commits, 'TaskCompleted', settled(settlement('z'))))).toContain(
      '6 settled-without-reservation',
    );
    expect(planted(story(), (commits) => void (eventOf(commits, 'CallsSettled').calls[0]!.try = 2))).toContain(
      '6 settled-without-reservation',
    );
    expect(planted(story(), (commits) => before(commits, 'TaskCompleted', settled(settlement('x'))))).toEqual([
      '6 settled-twice',
      '6 paid-twice',
    ]);
    expect(planted(story(), (commits) => void (eventOf(commits, 'CallsSettled').attempt = 2))).toEqual(['6 settled-by-another']);
    expect(planted(story(), (commits) => drop(commits, eventOf(commits, 'CallsSettled', 2)))).toContain('6 left-unsettled');
  });

  test('costs that are not those of the reservation, and sums that are not those of the settlements', () => {
    const cost = (change: Partial<CallSettlement>) =>
      planted(story(), (commits) => void Object.assign(eventOf(commits, 'CallsSettled').calls[0]!, change));
    expect(cost({ costMicros: 101 })).toEqual(['6 cost-beyond-reservation', '6 usage-differs']);
    expect(cost({ outcome: 'unknown', ok: false })).toEqual(['6 unknown-not-billed']);
    expect(cost({ inputTokens: 11 })).toEqual(['6 usage-differs']);
  });

  test('calls made again that are on record or on their way, and tries out of number', () => {
    const again = (name: string, number: number) =>
      planted(story(), (commits) => before(commits, 'TaskCompleted', reserved(reservation(name, { try: number }))));
    expect(again('x', 2)).toContain('6 done-call-repeated');
    expect(again('z', 2)).toContain('6 try-number');
    expect(planted(story(), (commits) => before(commits, 'CallsSettled', reserved(reservation('x', { try: 2 }))))).toContain(
      '6 reserved-twice',
    );
  });

  test('a refused call that is granted, or tried again after a final refusal', () => {
    const rig = new EngineRig();
    rig.start([task('a'), task('b')], { summarize: false, continueOnFailure: true, budget: { taskMicros: 100 } });
    rig.begin('a');
    rig.ask('a', reservation('x', { maxCostMicros: 101 }));
    const granted = reserved(reservation('x', { maxCostMicros: 1 }));
    expect(planted(rig, () => undefined)).toEqual([]);
    expect(planted(rig, (commits) => before(commits, 'AttemptFailed', granted))).toContain('6 refused-call-granted');
    const retry: RunEvent = { type: 'AttemptScheduled', taskId: 'a', attempt: 2, notBefore: 9_000_000 };
    expect(planted(rig, (commits) => before(commits, 'TaskFailed', retry))).toContain('6 retry-after-refusal');
  });

  test('an approval that raises less than what is spent then', () => {
    const rig = new EngineRig();
    rig.start([task('a'), task('b')], { summarize: false, budget: { runMicros: 100, onLimit: 'ask' } });
    rig.begin('a');
    rig.ask('a', reservation('x', { maxCostMicros: 150 }));
    rig.send({ type: 'AnswerQuestion', tenant: 'default', questionId: 'q1', choice: 'approve', by: 'kim' });
    rig.begin('a');
    rig.ask('a', reservation('x', { maxCostMicros: 150 }));
    expect(planted(rig, () => undefined)).toEqual([]);
    expect(planted(rig, (commits) => void (eventOf(commits, 'QuestionAnswered').raiseMicros = 49))).toEqual(['6 over-cap']);
    expect(planted(rig, (commits) => drop(commits, eventOf(commits, 'QuestionAnswered')))).toEqual(
      expect.arrayContaining(['6 over-cap', '6 refused-call-granted', '9 attempt-while-asking']),
    );
  });
});

test('7: a reservation after the cancel', () => {
  const rig = new EngineRig();
  rig.start([task('a')], { summarize: false });
  rig.begin('a');
  rig.send({ type: 'CancelRun', tenant: 'default', reason: '' });
  rig.finish('a');
  const both = (commits: Commit[]) => {
    before(commits, 'TaskCompleted', reserved(toolCall('t')));
    before(commits, 'TaskCompleted', settled(settlement('t', { costMicros: 0 })));
  };
  expect(planted(rig, both)).toContain('7 reserved-after-cancel');
});

describe('8: effects that must happen once', () => {
  function lost(): EngineRig {
    const rig = new EngineRig();
    rig.start([task('a'), task('b')], { summarize: false, continueOnFailure: true });
    rig.begin('a');
    rig.ask('a', toolCall('pay', 'once'));
    rig.send({ type: 'LoseAttempt', taskId: 'a', attempt: 1, workerId: 'w1', reason: '' });
    rig.send({ type: 'AnswerQuestion', tenant: 'default', questionId: 'q1', choice: 'repeat', by: 'kim' });
    rig.begin('a');
    rig.ask('a', toolCall('pay', 'once', { try: 2 }));
    rig.record('a', [settlement('pay', { try: 2, costMicros: 0 })], []);
    return rig;
  }

  test('a repetition in doubt, without an answer', () => {
    expect(planted(lost(), () => undefined)).toEqual([]);
    expect(planted(lost(), (commits) => drop(commits, eventOf(commits, 'QuestionAnswered')))).toContain('8 doubtful-effect-repeated');
    const done = (commits: Commit[]) => void (eventOf(commits, 'QuestionAnswered').choice = 'approve');
    expect(planted(lost(), done)).toContain('8 doubtful-effect-repeated');
  });

  test('a repetition of what was done', () => {
    const again: RunEvent = { type: 'CallsReserved', taskId: 'a', attempt: 2, calls: [toolCall('pay', 'once', { try: 3 })] };
    expect(planted(lost(), (commits) => void commits.at(-1)!.events.push(again))).toContain('8 done-call-repeated');
  });
});

test('9: questions of tasks that do not wait, twice, or answered without being asked', () => {
  const rig = new EngineRig();
  rig.start([task('a'), task('b')], { summarize: false, budget: { runMicros: 1, onLimit: 'ask' } });
  rig.begin('a');
  rig.ask('a', reservation('x'));
  const asked = (commits: Commit[]) => eventOf(commits, 'QuestionAsked');
  expect(planted(rig, () => undefined)).toEqual([]);
  expect(planted(rig, (commits) => before(commits, 'AttemptFailed', asked(commits)))).toContain('9 question-out-of-turn');
  expect(planted(rig, (commits) => before(commits, 'QuestionAsked', asked(commits)))).toContain('9 question-repeated');
  const answer: RunEvent = { type: 'QuestionAnswered', taskId: 'a', questionId: 'q7', choice: 'deny', by: 'x' };
  expect(planted(rig, (commits) => void commits.at(-1)!.events.push(answer))).toEqual(['9 answer-without-question']);
  expect(planted(rig, (commits) => drop(commits, asked(commits)))).toContain('9 attempt-not-followed');
});

test('10: tools outside of the grant, and grants outside of the task', () => {
  expect(planted(story(), (commits) => void (eventOf(commits, 'AttemptStarted').tools = []))).toEqual(['10 tool-not-granted']);
  expect(planted(story(), (commits) => void (eventOf(commits, 'TasksAdded').tasks[0]!.tools = ['other']))).toEqual([
    '10 grant-beyond-task',
  ]);
});

test('5: a retry before the server wants it', () => {
  const rig = new EngineRig();
  rig.start([task('a', { retry: { backoffMs: 10, jitter: 0 } })], { summarize: false });
  rig.begin('a');
  const error = { code: 'rate-limited', message: '', retriable: true, retryAfterMs: 500 };
  rig.send({ type: 'FailAttempt', taskId: 'a', attempt: 1, workerId: 'w1', error });
  expect(planted(rig, () => undefined)).toEqual([]);
  expect(planted(rig, (commits) => void (eventOf(commits, 'AttemptScheduled', 1).notBefore -= 1))).toEqual(['5 delay-too-short']);
});

test('12: recorded decisions come out the same; one that was made otherwise is found', () => {
  const rig = new EngineRig();
  rig.recording = true;
  rig.start([task('a')], { summarize: false });
  rig.begin('a');
  rig.ask('a', reservation('x'));
  rig.finish('a');
  rig.send({ type: 'ExpireRun' });
  const records = rig.decisions();
  expect(records).toHaveLength(5);
  expect(replayDecisions(records)).toEqual([]);
  records[2]!.context.now += 1;
  expect(replayDecisions(records)).toEqual([]);
  const event = records[1]!.decision.outcome === 'accepted' ? records[1]!.decision.events[0] : undefined;
  (event as EventOf<'AttemptStarted'>).deadlineAt += 1;
  expect(replayDecisions(records)).toMatchObject([{ invariant: 12, clause: 'decides-otherwise' }]);
});
