/** Offers, cancellations and the end of a worker, on virtual time. */
import { CadreError } from '@cadre/contracts';
import type { AgentState, Heartbeat, TaskSpecInput } from '@cadre/contracts';
import { AttemptDesk } from './attempt-desk.js';
import type { WorkEnding } from './attempt-work.js';
import type { Performer } from './performer.js';
import { Pulse } from './pulse.js';
import { EngineOwner, MemoryBlobs, RUN_ID, VirtualClock, plainDigest, sampleAgent } from './testing/index.js';

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

function stage(performerWith: (clock: VirtualClock) => Performer, slots = 2, tasks = ['a', 'b', 'c'], rest: Partial<TaskSpecInput> = {}) {
  const clock = new VirtualClock(turnOfLoop);
  const owner = new EngineOwner(clock);
  owner.start(tasks.map((id) => ({ id, title: id, instructions: id, ...rest })));
  const endings: string[] = [];
  let [ids, changes, silent] = [0, 0, false];
  const never = new Promise<never>(() => undefined);
  const desk = new AttemptDesk(
    [sampleAgent()],
    slots,
    {
      ...{ workerId: 'w1', clock, blobs: new MemoryBlobs(), digest: plainDigest },
      chance: { random: () => 0.5, newId: () => `c${(ids += 1)}` },
      sender: owner.sender(async () => (silent ? never : undefined)),
      performerOf: () => performerWith(clock),
      reports: {
        ended: ({ taskId }, _, ending: WorkEnding) => void endings.push(`${taskId} ${ending}`),
        trouble: ({ taskId }, what) => void endings.push(`${taskId}: ${what}`),
      },
    },
    () => (changes += 1),
  );
  const offer = (...ids: string[]) =>
    desk.take({
      offers: ids.map((taskId) => ({
        runId: RUN_ID,
        taskId,
        attempt: 1,
        agent: 'generalist',
        turn: { tenant: 'default', atWork: 1, urgency: 2 },
      })),
    });
  return { clock, owner, desk, endings, offer, changes: () => changes, silence: () => void (silent = true) };
}

const after = (clock: VirtualClock, ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
const forever: Performer = () => new Promise(() => undefined);

test('takes nothing twice, nothing for strangers, and is free again afterwards', async () => {
  const it = stage((clock) => async () => (await after(clock, 100), { answer: 'x', confidence: 1 }));
  const { clock } = it;
  it.offer('a', 'a', 'b');
  it.desk.take({
    offers: [{ runId: RUN_ID, taskId: 'c', attempt: 1, agent: 'stranger', turn: { tenant: 'default', atWork: 1, urgency: 2 } }],
  });
  expect(it.desk.held().map(({ taskId }) => taskId)).toEqual(['a', 'b']);
  await clock.advance(150);
  expect(it.endings).toEqual(['a completed', 'b completed']);
  it.offer('c');
  await clock.advance(150);
  expect(it.owner.rig.statuses()).toBe('a:completed b:completed c:completed');
  expect(it.changes()).toBe(6);
});

test('an attempt that another worker has is left alone', async () => {
  const it = stage(() => forever);
  it.owner.rig.begin('a', 'w9');
  it.offer('a');
  await it.clock.advance(1);
  expect([it.endings, it.desk.heldCount]).toEqual([['a refused'], 0]);
});

test('closed attempts are dropped without a word; those of a cancelled run report', async () => {
  const it = stage(() => forever);
  it.offer('a', 'b');
  await it.clock.advance(1);
  it.desk.cancel({ attempts: [{ runId: RUN_ID, taskId: 'a', attempt: 1 }] });
  it.desk.cancel({ attempts: [{ runId: RUN_ID, taskId: 'b', attempt: 1, runCancelled: true }] });
  await it.clock.advance(1);
  expect(it.endings.sort()).toEqual(['a dropped', 'b failed']);
  expect(it.owner.of('FailAttempt')).toMatchObject([{ taskId: 'b', error: { code: 'cancelled' } }]);
});

test('what is opened while the attempt ends is closed all the same', async () => {
  let closed = 0;
  const it = stage((clock) => async ({ onClose }) => {
    await after(clock, 100); // a folder is being made
    onClose(() => void (closed += 1));
    return forever({} as never);
  });
  it.offer('a');
  await it.clock.advance(1);
  it.desk.cancel({ attempts: [{ runId: RUN_ID, taskId: 'a', attempt: 1 }] });
  await it.clock.advance(200);
  expect([it.endings, closed]).toEqual([['a dropped'], 1]);
});

test('a limit of time that the task does not set is told as the default one, and the next attempt gets more', async () => {
  const it = stage(() => forever);
  it.offer('a');
  await it.clock.advance(599_999);
  expect(it.endings).toEqual([]);
  await it.clock.advance(1);
  expect(it.owner.of('FailAttempt')).toMatchObject([{ error: { code: 'time-limit', retriable: true }, fresh: false, cause: 'time' }]);
  expect(it.owner.rig.task('a')).toMatchObject({ timedOut: true, defaultLimitMs: 600_000, counted: 1 });
});

test("a limit of the task's own is told as that", async () => {
  const it = stage(() => forever, 2, ['a'], { timeoutMs: 5000 });
  it.offer('a');
  await it.clock.advance(5000);
  const [failed] = it.owner.of('FailAttempt');
  expect(failed).toMatchObject({ error: { code: 'time-limit', message: expect.stringContaining('Raise timeoutMs of the task') } });
  expect(failed).not.toHaveProperty('cause');
});

test('faults of the content begin anew, others are gone on with', async () => {
  for (const [code, fresh] of [
    ['malformed-output', true],
    ['model-unavailable', false],
  ] as const) {
    const it = stage(() => () => Promise.reject(new CadreError(code, 'x', { retriable: true })));
    it.offer('a');
    await it.clock.advance(1);
    expect(it.owner.of('FailAttempt')).toMatchObject([{ fresh }]);
    expect(it.owner.rig.task('a').round).toBe(fresh ? 2 : 1);
  }
});

test("the server's passing trouble is told as that, and the task waits for it without an attempt lost", async () => {
  const words = 'The model server answered 503: Loading model';
  const it = stage(() => () => Promise.reject(new CadreError('model-loading', words, { retriable: true, retryAfterMs: 20_000 })));
  it.offer('a');
  await it.clock.advance(1);
  expect(it.owner.of('FailAttempt')).toMatchObject([{ cause: 'server', error: { message: words, retryAfterMs: 20_000 } }]);
  expect(it.owner.rig.task('a')).toMatchObject({ status: 'ready', counted: 0, serverWait: { attempts: 1 } });
});

describe('at the end of the worker', () => {
  test('what can finish does, the rest is handed back, nothing new is taken', async () => {
    const it = stage((clock) => async ({ assignment }) => {
      await after(clock, assignment.taskId === 'a' ? 500 : 60_000);
      return { answer: 'x', confidence: 1 };
    });
    const { clock } = it;
    it.offer('a', 'b');
    await clock.advance(1);
    let closed = false;
    void it.desk.close(1000).then(() => (closed = true));
    it.offer('c');
    expect(it.desk.openSlots).toBe(0);
    await clock.advance(900);
    expect([it.endings, closed]).toEqual([['a completed'], false]);
    await clock.advance(200);
    expect([it.endings, closed]).toEqual([['a completed', 'b released'], true]);
    expect(it.owner.rig.task('b')).toMatchObject({ status: 'ready', attempt: 2, counted: 0 });
  });

  test('an owner that does not answer holds nobody for ever', async () => {
    const it = stage(() => forever);
    it.offer('a');
    await it.clock.advance(1);
    it.silence();
    let closed = false;
    void it.desk.close(0).then(() => (closed = true));
    await it.clock.advance(4000);
    expect(closed).toBe(true);
    expect(it.endings).toEqual(['a: the end of the attempt could not be told to its owner', 'a failed']);
  });
});

test('beats come four times a second, and soon after each change', async () => {
  const clock = new VirtualClock(turnOfLoop, 0);
  const beats: Heartbeat[] = [];
  let state: AgentState = 'idle';
  const identity = { workerId: 'w1', epoch: 'e', startedAt: 0, specialty: 's', agents: [] };
  const pulse = new Pulse(
    identity,
    () => ({ state, slots: 1, held: [] }),
    clock,
    (beat) => void beats.push(beat),
  );
  pulse.beatSoon();
  pulse.start();
  await clock.advance(600);
  state = 'running';
  pulse.beatSoon();
  pulse.beatSoon();
  await clock.advance(110);
  pulse.stop();
  await clock.advance(1000);
  expect(beats.map(({ at, seq }) => [at, seq])).toEqual([
    [0, 0],
    [250, 1],
    [500, 2],
    [700, 3],
    [710, 4],
  ]);
});

test('an answer that is not in the form that the task asks for fails it, whoever gives it', async () => {
  const answers: Record<string, string> = { a: '{"total": 3}', b: '{"total": "three"}' };
  const performer: Performer = async ({ assignment }) => ({ answer: answers[assignment.taskId]!, confidence: 1 });
  const resultSchema = { type: 'object', properties: { total: { type: 'number' } } };
  const it = stage(() => performer, 2, ['a', 'b'], { resultSchema });
  it.offer('a');
  await it.clock.advance(50);
  it.offer('b');
  await it.clock.advance(50);
  expect(it.owner.rig.task('a').result?.answer).toEqual({ text: '{"total":3}' });
  expect(it.owner.rig.task('b')).toMatchObject({
    status: 'failed',
    error: { code: 'result-invalid', message: expect.stringContaining('/total') },
  });
});
