/** The desk of one attempt, and calls of code, by the engine's own rules. */
import { CadreError } from '@cadre/contracts';
import type { Json } from '@cadre/contracts';
import type { CallDesk, CodeCall } from './call-desk.js';
import type { Performer } from './performer.js';
import { EngineOwner, MemoryBlobs, TestWorker, VirtualClock, sampleAgent, sampleAssignment, soloWork } from './testing/index.js';

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

const TASK = 'analyse';

class Stage {
  readonly clock = new VirtualClock(turnOfLoop);
  readonly owner = new EngineOwner(this.clock);
  readonly blobs = new MemoryBlobs();

  constructor(options: Parameters<EngineOwner['start']>[1] = {}) {
    this.owner.start([{ id: TASK, title: 'A', instructions: 'Do.', retry: { backoffMs: 0 } }], options);
  }

  async live(id: string, work: (calls: CallDesk, signal: AbortSignal) => Promise<Json>, diesAt?: number): Promise<TestWorker> {
    const { clock, owner, blobs } = this;
    const performer: Performer = async ({ calls, signal }) => ({ answer: JSON.stringify(await work(calls, signal)), confidence: 1 });
    const agent = sampleAgent({ tools: ['t', 'pay'] });
    const worker = new TestWorker({ ...{ id, clock, owner, blobs, agent, performer }, ...(diesAt !== undefined && { diesAt }) });
    worker.take(TASK);
    await clock.advance(60_000);
    return worker;
  }

  lose(workerId: string): void {
    this.owner.rig.now = this.clock.now();
    this.owner.rig.send({ type: 'LoseAttempt', taskId: TASK, attempt: this.task.attempt, workerId, reason: 'silent' });
  }

  get task() {
    return this.owner.rig.task(TASK);
  }
}

const call = (run: CodeCall['run'], rest: Partial<CodeCall> = {}): CodeCall => ({ name: 't', run, ...rest });

test('calls that go on at once each have a place of their own; their settlements do not get lost', async () => {
  const stage = new Stage();
  const wait = (ms: number) => new Promise<void>((resolve) => void stage.clock.after(ms, resolve));
  const numbers = Array.from({ length: 250 }, (_, index) => index);
  const worker = await stage.live('w1', (calls) =>
    Promise.all(numbers.map((n) => calls.call<number>(call(async () => (await wait(1000 - n), n))))).then((all) =>
      all.reduce((sum, n) => sum + n),
    ),
  );
  expect(stage.task.result?.answer).toEqual({ text: '31125' });
  expect(stage.owner.rig.run().usage.toolCalls).toBe(250);
  expect(worker.trouble).toEqual([]);
  expect(stage.owner.rig.violations()).toEqual([]);
});

test('a long answer goes to the blobs before it is settled, and comes back from there', async () => {
  const stage = new Stage();
  let made = 0;
  const work = async (calls: CallDesk): Promise<Json> => {
    const long = await calls.call<string>(call(async () => ((made += 1), 'ä'.repeat(2000))));
    const short = await calls.call<number>(call(async () => ((made += 1), 7)));
    return [long.length, short];
  };
  await stage.live('w1', work, 16);
  expect(made).toBe(2);
  expect(stage.blobs.bodies.size).toBe(1);
  stage.lose('w1');
  const second = await stage.live('w2', work);
  expect(second.recorded).toHaveLength(1);
  expect(stage.task.result?.answer).toEqual({ text: '[2000,7]' });
  expect(made).toBe(3);
});

test('work that its code leaves behind is stopped and settled with the end', async () => {
  const stage = new Stage();
  let stopped = 0;
  await stage.live('w1', async (calls, signal) => {
    signal.addEventListener('abort', () => (stopped += 1));
    void calls.call(call(() => new Promise(() => undefined), { maxCostMicros: 30 })).catch(() => undefined);
    await calls.call(call(async () => 1));
    return 'done';
  });
  expect(stage.task.status).toBe('completed');
  expect(stopped).toBe(1);
  expect(stage.owner.rig.run()).toMatchObject({ usage: { toolCalls: 2, costMicros: 30 } });
  expect(stage.owner.rig.violations()).toEqual([]);
});

test('a call that its code leaves behind does not end the process when it is stopped', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  const stage = new Stage();
  await stage.live('w1', async (calls) => {
    void calls.call(call(() => new Promise(() => undefined)));
    return 'done';
  });
  await turnOfLoop();
  process.off('unhandledRejection', note);
  expect(stage.task.status).toBe('completed');
  expect(unhandled).toEqual([]);
});

describe('a call that fails', () => {
  const failing = (error: Error, rest: Partial<CodeCall>) => async (calls: CallDesk) =>
    calls.call<Json>(call(() => Promise.reject(error), rest));
  const outcomeOf = (stage: Stage) =>
    stage.owner.rig.blocks
      .flatMap(({ block }) => block.commits.flatMap(({ events }) => events))
      .flatMap((event) => (event.type === 'CallsSettled' ? event.calls.map(({ outcome, costMicros }) => [outcome, costMicros]) : []))[0];

  test.each([
    ['no effect, no price', {}, new Error('x'), ['failed', 0]],
    ['no effect, a price', { maxCostMicros: 9 }, new Error('x'), ['unknown', 9]],
    ['a price, surely not billed', { maxCostMicros: 9 }, new CadreError('y-z', 'y', { billed: 'no' }), ['failed', 0]],
    ['idempotent', { effect: 'idempotent' as const }, new Error('x'), ['unknown', 0]],
    ['once', { effect: 'once' as const }, new Error('x'), ['unknown', 0]],
    ['once, surely not', { effect: 'once' as const }, new CadreError('y-z', 'y', { billed: 'no' }), ['failed', 0]],
  ])('%s', async (_, rest, error, wanted) => {
    const stage = new Stage();
    await stage.live('w1', failing(error, rest));
    expect(outcomeOf(stage)).toEqual(wanted);
    expect(stage.owner.rig.violations()).toEqual([]);
  });

  test('once, of which nobody knows: a person is asked, and nobody tries again before the answer', async () => {
    const stage = new Stage();
    let sent = 0;
    const work = async (calls: CallDesk): Promise<Json> =>
      calls.call<Json>({
        name: 'pay',
        effect: 'once',
        input: { to: 'x' },
        run: async () => ((sent += 1), Promise.reject(new Error('timed out'))),
      });
    const worker = await stage.live('w1', work);
    expect([stage.task.status, sent]).toEqual(['asking', 1]);
    expect(worker.trouble).toEqual([]);
    expect(stage.owner.of('FailAttempt')).toEqual([]);
    const { rig } = stage.owner;
    const questionId = Object.keys(rig.run().questions)[0]!;
    rig.now = stage.clock.now();
    rig.send({ type: 'AnswerQuestion', tenant: 'default', questionId, choice: 'done', by: 'me', result: { receipt: 5 } });
    await stage.live('w2', work);
    expect([stage.task.result?.answer, sent]).toEqual([{ text: '{"receipt":5}' }, 1]);
    expect(rig.violations()).toEqual([]);
  });
});

test('an effect that was asked for twice in the same words has two keys, which do not depend on what else was called', async () => {
  const keysOf = async (others: number): Promise<string[]> => {
    const stage = new Stage();
    const keys: string[] = [];
    await stage.live('w1', async (calls) => {
      for (let i = 0; i < others; i += 1) await calls.call(call(async () => i));
      for (let i = 0; i < 2; i += 1) {
        await calls.call({ name: 'pay', effect: 'once', input: { b: 1, a: [2] }, run: async ({ key }) => (keys.push(key), 1) });
      }
      return 1;
    });
    return keys;
  };
  const [some, more] = [await keysOf(0), await keysOf(3)];
  expect(new Set(some).size).toBe(2);
  expect(more).toEqual(some);
});

test('an owner whose grants make no sense is not asked for ever', async () => {
  const { work } = soloWork({
    ...{ assignment: sampleAssignment(), agent: sampleAgent() },
    grant: (key, _, number) => ({ key, grant: 'retry', try: number + 1 }),
  });
  await expect(work.calls.call(call(async () => 1))).rejects.toMatchObject({ code: 'grants-invalid' });
});

test.each([
  ['once', 'no'],
  ['idempotent', 'unknown'],
] as const)(
  'code that asks again for an effect (%s) that has failed makes the same call again, in later lives too',
  async (effect, billed) => {
    const stage = new Stage();
    const keys: string[] = [];
    const send = (calls: CallDesk) =>
      calls.call<number>({
        ...{ name: 'pay', effect, input: { to: 'kim' } },
        run: async ({ key }) => {
          keys.push(key);
          if (keys.length === 1) throw new CadreError('gone', 'Not reached.', { billed });
          return keys.length;
        },
      });
    let after = 0;
    const work = async (calls: CallDesk): Promise<Json> => {
      const sent = await send(calls).catch(() => send(calls));
      return [sent, await calls.call<number>(call(async () => (after += 1)))];
    };
    await stage.live('w1', async (calls) => (await work(calls), await calls.call(call(() => new Promise(() => undefined)))));
    stage.lose('w1');
    await stage.live('w2', work);
    expect(stage.task.result?.answer).toEqual({ text: '[2,1]' });
    expect(keys).toEqual([keys[0], keys[0]]);
  },
);
