/** Models that fail, fallbacks, budgets: what is asked of whom, in the first life of an attempt and in the next. */
import { CadreError } from '@cadre/contracts';
import type { AgentDefinition } from '@cadre/contracts';
import type { ModelPort, ModelRequest } from './ports.js';
import { runAttempt } from './run-attempt.js';
import {
  EngineOwner,
  MemoryBlobs,
  TestWorker,
  VirtualClock,
  answers,
  callsTools,
  echoTool,
  plainDigest,
  sampleAgent,
} from './testing/index.js';

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

const TASK = 'analyse';
const COST: Record<string, number> = { big: 1000, small: 100, other: 1000 };
const down = () => new CadreError('model-unavailable', 'Down.', { retriable: true, billed: 'no' });

/** Its replies depend on the conversation only; `fault` decides what goes wrong. */
class Stage {
  readonly clock = new VirtualClock(turnOfLoop);
  readonly owner = new EngineOwner(this.clock);
  readonly blobs = new MemoryBlobs();
  readonly asked: string[] = [];
  readonly told: string[] = [];
  readonly patience: (number | undefined)[] = [];
  fault: (model: string, turn: number, effort: string | undefined) => CadreError | undefined = () => undefined;
  turns = 4;

  constructor(
    private readonly agent: AgentDefinition,
    options: Parameters<EngineOwner['start']>[1] = {},
  ) {
    this.owner.start([{ id: TASK, title: 'A', instructions: 'Do.' }], options);
  }

  readonly model: ModelPort = {
    quote: ({ model = 'big', maxOutputTokens }) => {
      return { model, maxInputTokens: 1, maxOutputTokens, maxCostMicros: COST[model]!, priced: true };
    },
    complete: async (request) => {
      const model = request.model!;
      const turn = turnOf(request);
      const { effort, patienceMs } = request;
      this.asked.push(`${model} ${turn}${effort === undefined ? '' : ` ${effort}`}`);
      this.told.push(request.messages[0]!.text);
      this.patience.push(patienceMs);
      const fault = this.fault(model, turn, effort);
      if (fault) throw fault;
      const part = turn < this.turns ? callsTools({ name: 'echo', args: { say: `${turn}` } }) : answers(`by ${model}`);
      const used = { inputTokens: 10, outputTokens: 1, costMicros: COST[model]!, priced: true };
      return { model, text: '', toolCalls: [], finish: 'stop', ...used, ...part };
    },
  };

  worker(id: string, diesAt?: number): TestWorker {
    const { clock, owner, blobs, agent } = this;
    return new TestWorker({
      ...{ id, clock, owner, blobs, agent },
      performer: (work) =>
        runAttempt(work, { model: this.model, tools: [echoTool()], clock, chance: { random: () => 0.5 }, readContent: async () => '' }),
      ...(diesAt !== undefined && { diesAt }),
    });
  }

  async live(id: string, diesAt?: number, offered: Parameters<TestWorker['take']>[1] = {}): Promise<TestWorker> {
    const worker = this.worker(id, diesAt);
    worker.take(TASK, offered);
    await this.clock.advance(20_000);
    return worker;
  }

  /** What follows begins once the next attempt may. */
  async lose(workerId: string): Promise<void> {
    this.owner.rig.now = this.clock.now();
    this.owner.rig.send({ type: 'LoseAttempt', taskId: TASK, attempt: this.task.attempt, workerId, reason: 'silent' });
    await this.clock.advance(60_000);
  }

  get task() {
    return this.owner.rig.task(TASK);
  }
}

function turnOf({ messages }: ModelRequest): number {
  return messages.filter((message) => message.role === 'assistant').length;
}

const withFallback = () => sampleAgent({ model: 'big', fallbackModels: ['other'] });

describe('a model that is down', () => {
  test('is tried three times, then the fallback is asked, and stays; three reservations of one call', async () => {
    const stage = new Stage(withFallback());
    stage.fault = (model, turn) => (model === 'big' && turn === 1 ? down() : undefined);
    const worker = await stage.live('w1');
    expect(stage.asked).toEqual(['big 0', 'big 1', 'big 1', 'big 1', 'other 1', 'other 2', 'other 3', 'other 4']);
    expect(stage.task.result).toMatchObject({ answer: { text: 'by other' } });
    const failed = worker.made.filter((call) => call.outcome === 'failed');
    expect(failed.map((call) => call.try)).toEqual([1, 2, 3]);
    expect(new Set(failed.map((call) => call.key)).size).toBe(1);
    expect(stage.owner.rig.run().usage.costMicros).toBe(5000);
    expect(stage.owner.rig.violations()).toEqual([]);
  });

  test('fails the attempt when nothing else is left; the next attempt goes on there', async () => {
    const stage = new Stage(sampleAgent({ model: 'big' }));
    let healed = false;
    stage.fault = (_, turn) => (turn === 2 && !healed ? down() : undefined);
    await stage.live('w1');
    expect(stage.task).toMatchObject({ status: 'ready', attempt: 2, error: { code: 'model-unavailable' } });
    healed = true;
    await stage.clock.advance(60_000);
    await stage.live('w2');
    expect(stage.asked).toEqual(['big 0', 'big 1', 'big 2', 'big 2', 'big 2', 'big 2', 'big 3', 'big 4']);
    expect(stage.task.status).toBe('completed');
    expect(stage.owner.rig.violations()).toEqual([]);
  });

  test('a wait that the server asks for beyond two seconds is left to the engine', async () => {
    const stage = new Stage(sampleAgent({ model: 'big' }));
    stage.fault = () => new CadreError('model-rate-limited', 'Later.', { retriable: true, billed: 'no', retryAfterMs: 60_000 });
    const before = stage.clock.now();
    await stage.live('w1');
    expect(stage.asked).toEqual(['big 0']);
    expect(stage.task.notBefore).toBeGreaterThanOrEqual(before + 60_000);
  });
});

test('a resumed attempt follows the models of its forerunner, wherever that one died', async () => {
  const undisturbed = new Stage(withFallback());
  undisturbed.fault = (model, turn) => (model === 'big' && turn === 1 ? down() : undefined);
  const { steps } = await undisturbed.live('w1');
  for (let diesAt = 1; diesAt <= steps; diesAt += 1) {
    const stage = new Stage(withFallback());
    let dead = false;
    stage.fault = (model, turn) => (model === 'big' && turn === 1 && !dead ? down() : undefined);
    await stage.live('w1', diesAt);
    dead = true;
    await stage.lose('w1');
    const recorded = Object.values(stage.owner.rig.run().calls[TASK] ?? {});
    if (stage.task.status !== 'completed') await stage.live('w2');
    expect(stage.task.status).toBe('completed');
    const others = stage.asked.filter((call) => call.startsWith('other'));
    // A call on its way when the worker died may be made again; nothing else is.
    expect(others.length - new Set(others).size).toBeLessThanOrEqual(1);
    if (recorded.some(({ name, status }) => name === 'other' && status === 'done')) {
      expect(stage.task.result?.answer).toEqual({ text: 'by other' });
      expect(stage.asked.slice(-1)).toEqual(['other 4']);
    }
    expect(stage.owner.rig.violations()).toEqual([]);
  }
  expect(steps).toBeGreaterThan(40);
});

describe('a budget', () => {
  const budget = { runMicros: 2500, onLimit: 'degrade' as const, degradeTo: 'small' };

  test('brings the task to the cheaper model; the result says so', async () => {
    const stage = new Stage(sampleAgent({ model: 'big' }), { budget });
    await stage.live('w1');
    expect(stage.asked).toEqual(['big 0', 'big 1', 'small 2', 'small 3', 'small 4']);
    expect(stage.task.result).toMatchObject({ answer: { text: 'by small' }, degradedTo: 'small' });
    expect(stage.owner.rig.violations()).toEqual([]);
  });

  test('a degraded attempt that died is gone on with: what the dearer model had answered is not asked again', async () => {
    const undisturbed = new Stage(sampleAgent({ model: 'big' }), { budget });
    const { steps } = await undisturbed.live('w1');
    for (let diesAt = 1; diesAt <= steps; diesAt += 1) {
      const stage = new Stage(sampleAgent({ model: 'big' }), { budget });
      await stage.live('w1', diesAt);
      await stage.lose('w1');
      if (stage.task.status !== 'completed') await stage.live('w2');
      expect(stage.task.status).toBe('completed');
      expect(stage.asked.length).toBeLessThanOrEqual(6);
      expect(stage.owner.rig.run().spent.settledMicros).toBeLessThanOrEqual(2500);
      expect(stage.owner.rig.violations()).toEqual([]);
    }
  });

  test('that stops ends the attempt in the same commit; nothing is tried again', async () => {
    const stage = new Stage(withFallback(), { budget: { runMicros: 2500 } });
    const worker = await stage.live('w1');
    expect(stage.asked).toEqual(['big 0', 'big 1']);
    expect(stage.task).toMatchObject({ status: 'failed', error: { code: 'budget-exceeded' } });
    expect(stage.owner.commands.map((command) => command.type)).not.toContain('FailAttempt');
    expect(worker.trouble).toEqual([]);
    expect(stage.owner.rig.violations()).toEqual([]);
  });
});

test('a long attempt: each call costs the owner and the worker the same, however many came before', async () => {
  const agent = sampleAgent({ model: 'big', limits: { maxTokens: 10_000_000 } });
  agent.limits.maxSteps = 1001;
  const stage = new Stage(agent);
  stage.turns = 1000;
  let digested = 0;
  const worker = new TestWorker({
    ...{ id: 'w1', clock: stage.clock, owner: stage.owner, blobs: stage.blobs, agent },
    digest: (text) => ((digested += text.length), plainDigest(text)),
    performer: (work) =>
      runAttempt(work, {
        ...{ model: stage.model, tools: [echoTool()], clock: stage.clock, chance: { random: () => 0.5 } },
        readContent: async () => '',
      }),
  });
  worker.take(TASK);
  await stage.clock.advance(1000);
  expect([stage.task.status, stage.task.error]).toEqual(['completed', undefined]);
  expect(stage.asked).toHaveLength(1001);
  expect(digested / 2001).toBeLessThan(1000);
  const bytes = JSON.stringify(stage.owner.rig.blocks).length;
  expect(bytes / 2001).toBeLessThan(1200);
});

describe('a model whose server has no room', () => {
  const busy = () => new CadreError('model-busy', 'No room.', { retriable: true, billed: 'no' });
  const agent = sampleAgent({ model: 'big', underLoad: { waitMs: 5000, model: 'small' } });
  const crowded = (from: number, options: Parameters<EngineOwner['start']>[1] = {}) => {
    const stage = new Stage(agent, options);
    stage.fault = (model, turn) => (model === 'big' && turn >= from ? busy() : undefined);
    return stage;
  };

  test('is left for the agent’s cheaper one to the end, on the record and on the result', async () => {
    const stage = crowded(2);
    await stage.live('w1');
    expect(stage.asked).toEqual(['big 0', 'big 1', 'big 2', 'small 2', 'small 3', 'small 4']);
    expect(stage.task.result).toMatchObject({ answer: { text: 'by small' }, degradedTo: 'small' });
  });

  test('a later life goes on where the earlier one had gone to, wherever that one died, although there is room again', async () => {
    const { steps } = await crowded(2).live('w1');
    for (let diesAt = 1; diesAt <= steps; diesAt += 2) {
      const stage = crowded(2);
      await stage.live('w1', diesAt);
      stage.fault = () => undefined;
      await stage.lose('w1');
      const recorded = Object.values(stage.owner.rig.run().calls[TASK] ?? {});
      if (stage.task.status !== 'completed') await stage.live('w2');
      expect(stage.task.status).toBe('completed');
      expect(stage.asked.length - new Set(stage.asked).size).toBeLessThanOrEqual(1);
      if (recorded.some(({ name, status }) => name === 'small' && status === 'done')) {
        expect(stage.task.result).toMatchObject({ answer: { text: 'by small' }, degradedTo: 'small' });
      }
      expect(stage.owner.rig.violations()).toEqual([]);
    }
    expect(steps).toBeGreaterThan(30);
  });

  test('a run that asks for a model gets no other', async () => {
    const stage = crowded(2, { model: 'big' });
    await stage.live('w1');
    expect(stage.asked.some((asked) => asked.startsWith('small'))).toBe(false);
  });
});

describe('an agent that thinks less when there is no room', () => {
  const busy = () => new CadreError('model-busy', 'No room.', { retriable: true, billed: 'no' });
  const thinking = { effort: 'high' as const, reflect: 1, alternatives: 2 };
  const less = { effort: 'low' as const, reflect: 0, alternatives: 0 };
  const thinker = (underLoad: object) => sampleAgent({ model: 'big', thinking, underLoad: { waitMs: 5000, ...underLoad } });
  const crowded = (from: number, underLoad: object = less, options: Parameters<EngineOwner['start']>[1] = {}) => {
    const stage = new Stage(thinker(underLoad), options);
    stage.fault = (model, turn, effort) => (model === 'big' && turn >= from && effort === 'high' ? busy() : undefined);
    return stage;
  };

  test('keeps its model, is told so, and the result says how much less', async () => {
    const stage = crowded(2);
    await stage.live('w1');
    expect(stage.asked).toEqual(['big 0 high', 'big 1 high', 'big 2 high', 'big 2 low', 'big 3 low', 'big 4 low']);
    expect(stage.told.map((text) => text.includes('weigh 2 other solutions'))).toEqual([true, true, true, false, false, false]);
    expect(stage.patience).toEqual([5000, 5000, 5000, undefined, undefined, undefined]);
    expect(stage.task.result).toMatchObject({ answer: { text: 'by big' }, reducedTo: less });
    expect(stage.task.result).not.toHaveProperty('degradedTo');
    expect(stage.owner.rig.violations()).toEqual([]);
  });

  test.each<[object, number]>([
    [less, 2],
    [{ reflect: 0 }, 0],
    [{ model: 'small', reflect: 0 }, 1],
  ])('goes on with %j wherever it died, although there is room again', async (underLoad, from) => {
    const once = () => {
      const stage = new Stage(thinker(underLoad));
      let refused = 0;
      stage.fault = (model, turn) => (model === 'big' && turn >= from && (refused += 1) === 1 ? busy() : undefined);
      return stage;
    };
    const { steps } = await once().live('w1');
    for (let diesAt = 1; diesAt <= steps; diesAt += 5) {
      const stage = once();
      await stage.live('w1', diesAt);
      stage.fault = () => undefined;
      await stage.lose('w1');
      const calls = Object.values(stage.owner.rig.run().calls[TASK] ?? {});
      const done = calls.filter(({ name, status }) => name !== 'echo' && status === 'done').length;
      if (stage.task.status !== 'completed') await stage.live('w2');
      expect(stage.task.status).toBe('completed');
      if (done > from) expect(stage.task.result).toMatchObject({ reducedTo: expect.objectContaining({ reflect: 0 }) as object });
      expect(stage.owner.rig.violations()).toEqual([]);
    }
    expect(steps).toBeGreaterThan(30);
  });

  test('leaves out the review for which there is no room', async () => {
    const stage = crowded(5, { reflect: 0 });
    await stage.live('w1');
    expect(stage.asked.slice(-2)).toEqual(['big 4 high', 'big 5 high']);
    expect(stage.task.result).toMatchObject({ answer: { text: 'by big' }, reducedTo: { reflect: 0 } });
  });

  test('gives up both where it says both; a model that the run asks for stays', async () => {
    const both = { model: 'small', effort: 'minimal' as const };
    const stage = crowded(4, both);
    await stage.live('w1');
    expect(stage.asked.slice(-3)).toEqual(['big 4 high', 'small 4 minimal', 'small 5 minimal']);
    expect(stage.task.result).toMatchObject({ degradedTo: 'small', reducedTo: { effort: 'minimal' } });
    const asked = crowded(4, both, { model: 'big' });
    await asked.live('w1');
    expect(asked.asked.slice(-3)).toEqual(['big 4 high', 'big 4 minimal', 'big 5 minimal']);
    expect(asked.task.result).not.toHaveProperty('degradedTo');
  });

  test('an agent that does not think may still be asked with less effort', async () => {
    const stage = new Stage(sampleAgent({ model: 'big', underLoad: { waitMs: 5, effort: 'low' } }));
    stage.fault = (_, turn, effort) => (turn >= 3 && effort === undefined ? busy() : undefined);
    await stage.live('w1');
    expect(stage.asked.slice(-3)).toEqual(['big 3', 'big 3 low', 'big 4 low']);
    expect(stage.task.result).toMatchObject({ reducedTo: { effort: 'low' } });
  });
});

describe('a task that has waited too long for a slot', () => {
  const thinking = { effort: 'high' as const, reflect: 1 };
  const agent = sampleAgent({ model: 'big', thinking, underLoad: { queueMs: 5000, model: 'small', effort: 'low' } });
  const begun = async (queuedMs: number, options: Parameters<EngineOwner['start']>[1] = {}, of = agent) => {
    const stage = new Stage(of, options);
    await stage.live('w1', undefined, { queuedMs });
    return stage;
  };

  test('is begun with what the agent gives up for that, asks for no patience, and its result says so', async () => {
    const stage = await begun(5000);
    expect(new Set(stage.asked.map((asked) => asked.replace(/ \d /, ' ')))).toEqual(new Set(['small low']));
    expect(stage.patience.every((ms) => ms === undefined)).toBe(true);
    expect(stage.task.result).toMatchObject({ degradedTo: 'small', reducedTo: { effort: 'low' }, queuedMs: 5000 });
    expect(stage.owner.rig.violations()).toEqual([]);
  });

  test('is begun as ever when it has waited for less, or a stand-in that gives up nothing does it', async () => {
    for (const stage of [await begun(4999), await begun(9000, {}, sampleAgent({ model: 'big', thinking }))]) {
      expect(stage.asked[0]).toBe('big 0 high');
      expect(stage.task.result).not.toHaveProperty('degradedTo');
    }
  });

  test('keeps the model that the run asks for', async () => {
    const stage = await begun(9000, { model: 'big' });
    expect(stage.asked[0]).toBe('big 0 low');
    expect(stage.task.result).not.toHaveProperty('degradedTo');
  });

  test('a later life goes on where the earlier one had begun, although that one is told of no wait', async () => {
    const { steps } = await new Stage(agent).live('w1', undefined, { queuedMs: 5000 });
    for (let diesAt = 1; diesAt <= steps; diesAt += 5) {
      const stage = new Stage(agent);
      await stage.live('w1', diesAt, { queuedMs: 5000 });
      await stage.lose('w1');
      const calls = Object.values(stage.owner.rig.run().calls[TASK] ?? {});
      if (stage.task.status !== 'completed') await stage.live('w2');
      expect(stage.task.status).toBe('completed');
      if (calls.some(({ name, status }) => name === 'small' && status === 'done'))
        expect(stage.task.result).toMatchObject({ degradedTo: 'small' });
      expect(stage.owner.rig.violations()).toEqual([]);
    }
  });
});

test('nothing is given up where the run forbids it, however long its calls wait', async () => {
  const stage = new Stage(sampleAgent({ model: 'big', underLoad: { waitMs: 5, model: 'small' } }), { underLoad: 'never' });
  await stage.live('w1');
  expect(stage.patience.every((ms) => ms === undefined)).toBe(true);
});
