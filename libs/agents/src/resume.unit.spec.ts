/** A worker dies at each of its steps; another goes on. The engine's own rules decide what is on record. */
import { Thinking } from '@cadre/contracts';
import type { AgentDefinition, Json } from '@cadre/contracts';
import fc from 'fast-check';
import { z } from 'zod';
import type { Performer } from './performer.js';
import type { ModelMessage, ModelPort, Tool } from './ports.js';
import { TOOL_OUTPUT_BYTES } from './result-shelf.js';
import { runAttempt } from './run-attempt.js';
import {
  EngineOwner,
  MemoryBlobs,
  MemoryFiles,
  RUN_ID,
  TestWorker,
  VirtualClock,
  answers,
  callsTools,
  sampleAgent,
} from './testing/index.js';

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

const TASK = 'analyse';

/** By turn of the model: the tools that it calls. */
type Story = ('note' | 'charge' | 'send' | 'look' | 'long' | 'read_result')[][];

/** The world: what models and tools were really asked, by key. */
class World {
  readonly clock = new VirtualClock(turnOfLoop);
  readonly blobs = new MemoryBlobs();
  readonly owner = new EngineOwner(this.clock);
  readonly modelCalls: string[] = [];
  /** By key of the call of a model: the tools that it was told of, each time. */
  readonly told = new Map<string, Set<string>>();
  readonly toolCalls: string[] = [];
  readonly sent: string[] = [];
  readonly sentKeys = new Set<string>();
  readonly charged = new Set<string>();
  readonly agent: AgentDefinition;

  constructor(
    private readonly story: Story,
    thinking?: AgentDefinition['thinking'],
  ) {
    this.agent = sampleAgent({ tools: ['note', 'send', 'charge', 'look', 'long'], thinking });
  }

  /** Its replies depend on nothing but the conversation. */
  readonly model: ModelPort = {
    quote: ({ model = 'm', maxOutputTokens }) => ({ model, maxInputTokens: 1, maxOutputTokens, maxCostMicros: 1000, priced: true }),
    complete: async ({ messages, tools, callKey }) => {
      this.modelCalls.push(callKey!);
      this.told.set(callKey!, (this.told.get(callKey!) ?? new Set()).add(tools.map(({ name }) => name).join(' ')));
      await this.takes(50);
      const turn = messages.filter((message) => message.role === 'assistant').length;
      const part = this.turnOf(turn, messages);
      return {
        model: 'm',
        text: '',
        toolCalls: [],
        finish: 'stop',
        inputTokens: 100,
        outputTokens: 7,
        costMicros: 300,
        priced: true,
        ...part,
      };
    },
  };

  performer(): Performer {
    return async (work) => {
      const files = new MemoryFiles(this.blobs);
      const performance = await runAttempt(work, {
        model: this.model,
        tools: this.tools(files),
        files,
        clock: this.clock,
        chance: { random: () => 0.5 },
        readContent: async () => '',
      });
      return { ...performance, artifacts: await files.artifacts() };
    };
  }

  worker(id: string, diesAt?: number, latencyMs?: number): TestWorker {
    const { clock, owner, blobs, agent } = this;
    const special = { ...(diesAt !== undefined && { diesAt }), ...(latencyMs !== undefined && { latencyMs }) };
    return new TestWorker({ id, clock, owner, blobs, agent, performer: this.performer(), ...special });
  }

  /** Answers an open question by what really happened. */
  answerQuestions(): number {
    const { rig } = this.owner;
    const open = Object.values(rig.run().questions).filter((question) => question.answer === undefined);
    for (const question of open) {
      const happened = this.sentKeys.has(question.key!);
      const choice = happened ? ('done' as const) : ('repeat' as const);
      const result = happened ? { result: { receipt: 'first' } } : {};
      rig.now = this.clock.now();
      const decision = rig.send({
        type: 'AnswerQuestion',
        tenant: 'default',
        questionId: question.questionId,
        choice,
        by: 'me',
        ...result,
      });
      if (decision.outcome !== 'accepted') throw new Error(JSON.stringify(decision));
    }
    return open.length;
  }

  private tools(files: MemoryFiles): Tool[] {
    return [
      this.tool('note', 'none', ({ text }) => (files.write(`notes/${text}.txt`, `noted ${text}`), { noted: text })),
      this.tool('look', 'none', () => ({ files: [...files.files.keys()].sort() })),
      this.tool('long', 'none', () => ({ long: 'x'.repeat(TOOL_OUTPUT_BYTES) })),
      this.tool('charge', 'idempotent', (_, key) => (this.charged.add(key), { charged: true })),
      this.tool('send', 'once', ({ text }, key) => (this.sent.push(text), this.sentKeys.add(key), { receipt: 'first' })),
    ];
  }

  private tool(name: string, effect: Tool['effect'], run: (args: { text: string }, key: string) => Json): Tool {
    return {
      ...{ name, effect, description: name },
      parameters: z.strictObject({ text: z.string() }),
      run: async (args, { key }) => {
        this.toolCalls.push(`${name} ${key}`);
        await this.takes(20);
        return run(args as { text: string }, key);
      },
    };
  }

  private turnOf(turn: number, messages: ModelMessage[]) {
    const names = this.story[turn];
    if (names)
      return callsTools(
        ...names.map((name) => ({ name, args: name === 'read_result' ? { result: 1, search: 'long' } : { text: `t${turn}` } })),
      );
    const said = messages.flatMap((message) => (message.role === 'tool' ? [message.text.slice(0, 1000)] : []));
    const reviews = messages.filter((message) => message.text.startsWith('{"review"')).length;
    const reasoning = reviews > 0 ? { reasoning: `Review ${reviews}.`, reasoningTokens: 20 } : {};
    return { ...answers(`${said.join(' | ') || '(nothing)'}${reviews > 0 ? ` reviewed ${reviews}` : ''}`, 0.8), ...reasoning };
  }

  private takes(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(ms, resolve));
  }
}

const STORY: Story = [['note', 'charge'], ['send'], ['note', 'note', 'look']];

function began(story: Story = STORY, thinking?: AgentDefinition['thinking']): World {
  const world = new World(story, thinking);
  world.owner.start([{ id: TASK, title: 'Analyse', instructions: 'Find it.' }], thinking ? { collectThinking: true } : {});
  return world;
}

/** Offers the task until it has ended; of the workers that take it, the first ones die at these of their steps. */
async function lived(world: World, ...deaths: number[]): Promise<{ first: TestWorker; workers: number; died: number }> {
  const { rig } = world.owner;
  let first: TestWorker | undefined;
  let died = 0;
  for (let workers = 1; workers < 20; workers += 1) {
    const worker = world.worker(`w${workers}`, deaths[workers - 1]);
    first ??= worker;
    const { ending } = worker.take(TASK);
    await world.clock.advance(10_000);
    if (worker.dead) died += 1;
    else await ending;
    const { attempt, status } = rig.task(TASK);
    if (status === 'completed') return { first, workers, died };
    rig.now = world.clock.now();
    if (status === 'running') rig.send({ type: 'LoseAttempt', taskId: TASK, attempt, workerId: `w${workers}`, reason: 'silent' });
    world.answerQuestions();
    await world.clock.advance(60_000);
  }
  throw new Error(`it did not end: ${JSON.stringify(rig.task(TASK))}`);
}

const times = (calls: string[]): number[] => [...new Set(calls)].map((call) => calls.filter((other) => other === call).length);

describe('an attempt that dies at any of its steps', () => {
  test('is gone on with: same answer, same files, each call made once but for the one whose answer had not been recorded', async () => {
    const undisturbed = began();
    const { first, workers } = await lived(undisturbed);
    expect(workers).toBe(1);
    const wanted = undisturbed.owner.rig.task(TASK);
    expect(wanted.result?.answer).toMatchObject({ text: expect.stringContaining('notes/t0.txt') });
    expect(wanted.result?.artifacts.map(({ name }) => name)).toEqual(['notes/t0.txt', 'notes/t2.txt']);
    expect([undisturbed.modelCalls.length, undisturbed.toolCalls.length]).toEqual([4, 6]);
    expect(undisturbed.owner.rig.violations()).toEqual([]);
    for (let diesAt = 1; diesAt <= first.steps; diesAt += 1) {
      const world = began();
      const story = await lived(world, diesAt);
      const { rig } = world.owner;
      expect(story.first.dead).toBe(true);
      expect(rig.task(TASK).result).toEqual(wanted.result);
      const calls = [...world.modelCalls, ...world.toolCalls];
      expect(new Set(calls)).toEqual(new Set([...undisturbed.modelCalls, ...undisturbed.toolCalls]));
      expect(times(calls).filter((count) => count > 1).length).toBeLessThanOrEqual(1);
      expect(calls.length).toBeLessThanOrEqual(11);
      expect(world.sent).toEqual(['t1']);
      expect(world.charged.size).toBe(1);
      expect(rig.violations()).toEqual([]);
      const extra = rig.run().usage.costMicros - undisturbed.owner.rig.run().usage.costMicros;
      // At most one call is billed twice: at its reservation, as nobody knows how it ended.
      expect([0, 1000]).toContain(extra);
    }
    expect(first.steps).toBeGreaterThan(50);
  });

  test('also while it reviews its answer: same calls, same answer, same thoughts', async () => {
    const thinking = Thinking.parse({ reflect: 2, effort: 'low' });
    const undisturbed = began([['note']], thinking);
    const { first } = await lived(undisturbed);
    const wanted = undisturbed.owner.rig.task(TASK).result;
    expect(wanted?.answer).toMatchObject({ text: expect.stringContaining('reviewed 2') });
    expect(wanted?.thinking).toMatchObject({ preview: expect.stringContaining('Review 1.') });
    expect(undisturbed.modelCalls).toHaveLength(4);
    for (let diesAt = 1; diesAt <= first.steps; diesAt += 1) {
      const world = began([['note']], thinking);
      expect((await lived(world, diesAt)).first.dead).toBe(true);
      expect(world.owner.rig.task(TASK).result).toEqual(wanted);
      expect(new Set(world.modelCalls)).toEqual(new Set(undisturbed.modelCalls));
      expect(world.modelCalls.length).toBeLessThanOrEqual(5);
      expect(world.owner.rig.violations()).toEqual([]);
    }
  });

  test('also around a result that is too long to be shown: the rest is offered from there on, under the same keys', async () => {
    const story: Story = [['note'], ['long'], ['read_result']];
    const undisturbed = began(story);
    const { first } = await lived(undisturbed);
    const offered = [...undisturbed.told.values()].map((each) => [...each].map((names) => names.endsWith(' read_result')));
    expect(offered).toEqual([[false], [false], [true], [true]]);
    for (let diesAt = 1; diesAt <= first.steps; diesAt += 1) {
      const world = began(story);
      expect((await lived(world, diesAt)).first.dead).toBe(true);
      expect(world.told).toEqual(undisturbed.told);
      expect(world.modelCalls.length).toBeLessThanOrEqual(5);
      expect(world.owner.rig.task(TASK).result).toEqual(undisturbed.owner.rig.task(TASK).result);
      expect(world.owner.rig.violations()).toEqual([]);
    }
  });

  test('whatever it does, and however many die: each recorded call is made once, each effect happens once', async () => {
    const tool = fc.constantFrom('note' as const, 'charge' as const, 'send' as const, 'look' as const);
    const story = fc.array(fc.array(tool, { minLength: 1, maxLength: 3 }), { maxLength: 4 });
    const deaths = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(story, deaths, async (turns, dying) => {
        const [calm, world] = [began(turns), began(turns)];
        await lived(calm);
        const { died } = await lived(world, ...dying);
        expect(world.owner.rig.task(TASK).result).toEqual(calm.owner.rig.task(TASK).result);
        const [wanted, made] = [calm, world].map(({ modelCalls, toolCalls }) => [...modelCalls, ...toolCalls]);
        expect(new Set(made)).toEqual(new Set(wanted));
        expect(made!.length - wanted!.length).toBeLessThanOrEqual(died);
        expect([world.sent, world.charged]).toEqual([calm.sent, calm.charged]);
        expect(world.owner.rig.violations()).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

test('what was handed back is gone on with; nothing is paid twice', async () => {
  const world = began();
  const { rig } = world.owner;
  const { work, ending } = world.worker('w1').take(TASK);
  // Within the second model call.
  await world.clock.advance(110);
  work.release();
  await world.clock.advance(1);
  expect(await ending).toBe('released');
  expect(world.owner.of('ReleaseAttempt')[0]?.settle).toMatchObject([{ outcome: 'unknown', costMicros: 1000 }]);
  const { workers } = await lived(world);
  expect(workers).toBe(1);
  expect(times(world.modelCalls)).toEqual([1, 2, 1, 1]);
  expect(times(world.toolCalls)).toEqual([1, 1, 1, 1, 1, 1]);
  expect(rig.task(TASK)).toMatchObject({ attempt: 2, counted: 0 });
  expect(rig.violations()).toEqual([]);
});

test('whenever it is handed back: only a call on its way is made again, and what was not made is not billed', async () => {
  for (let afterMs = 0; afterMs < 440; afterMs += 3) {
    const world = began();
    const { rig } = world.owner;
    const { work, ending } = world.worker('w1', undefined, 5).take(TASK);
    await world.clock.advance(afterMs);
    const asked = [...world.modelCalls, ...world.toolCalls].join();
    work.release();
    await world.clock.advance(100);
    expect(['released', 'completed', 'refused']).toContain(await ending);
    const unknown = rig.blocks
      .flatMap(({ block }) => block.commits.flatMap(({ events }) => events))
      .flatMap((event) => (event.type === 'CallsSettled' ? event.calls.filter((call) => call.outcome === 'unknown') : []));
    expect(unknown.length).toBeLessThanOrEqual(1);
    world.answerQuestions();
    if (rig.task(TASK).status !== 'completed') await lived(world);
    const calls = [...world.modelCalls, ...world.toolCalls];
    expect(calls.length - new Set(calls).size).toBeLessThanOrEqual(1);
    for (const { key } of unknown) expect(asked).toContain(key);
    expect(world.sent).toEqual(['t1']);
    expect(rig.violations()).toEqual([]);
  }
});

test('a call of a run that is cancelled is stopped at once and settled, and the attempt says so', async () => {
  const world = began();
  const { rig } = world.owner;
  const { work, ending } = world.worker('w1').take(TASK);
  await world.clock.advance(110);
  rig.now = world.clock.now();
  rig.send({ type: 'CancelRun', tenant: 'default', reason: 'enough' });
  expect(rig.run().status).toBe('cancelling');
  work.cancel();
  await world.clock.advance(0);
  expect(await ending).toBe('failed');
  expect(world.owner.of('FailAttempt')).toMatchObject([{ error: { code: 'cancelled' }, settle: [{ outcome: 'unknown' }] }]);
  expect(rig.runs.get(RUN_ID)?.status).toBe('cancelled');
  expect(rig.violations()).toEqual([]);
});

test('an attempt of a run that is cancelled is closed by its next reservation, even if nobody told the worker', async () => {
  const world = began();
  const { rig } = world.owner;
  const { ending } = world.worker('w1').take(TASK);
  await world.clock.advance(110);
  rig.now = world.clock.now();
  rig.send({ type: 'CancelRun', tenant: 'default', reason: 'enough' });
  await world.clock.advance(5000);
  expect(await ending).toBe('dropped');
  expect(world.modelCalls).toHaveLength(2);
  expect(rig.runs.get(RUN_ID)?.status).toBe('cancelled');
  expect(rig.violations()).toEqual([]);
});
