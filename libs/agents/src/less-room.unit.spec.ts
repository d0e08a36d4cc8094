/** A budget without room for all that a call may cost: the model is asked for less, in the first life of an attempt and in the next. */
import type { ModelPort, ModelRequest } from './ports.js';
import { runAttempt } from './run-attempt.js';
import { EngineOwner, MemoryBlobs, TestWorker, VirtualClock, answers, callsTools, echoTool, sampleAgent } from './testing/index.js';

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * A millionth of a dollar for each token of output, 100 for the prompt. The model calls a tool once, and answers; each turn takes 400
 * tokens.
 */
class Stage {
  readonly clock = new VirtualClock(turnOfLoop);
  readonly owner = new EngineOwner(this.clock);
  readonly blobs = new MemoryBlobs();
  /** Output tokens that were asked for. */
  readonly asked: number[] = [];
  takesMs = 0;

  constructor(budget: object, tasks: readonly string[] = ['a']) {
    this.owner.start(
      tasks.map((id) => ({ id, title: id, instructions: id })),
      { budget },
    );
  }

  readonly model: ModelPort = {
    quote: ({ model = 'm', maxOutputTokens }) => {
      const costs = { maxCostMicros: 100 + maxOutputTokens, minCostMicros: 100 + Math.min(256, maxOutputTokens) };
      return { model, maxInputTokens: 1, maxOutputTokens, ...costs, priced: true };
    },
    complete: async (request: ModelRequest) => {
      this.asked.push(request.maxOutputTokens);
      if (this.takesMs > 0) await new Promise<void>((resolve) => void this.clock.after(this.takesMs, resolve));
      const first = request.messages.every(({ role }) => role !== 'assistant');
      const part = first ? callsTools({ name: 'echo', args: { say: 'x' } }) : answers('done');
      const used = { inputTokens: 100, outputTokens: 400, costMicros: 500, priced: true };
      return { model: 'm', text: '', toolCalls: [], finish: 'stop', ...used, ...part };
    },
  };

  async live(id: string, taskId: string, diesAt?: number): Promise<TestWorker> {
    const { clock, owner, blobs } = this;
    const worker = new TestWorker({
      ...{ id, clock, owner, blobs, agent: sampleAgent() },
      performer: (work) =>
        runAttempt(work, { model: this.model, tools: [echoTool()], clock, chance: { random: () => 0.5 }, readContent: async () => '' }),
      ...(diesAt !== undefined && { diesAt }),
    });
    worker.take(taskId);
    return worker;
  }
}

test('each call is asked for what the budget has left', async () => {
  const stage = new Stage({ runMicros: 2000 });
  const worker = await stage.live('w1', 'a');
  await stage.clock.advance(20_000);
  expect(stage.asked).toEqual([1900, 1400]);
  expect(stage.owner.rig.task('a').result).toMatchObject({ answer: { text: 'done' } });
  expect(worker.made[0]).toMatchObject({ note: expect.stringContaining('the budget left 1900 tokens for it') });
  expect(stage.owner.rig.violations()).toEqual([]);
});

test('with room it is asked for the whole; below what is of use the budget says no', async () => {
  const stage = new Stage({ runMicros: 100_000 });
  await stage.live('w1', 'a');
  await stage.clock.advance(20_000);
  expect(stage.asked).toEqual([8192, 8192]);
  const poor = new Stage({ runMicros: 800 });
  await poor.live('w1', 'a');
  await poor.clock.advance(20_000);
  expect(poor.asked).toEqual([700]);
  expect(poor.owner.rig.task('a').error).toMatchObject({ code: 'budget-exceeded' });
});

test('a resumed attempt asks for no more than is left, wherever its forerunner died, and pays nothing twice', async () => {
  const undisturbed = new Stage({ runMicros: 4000 });
  const whole = await undisturbed.live('w1', 'a');
  await undisturbed.clock.advance(20_000);
  expect(whole.steps).toBeGreaterThan(5);
  for (let diesAt = 1; diesAt <= whole.steps; diesAt += 1) {
    const stage = new Stage({ runMicros: 4000 });
    await stage.live('w1', 'a', diesAt);
    await stage.clock.advance(20_000);
    if (stage.owner.rig.task('a').status === 'running') {
      stage.owner.rig.now = stage.clock.now();
      stage.owner.rig.send({ type: 'LoseAttempt', taskId: 'a', attempt: 1, workerId: 'w1', reason: 'silent' });
      await stage.clock.advance(60_000);
      await stage.live('w2', 'a');
      await stage.clock.advance(60_000);
    }
    expect(stage.owner.rig.run().spent.settledMicros).toBeLessThanOrEqual(4000);
    expect(stage.owner.rig.violations()).toEqual([]);
  }
});

test('a call waits for the room that others under way have taken', async () => {
  const stage = new Stage({ runMicros: 3000 }, ['a', 'b']);
  stage.takesMs = 5000;
  await stage.live('w1', 'a');
  await stage.live('w2', 'b');
  await stage.clock.advance(60_000);
  expect(stage.asked).toHaveLength(4);
  expect(stage.owner.rig.run()).toMatchObject({ status: 'completed', usage: { costMicros: 2000 } });
  expect(stage.owner.rig.violations({ finished: true })).toEqual([]);
});
