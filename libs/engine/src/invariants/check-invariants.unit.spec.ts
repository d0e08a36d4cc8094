import { NO_USAGE } from '@cadre/contracts';
import type { Block, Commit, Json, RunEvent, RunView, TaskSpecInput } from '@cadre/contracts';
import { EngineRig, result, RUN_ID, task } from '../testing/engine-rig.js';
import { checkInvariants } from './check-invariants.js';
import type { InvariantEvidence } from './check-invariants.js';

const OTHER = 'r00-00000000-0000-7000-8000-000000000009';
const retry = { maxAttempts: 2, backoffMs: 100, jitter: 0.5 };
type Blocks = { seq: number; block: Block }[];

/** A log without faults: a retry, an alternative that is not needed, dependents, an end. */
function story(): EngineRig {
  const rig = new EngineRig();
  rig.start([task('a', { retry }), task('b', { dependsOn: ['a'] }), task('c', { alternativeTo: 'a' })], { summarize: false });
  rig.fail('a', true);
  rig.complete('a');
  rig.complete('b');
  return rig;
}

/** The clauses that are found broken, each once. */
function found(evidence: InvariantEvidence): string[] {
  return [...new Set(checkInvariants(evidence).map(({ invariant, clause }) => `${invariant} ${clause}`))];
}

/** The story with its log changed. Commits are numbered anew, so that only the planted fault shows. */
function planted(change: (commits: Commit[]) => void, rig = story(), evidence: Omit<InvariantEvidence, 'blocks'> = {}): string[] {
  const commits = structuredClone(rig.blocks.flatMap(({ block }) => block.commits));
  change(commits);
  const blocks = commits.map((commit, i) => ({
    seq: i + 1,
    block: { ...rig.blocks[0]!.block, id: `b${i}`, commits: [{ ...commit, seq: i + 1, cause: `c${i}` }] },
  }));
  // A log that breaks the rules need not fold; that this is seen as well is tested by itself.
  return found({ blocks, ...evidence }).filter((clause) => clause !== '1 does-not-fold');
}

/** Puts events at the end of the commit that has an event of a type for a task. */
function amend(commits: Commit[], type: RunEvent['type'], taskId: string, ...events: RunEvent[]): void {
  commits.find((commit) => has(commit, type, taskId))!.events.push(...events);
}

function has(commit: Commit, type: RunEvent['type'], taskId?: string): boolean {
  return commit.events.some((event) => event.type === type && (taskId === undefined || ('taskId' in event && event.taskId === taskId)));
}

function drop(commits: Commit[], type: RunEvent['type'], taskId?: string): void {
  for (const commit of commits) {
    commit.events = commit.events.filter(
      (event) => !(event.type === type && (taskId === undefined || ('taskId' in event && event.taskId === taskId))),
    );
  }
}

function eventOf<T extends RunEvent['type']>(commits: Commit[], type: T, taskId?: string, nth = 0): Extract<RunEvent, { type: T }> {
  const all = commits
    .flatMap((commit) => commit.events)
    .filter((e) => e.type === type && (!taskId || ('taskId' in e && e.taskId === taskId)));
  return all[nth] as Extract<RunEvent, { type: T }>;
}

const completed = (taskId: string, attempt: number): RunEvent => ({ type: 'TaskCompleted', taskId, attempt, result: result() });
const scheduled = (taskId: string, attempt: number): RunEvent => ({ type: 'AttemptScheduled', taskId, attempt, notBefore: 0 });
const failed = (taskId: string, attempt: number): RunEvent => ({
  type: 'AttemptFailed',
  taskId,
  attempt,
  error: { code: 'x-broke', message: '', retriable: true },
  counted: false,
});
const commitOf = (rig: EngineRig, i: number, ...events: RunEvent[]): Commit => ({ ...rig.blocks[i]!.block.commits[0]!, events });

test('a log without faults', () => {
  const rig = story();
  const commands = { received: 12, accepted: 8, duplicate: 2, rejected: 1, unavailable: 1, deadLettered: 0 };
  expect(rig.run().status).toBe('completed');
  expect(rig.violations({ finished: true, commands, submissions: [{ runId: RUN_ID, fingerprint: 'f1' }] })).toEqual([]);
  expect(planted(() => undefined)).toEqual([]);
});

describe('1: the log and what is kept of it', () => {
  const changedBlocks = (change: (blocks: Blocks) => void, rig = story()): string[] => {
    const blocks = structuredClone(rig.blocks);
    change(blocks);
    return found({ blocks });
  };
  const view = (rig: EngineRig): RunView => {
    const run = rig.run();
    const tasks = Object.values(run.tasks).map((state) => ({
      taskId: state.spec.id,
      title: state.spec.title,
      status: state.status,
      priority: state.spec.priority,
      skills: state.spec.skills,
      dependsOn: state.spec.dependsOn,
      require: state.spec.require,
      attempt: state.attempt,
      artifacts: state.result?.artifacts ?? [],
      usage: state.usage,
      ...(state.endedAt === undefined ? {} : { endedAt: state.endedAt }),
      ...(state.result && { confidence: state.result.confidence, answer: state.result.answer }),
    }));
    return {
      ...run,
      tasks,
      reservedMicros: 0,
      questions: [],
      tasksTotal: 3,
      tasksDone: tasks.filter((each) => each.endedAt !== undefined).length,
    };
  };

  test('missing and repeated commits and blocks', () => {
    expect(changedBlocks((blocks) => void (blocks[3]!.block.commits[0]!.seq = 9))).toContain('1 commit-gap');
    expect(changedBlocks((blocks) => void blocks.splice(3, 1))).toEqual(
      expect.arrayContaining(['1 block-gap', '1 commit-gap', '1 does-not-fold']),
    );
    expect(changedBlocks((blocks) => void (blocks[3]!.block.id = 'b1'))).toEqual(['1 block-repeated']);
  });

  test('an owner that writes after another has claimed the shard', () => {
    const claim: Block = { v: 1, id: 'claim', shard: 0, owner: 'new', kind: 'claim', at: 1, commits: [] };
    const rig = story();
    const blocks = [
      ...rig.blocks.slice(0, 4),
      { seq: 5, block: claim },
      ...rig.blocks.slice(4).map(({ seq, block }) => ({ seq: seq + 1, block })),
    ];
    expect(found({ blocks })).toEqual(['1 foreign-owner']);
    expect(found({ blocks: blocks.map(({ seq, block }) => ({ seq, block: { ...block, owner: 'new' } })) })).toEqual([]);
  });

  test('snapshots that are not the fold', () => {
    const rig = new EngineRig();
    const takes: { seq: number; state: Json }[] = [];
    const take = () => takes.push({ seq: rig.blocks.length, state: structuredClone(rig.shard) as unknown as Json });
    take();
    rig.start([task('a')], { summarize: false });
    rig.begin('a');
    take();
    rig.finish('a');
    take();
    const check = (change: (states: { open: Record<string, object>; ended: Record<string, object> }[]) => void): string[] => {
      const snapshots = structuredClone(takes);
      change(snapshots.map(({ state }) => state as never));
      return found({ blocks: rig.blocks, snapshots });
    };
    expect(check(() => undefined)).toEqual([]);
    expect(check(([, , last]) => void (last!.ended = {}))).toEqual([]);
    expect(check(([, middle]) => void (middle!.open = {}))).toEqual(['1 snapshot-differs']);
    expect(check(([, middle]) => void Object.assign(middle!.open[RUN_ID]!, { seq: 7 }))).toEqual(['1 snapshot-differs']);
    expect(check(([, , last]) => void Object.assign(last!.ended[RUN_ID]!, { status: 'failed' }))).toEqual(['1 snapshot-differs']);
    expect(check(([first]) => void (first!.ended[OTHER] = {}))).toEqual(['1 snapshot-differs']);
    expect(found({ blocks: rig.blocks.slice(0, 1), snapshots: takes.slice(1, 2) })).toEqual(['1 snapshot-ahead']);
  });

  test('a read model that differs', () => {
    const rig = story();
    const check = (...views: RunView[]) => found({ blocks: rig.blocks, views, viewsComplete: true });
    const good = view(rig);
    expect(check(good)).toEqual([]);
    expect(check()).toEqual(['1 view-missing']);
    expect(check(good, { ...good, runId: OTHER })).toEqual(['1 view-unknown']);
    for (const wrong of [
      { status: 'failed' as const },
      { seq: 1 },
      { answer: { text: 'other' } },
      { usage: { ...NO_USAGE, costMicros: 1 } },
    ]) {
      expect(check({ ...good, ...wrong })).toEqual(['1 view-differs']);
    }
    expect(check({ ...good, tasks: good.tasks.slice(1) })).toEqual(['1 view-differs']);
    expect(check({ ...good, tasks: good.tasks.map((each) => ({ ...each, attempt: 9 })) })).toEqual(['1 view-differs']);
  });
});

describe('2: each accepted command is there, once', () => {
  test('a submission that is not in the log, or is another one', () => {
    const { blocks } = story();
    expect(found({ blocks, submissions: [{ runId: OTHER }] })).toEqual(['2 submission-lost']);
    expect(found({ blocks, submissions: [{ runId: RUN_ID, fingerprint: 'f2' }] })).toEqual(['2 other-request']);
  });

  test('an answered command without a commit, and one applied twice', () => {
    const { blocks } = story();
    expect(found({ blocks, acceptedCommands: [{ runId: RUN_ID, commandId: 'c1' }] })).toEqual([]);
    expect(found({ blocks, acceptedCommands: [{ runId: RUN_ID, commandId: 'c99' }] })).toEqual(['2 answered-commit-lost']);
    const twice = structuredClone(blocks);
    twice[1]!.block.commits[0]!.cause = 'c1';
    expect(found({ blocks: twice })).toEqual(['2 command-applied-twice']);
  });

  test('a run started twice, and one that never was', () => {
    expect(planted((commits) => void commits[1]!.events.unshift(commits[0]!.events[0]!))).toEqual(['2 run-started-twice']);
    expect(planted((commits) => drop(commits, 'RunStarted'))).toContain('2 no-start');
  });
});

describe('3: each run ends once, in time', () => {
  test('two ends, and events after the end', () => {
    const end = (commits: Commit[]) => eventOf(commits, 'RunCompleted');
    expect(planted((commits) => void commits.at(-1)!.events.push(end(commits)))).toEqual(['3 ended-twice']);
    expect(planted((commits) => void commits.at(-1)!.events.push({ type: 'CancelRequested', reason: '', graceUntil: 9_000_000 }))).toEqual([
      '3 event-after-end',
    ]);
  });

  test('no end when all is quiet, or when its time is over', () => {
    const rig = story();
    const cut = { blocks: rig.blocks.slice(0, -1) };
    expect(found(cut)).toEqual([]);
    expect(found({ ...cut, finished: true })).toEqual(['3 not-ended']);
    expect(found({ ...cut, now: rig.run().deadlineAt + 5000 })).toEqual([]);
    expect(found({ ...cut, now: rig.run().deadlineAt + 5001 })).toEqual(['3 past-deadline']);
    expect(found({ ...cut, now: rig.run().deadlineAt + 10, graceMs: 1 })).toEqual(['3 past-deadline']);
    expect(planted((commits) => void (commits.at(-1)!.at += 2_000_000))).toEqual(['3 ended-late']);
  });
});

describe('4: each task ends once, with the result of its open attempt', () => {
  test('two ends of a task', () => {
    const changes = planted((commits) => amend(commits, 'TaskCompleted', 'a', { type: 'TaskCancelled', taskId: 'a' }));
    expect(changes).toEqual(['4 task-ended-twice']);
  });

  test('a result for an attempt that is closed, not started, or another', () => {
    expect(planted((commits) => void (eventOf(commits, 'TaskCompleted', 'a').attempt = 1))).toEqual(['4 result-outside-attempt']);
    expect(planted((commits) => drop(commits, 'AttemptStarted', 'b'))).toEqual(['4 result-outside-attempt']);
    expect(planted((commits) => amend(commits, 'TaskCompleted', 'b', completed('b', 1)))).toContain('4 result-outside-attempt');
  });

  test('failures, calls and starts of attempts that are not open', () => {
    const rig = story();
    expect(planted((commits) => amend(commits, 'TaskCompleted', 'a', failed('a', 1)), rig)).toContain('4 failure-outside-attempt');
    expect(
      planted((commits) => amend(commits, 'TaskCompleted', 'a', { type: 'CallsReserved', taskId: 'a', attempt: 2, calls: [] }), rig),
    ).toEqual(['4 call-outside-attempt']);
    expect(planted((commits) => amend(commits, 'AttemptStarted', 'b', eventOf(commits, 'AttemptStarted', 'b')), rig)).toEqual([
      '4 start-of-closed-attempt',
    ]);
    expect(planted((commits) => void (eventOf(commits, 'AttemptStarted', 'a', 1).attempt = 1), rig)).toContain('4 start-of-closed-attempt');
  });

  test('attempts beside each other and after the end', () => {
    expect(planted((commits) => amend(commits, 'AttemptStarted', 'b', scheduled('b', 2)))).toContain('4 two-open-attempts');
    expect(planted((commits) => amend(commits, 'TaskCompleted', 'a', scheduled('a', 3)))).toContain('4 attempt-after-end');
  });

  test('a task that fails or is skipped with an open attempt, is left open, unknown, or added twice', () => {
    const error = { code: 'x-broke', message: '', retriable: false };
    expect(planted((commits) => void commits.push(commitOf(story(), 0, { type: 'TaskFailed', taskId: 'x', error })))).toContain(
      '4 unknown-task',
    );
    expect(planted((commits) => amend(commits, 'AttemptStarted', 'b', { type: 'TaskFailed', taskId: 'b', error }))).toContain(
      '4 ended-with-open-attempt',
    );
    expect(planted((commits) => drop(commits, 'TaskSkipped', 'c'))).toContain('4 task-left-open');
    expect(planted((commits) => void commits[1]!.events.push(eventOf(commits, 'TasksAdded')))).toContain('4 task-added-twice');
  });
});

test('4: a task that asks for an agent is done by it, or by one that stands in for it', () => {
  const rig = new EngineRig();
  rig.start([task('a', { agent: 'reader' }), task('b')], { summarize: false });
  rig.complete('a');
  rig.complete('b');
  const started = (taskId: string, change: object) => (commits: Commit[]) =>
    void Object.assign(eventOf(commits, 'AttemptStarted', taskId), change);
  expect(planted(started('a', { agent: 'writer' }), rig)).toEqual(['4 wrong-agent']);
  expect(planted(started('a', { agent: 'writer', insteadOf: 'other' }), rig)).toEqual(['4 wrong-agent']);
  expect(planted(started('a', { agent: 'writer', insteadOf: 'reader' }), rig)).toEqual([]);
  expect(planted(started('a', { insteadOf: 'reader' }), rig)).toEqual(['4 wrong-agent']);
  expect(planted(started('b', { insteadOf: 'reader' }), rig)).toEqual(['4 wrong-agent']);
  const load = { insteadOf: 'reader', queuedMs: 9 };
  expect(planted(started('a', { agent: 'writer', ...load }), rig)).toEqual([]);
  expect(planted(started('a', { agent: 'writer', ...load, insteadOf: 'other' }), rig)).toContain('4 wrong-agent');
  expect(planted(started('b', load), rig)).toEqual([]);
});

test.each([
  [{ underLoad: 'never' as const }, {}],
  [{}, { underLoad: 'never' as const }],
])('4: nothing is given up under load for a task %j of a run %j', (spec, options) => {
  const rig = new EngineRig();
  rig.start([task('a', spec)], { summarize: false, ...options });
  rig.complete('a');
  expect(planted((commits) => void Object.assign(eventOf(commits, 'AttemptStarted', 'a'), { queuedMs: 9 }), rig)).toEqual([
    '4 not-as-asked',
  ]);
});

describe('5: nothing starts too early or too often', () => {
  const rigWith = (require: TaskSpecInput['require']): EngineRig => {
    const rig = new EngineRig();
    rig.start([task('a'), task('b'), task('z', { dependsOn: ['a', 'b'], ...(require && { require }) })], {
      summarize: false,
      continueOnFailure: true,
    });
    rig.complete('a');
    return rig;
  };
  const early = (require: TaskSpecInput['require']) =>
    planted((commits) => amend(commits, 'TaskCompleted', 'a', scheduled('z', 1)), rigWith(require));

  test('a task before its dependencies', () => {
    for (const require of ['all', 'settled', 2] as const) expect(early(require)).toEqual(['5 started-before-dependencies']);
    expect(planted((commits) => void commits[0]!.events.push(scheduled('z', 1)), rigWith('any'))).toContain(
      '5 started-before-dependencies',
    );
  });

  test('an alternative that is not called, and wrong skips', () => {
    expect(planted((commits) => void commits[0]!.events.push(scheduled('c', 1)))).toEqual(
      expect.arrayContaining(['5 alternative-not-called']),
    );
    const skip = (taskId: string, cause: 'dependency' | 'alternative'): RunEvent => ({ type: 'TaskSkipped', taskId, cause, reason: '' });
    expect(planted((commits) => void commits[0]!.events.push(skip('b', 'dependency')))).toContain('5 skipped-wrongly');
    expect(planted((commits) => void commits[0]!.events.push(skip('c', 'alternative')))).toContain('5 skipped-wrongly');
  });

  test('attempts past the policy, after a fatal failure, or out of number', () => {
    const rig = new EngineRig();
    rig.start([task('a', { retry: { ...retry, maxAttempts: 3 } }), task('b')], { summarize: false });
    rig.fail('a', true);
    rig.fail('a', true);
    const narrow = (commits: Commit[]) => void (eventOf(commits, 'TasksAdded').tasks[0]!.retry.maxAttempts = 2);
    expect(planted(narrow, rig)).toEqual(['5 too-many-attempts']);
    expect(planted((commits) => void (eventOf(commits, 'AttemptFailed', 'a').error.retriable = false), rig)).toEqual(['5 retry-of-fatal']);
    expect(planted((commits) => void (eventOf(commits, 'AttemptScheduled', 'a', 2).attempt = 5), rig)).toEqual(['5 attempt-number']);
  });

  test('delays that are too short, and starts before their time', () => {
    expect(planted((commits) => void (eventOf(commits, 'AttemptScheduled', 'a', 1).notBefore -= 51))).toEqual(['5 delay-too-short']);
    expect(planted((commits) => void (commits.filter((commit) => has(commit, 'AttemptStarted', 'a'))[1]!.at -= 1))).toEqual([
      '5 started-early',
    ]);
  });
});

describe('5: waits for a model server', () => {
  const waiting = (): EngineRig => {
    const rig = new EngineRig();
    rig.start([task('a'), task('b')], { summarize: false });
    const error = { code: 'model-loading', message: 'Loading model', retriable: true, retryAfterMs: 700 };
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      rig.begin('a');
      rig.send({ type: 'FailAttempt', taskId: 'a', attempt, workerId: 'w1', error, cause: 'server' });
    }
    return rig;
  };

  test('are not shorter than what grows, or what the server has named', () => {
    expect(planted(() => undefined, waiting())).toEqual([]);
    expect(planted((commits) => void (eventOf(commits, 'AttemptScheduled', 'a', 2).notBefore -= 1001), waiting())).toEqual([
      '5 delay-too-short',
    ]);
    const impatient = (commits: Commit[]) => {
      eventOf(commits, 'AttemptFailed', 'a', 1).error.retryAfterMs = 3000;
    };
    expect(planted(impatient, waiting())).toEqual(['5 delay-too-short']);
  });

  test('do not count, are not of what is final, and end with what the task allows', () => {
    expect(planted((commits) => void (eventOf(commits, 'AttemptFailed', 'a').counted = true), waiting())).toEqual(['5 waits-wrongly']);
    expect(planted((commits) => void (eventOf(commits, 'AttemptFailed', 'a').error.retriable = false), waiting())).toEqual([
      '5 waits-wrongly',
    ]);
    const limited = (commits: Commit[]) => void (eventOf(commits, 'TasksAdded').tasks[0]!.retry.maxServerWaitMs = 700);
    expect(planted(limited, waiting())).toEqual(['5 waits-wrongly']);
  });
});

describe('7: a cancel is the end', () => {
  const cancelled = (): EngineRig => {
    const rig = new EngineRig();
    rig.start([task('a'), task('b')], { summarize: false, cancelGraceMs: 0 });
    rig.begin('a');
    rig.send({ type: 'CancelRun', tenant: 'default', reason: '' });
    return rig;
  };

  test('nothing is scheduled or started after it', () => {
    expect(cancelled().violations({ finished: true })).toEqual([]);
    const after = (event: RunEvent) => planted((commits) => void commits.at(-1)!.events.splice(1, 0, event), cancelled());
    expect(after(scheduled('b', 2))).toContain('7 scheduled-after-cancel');
    expect(after({ type: 'AttemptStarted', taskId: 'b', attempt: 1, agent: 'x', workerId: 'w', deadlineAt: 1, tools: [] })).toEqual([
      '7 started-after-cancel',
    ]);
  });

  test('and the run ends with it', () => {
    const requested = (commits: Commit[]): void => {
      const last = commits.pop()!;
      commits.push({ ...last, events: last.events.slice(0, 1) });
    };
    expect(planted(requested, cancelled())).toEqual([]);
    expect(planted(requested, cancelled(), { finished: true })).toContain('7 cancel-not-effective');
    expect(planted(requested, cancelled(), { now: 1_005_001 })).toEqual(['7 cancel-not-effective']);
    const split = (commits: Commit[]): void => {
      requested(commits);
      commits.push({ ...cancelled().blocks[2]!.block.commits[0]!, at: 1_006_000 });
      commits.at(-1)!.events = commits.at(-1)!.events.slice(1);
    };
    expect(planted(split, cancelled())).toEqual(['7 cancel-not-effective']);
  });

  test('within the grace time, and no later', () => {
    const rig = new EngineRig();
    rig.start([task('a')], { summarize: false, cancelGraceMs: 2000 });
    rig.begin('a');
    rig.send({ type: 'CancelRun', tenant: 'default', reason: '' });
    const { deadlineAt } = rig.run();
    expect(found({ blocks: rig.blocks, now: deadlineAt + 5000 })).toEqual([]);
    expect(found({ blocks: rig.blocks, now: deadlineAt + 5001 })).toEqual(['7 cancel-not-effective']);
    rig.now = deadlineAt;
    rig.send({ type: 'ExpireRun' });
    expect(rig.violations({ finished: true, graceMs: 0 })).toEqual([]);
    const late = (commits: Commit[]) => void (commits.at(-1)!.at = deadlineAt + 1);
    expect(planted(late, rig, { graceMs: 0 })).toEqual(['7 cancel-not-effective']);
  });
});

describe('9: an open run moves', () => {
  test('no open attempt, no next attempt after a failure, and a task that could start but does not', () => {
    expect(planted((commits) => drop(commits.slice(0, 1), 'AttemptScheduled', 'a'))).toEqual(
      expect.arrayContaining(['9 stalled', '9 runnable-not-opened']),
    );
    const lost = planted((commits) => drop(commits.slice(2, 3), 'AttemptScheduled', 'a'));
    expect(lost).toEqual(expect.arrayContaining(['9 stalled', '9 attempt-not-followed']));
    const rig = new EngineRig();
    rig.start([task('a'), task('b', { dependsOn: ['a'] }), task('c')], { summarize: false });
    rig.complete('a');
    expect(planted((commits) => drop(commits, 'AttemptScheduled', 'b'), rig)).toEqual(['9 runnable-not-opened']);
  });
});

test('11: commands that are not accounted for', () => {
  const counts = { received: 10, accepted: 5, duplicate: 2, rejected: 2, deadLettered: 0 };
  expect(found({ blocks: [], commands: counts })).toEqual(['11 counts']);
  expect(found({ blocks: [], commands: { ...counts, deadLettered: 1 } })).toEqual([]);
});
