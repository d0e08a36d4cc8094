/** Attempts that asked together, in the log: each reserved, settled, resumed and billed by itself, wherever their worker dies. */
import { CadreError } from '@cadre/contracts';
import { runAttempt } from '../run-attempt.js';
import type { ModelPort, ModelRequest } from '../ports.js';
import {
  EngineOwner,
  MemoryBlobs,
  ScriptedModel,
  TestWorker,
  VirtualClock,
  answers,
  echoTool,
  plainDigest,
  sampleAgent,
  sampleAssignment,
  soloWork,
} from '../testing/index.js';
import { BatchingModel } from './batching-model.js';

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));
const TASKS = ['a', 'b', 'c', 'd'];
/** For it there is no answer among those of others. */
const MISSED = 'c';

class World {
  readonly clock = new VirtualClock(turnOfLoop);
  readonly owner = new EngineOwner(this.clock);
  readonly blobs = new MemoryBlobs();
  /** The tasks of each call that the server has worked for. */
  readonly calls: string[][] = [];
  costMicros = 0;
  fault: (tasks: string[]) => CadreError | undefined = () => undefined;
  private readonly agent = sampleAgent({ tools: [], batch: { maxTasks: 10, waitMs: 20 }, instructions: 'Sort letters. '.repeat(40) });

  constructor(options: Parameters<EngineOwner['start']>[1] = {}) {
    this.owner.start(
      TASKS.map((id) => ({ id, title: id, instructions: `Sort ${id}.` })),
      options,
    );
  }

  worker(id: string, diesAt?: number): TestWorker {
    const server = this.server(() => worker.dead);
    const { clock, owner, blobs, agent } = this;
    const model = new BatchingModel(server, { clock, most: 10, digest: plainDigest });
    const worker: TestWorker = new TestWorker({
      ...{ id, clock, owner, blobs, agent },
      performer: (work) => runAttempt(work, { model, tools: [], clock, chance: { random: () => 0.5 }, readContent: async () => '' }),
      ...(diesAt !== undefined && { diesAt }),
    });
    return worker;
  }

  /** A worker that takes all that is open, until it can do no more. */
  async live(id: string, diesAt?: number): Promise<TestWorker> {
    const worker = this.worker(id, diesAt);
    for (const task of TASKS) if (this.owner.rig.task(task).status === 'ready') worker.take(task);
    await this.clock.advance(20_000);
    return worker;
  }

  async lose(workerId: string): Promise<void> {
    const { rig } = this.owner;
    rig.now = this.clock.now();
    for (const taskId of TASKS) {
      const { status, attempt } = rig.task(taskId);
      if (status === 'running') rig.send({ type: 'LoseAttempt', taskId, attempt, workerId, reason: 'silent' });
    }
    await this.clock.advance(60_000);
  }

  get statuses(): string[] {
    return TASKS.map((id) => this.owner.rig.task(id).status);
  }

  private server(isDead: () => boolean): ModelPort {
    const priceOf = (request: ModelRequest, output: number) => request.messages.reduce((all, { text }) => all + text.length, 0) + output;
    return {
      quote: (request) => {
        const { maxOutputTokens } = request;
        return { model: 'm', maxInputTokens: 1, maxOutputTokens, maxCostMicros: priceOf(request, maxOutputTokens), priced: true };
      },
      complete: async (request) => {
        if (isDead()) return new Promise(() => undefined);
        const user = JSON.parse(request.messages.at(-1)!.text) as {
          task?: { id: string };
          tasks?: { number: number; task: { id: string } }[];
        };
        const tasks = user.tasks?.map(({ task }) => task.id) ?? [user.task!.id];
        this.calls.push(tasks);
        const fault = this.fault(tasks);
        if (fault) throw fault;
        const one = (id: string) => ({ answer: `sorted ${id}`, confidence: 1 });
        const answers = user.tasks?.filter(({ task }) => task.id !== MISSED).map(({ number, task }) => ({ task: number, ...one(task.id) }));
        const text = JSON.stringify(answers ? { answers } : one(tasks[0]!));
        const costMicros = priceOf(request, text.length);
        this.costMicros += costMicros;
        await new Promise<void>((resolve) => void this.clock.after(50, resolve));
        return { model: 'm', text, toolCalls: [], finish: 'stop', inputTokens: 100, outputTokens: 30, costMicros, priced: true };
      },
    };
  }
}

const modelCalls = (world: World) => world.owner.of('RecordCalls').flatMap(({ reserve }) => reserve);

test('one call for all; what it brought for nobody is asked again alone, as the next call; the bill is that of the server', async () => {
  const world = new World();
  const worker = await world.live('w1');
  expect(world.statuses).toEqual(Array(4).fill('completed'));
  for (const id of TASKS) expect(world.owner.rig.task(id).result?.answer).toEqual({ text: `sorted ${id}` });
  expect(world.calls).toEqual([TASKS, [MISSED]]);
  expect(modelCalls(world)).toHaveLength(5);
  const together = 'one of 4 tasks in a call';
  expect(worker.made.map(({ note }) => note).sort()).toEqual([
    'final message',
    ...Array<string>(3).fill(`final message, ${together}`),
    `no answer, ${together}`,
  ]);
  expect(world.owner.rig.run().spent.settledMicros).toBe(world.costMicros);
  expect(world.owner.rig.violations()).toEqual([]);
});

test('wherever the worker dies, each attempt goes on from its own record, alone, and no call is billed less than it cost', async () => {
  const { steps } = await new World().live('w1');
  for (let diesAt = 1; diesAt <= steps; diesAt += 1) {
    const world = new World();
    await world.live('w1', diesAt);
    await world.lose('w1');
    const { rig } = world.owner;
    const known = TASKS.filter((id) => Object.values(rig.run().calls[id] ?? {}).some(({ status }) => status === 'done'));
    const before = world.calls.length;
    for (let life = 2; world.statuses.some((status) => status !== 'completed') && life < 5; life += 1) await world.live(`w${life}`);
    expect(world.statuses).toEqual(Array(4).fill('completed'));
    for (const id of TASKS) expect(rig.task(id).result?.answer).toEqual({ text: `sorted ${id}` });
    const later = world.calls.slice(before);
    // What was never begun is a first attempt still.
    for (const tasks of later) if (tasks.length > 1) expect(tasks.every((id) => rig.task(id).attempt === 1)).toBe(true);
    for (const id of known.filter((each) => each !== MISSED)) expect(later.flat()).not.toContain(id);
    expect(rig.run().spent.settledMicros).toBeGreaterThanOrEqual(world.costMicros);
    expect(rig.violations()).toEqual([]);
  }
  expect(steps).toBeGreaterThan(30);
});

test('a call for all that is refused for what it holds is made for each alone; one that nobody may know of is not made together again', async () => {
  for (const [code, billed] of [['model-context-exceeded', 'no'] as const, ['model-unavailable', 'unknown'] as const]) {
    const world = new World();
    world.fault = (tasks) =>
      tasks.length > 1 ? new CadreError(code, 'So.', { retriable: code === 'model-unavailable', billed }) : undefined;
    await world.live('w1');
    expect(world.statuses).toEqual(Array(4).fill('completed'));
    expect(world.calls.map(({ length }) => length)).toEqual([4, 1, 1, 1, 1]);
    expect(world.owner.rig.violations()).toEqual([]);
  }
});

test('what the server surely did not take is tried together again', async () => {
  const world = new World();
  let times = 0;
  const limited = new CadreError('model-rate-limited', 'Later.', { retriable: true, billed: 'no', retryAfterMs: 500 });
  world.fault = () => ((times += 1) === 1 ? limited : undefined);
  await world.live('w1');
  expect(world.statuses).toEqual(Array(4).fill('completed'));
  expect(world.calls.map(({ length }) => length)).toEqual([4, 4, 1]);
});

test('a budget that has room for some reserves for these, and only these are asked for', async () => {
  const one = new World();
  await one.live('w1');
  const { maxCostMicros } = modelCalls(one)[0]!;
  const world = new World({ budget: { runMicros: 2 * maxCostMicros + 10, onLimit: 'ask' } });
  await world.live('w1');
  expect(world.calls[0]).toEqual(['a', 'b']);
  expect(world.statuses).toEqual(['completed', 'completed', 'asking', 'asking']);
  expect(world.owner.rig.violations()).toEqual([]);
});

describe('what the loop says of a call', () => {
  const clock = { now: () => 1000, soon: () => undefined, after: () => () => undefined };
  const asked = async (
    about: Parameters<typeof sampleAssignment>[0],
    tools: string[],
    ...turns: ConstructorParameters<typeof ScriptedModel>[0]
  ) => {
    const agent = sampleAgent({ tools, batch: { maxTasks: 5, waitMs: 20 } });
    const model = new ScriptedModel(turns);
    const { work } = soloWork({ assignment: sampleAssignment({ tools, ...about }), agent });
    await runAttempt(work, { model, tools: [echoTool()], clock, chance: { random: () => 0.5 }, readContent: async () => '' });
    return model.requests;
  };

  test('it may be made with others of its tenant, run and agent, once', async () => {
    const broken = { text: '{"answer":""}', tasks: 3 };
    const [first, second, third] = await asked({}, [], broken, { text: 'What?' }, answers('A'));
    const { tenant, runId } = sampleAssignment();
    expect(first?.batch).toEqual({ group: JSON.stringify([tenant, runId, 'generalist']), maxTasks: 5, waitMs: 20 });
    expect([second, third].map((request) => request?.batch)).toEqual([undefined, undefined]);
    // The same again; alone it would have been asked to repair its message, as it is the next time.
    expect(second?.messages).toEqual(first?.messages);
    expect(third?.messages.at(-1)?.text).toContain('"repair"');
  });

  test.each<[string, Parameters<typeof sampleAssignment>[0], string[]]>([
    ['a second attempt', { attempt: 2 }, []],
    ['the answer of a run', { kind: 'answer' }, []],
    ['an agent that may call tools', {}, ['echo']],
  ])('that of %s may not', async (_, about, tools) => {
    const [first] = await asked(about, tools, answers('A'));
    expect(first).not.toHaveProperty('batch');
  });
});
