/**
 * An agent that remembers, over the tasks of a run; its workers die at each of their steps. The engine's own rules decide what is on
 * record.
 */
import { CadreError, MEMORY_TOOL } from '@cadre/contracts';
import type { AgentDefinition, MemoryRecord } from '@cadre/contracts';
import { AgentMemories } from '@cadre/engine';
import type { MemoryStore } from '@cadre/engine';
import { MemoryMemories } from '@cadre/engine/testing';
import type { ModelPort, ModelRequest } from '../ports.js';
import { runAttempt } from '../run-attempt.js';
import { EngineOwner, MemoryBlobs, RUN_ID, TestWorker, VirtualClock, answers, sampleAgent } from '../testing/index.js';

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));
const NAMES = ['one', 'two', 'three'];
const LONG = 'and so on '.repeat(22);

type Settings = Parameters<typeof sampleAgent>[0];

/** The same agent does three tasks, one after the other; before the last one its memory is over its threshold. */
class Diary {
  readonly clock = new VirtualClock(turnOfLoop);
  readonly owner = new EngineOwner(this.clock);
  readonly blobs = new MemoryBlobs();
  readonly agent: AgentDefinition;
  store: MemoryStore = new MemoryMemories(() => this.clock.now());
  /** Keys of model calls, and of those that asked for a summary. */
  readonly asked: string[] = [];
  readonly summaries: string[] = [];
  /** What the model answers when it is asked for a summary. */
  summarise: () => string = () => 'summed up';
  summaryMicros = 1000;
  /** Asked before each task's reply. */
  onTask: (task: string) => Promise<void> = async () => undefined;

  constructor({ memory = { maxTokens: 200, keepLast: 2 }, ...rest }: NonNullable<Settings> = {}) {
    this.agent = sampleAgent({ tools: [], memory, ...rest });
  }

  begin(options: Parameters<EngineOwner['start']>[1] = {}, more: object = {}): this {
    this.owner.start(
      NAMES.map((id, n) => ({ id, title: 'Note', instructions: `${id} ${LONG}`, dependsOn: n > 0 ? [NAMES[n - 1]!] : [], ...more })),
      options,
    );
    return this;
  }

  get memories(): AgentMemories {
    return new AgentMemories({ store: this.store, clock: this.clock, chance: { random: () => 0.5 } });
  }

  remembered(): Promise<MemoryRecord | undefined> {
    return this.memories.look('default', 'generalist', this.agent.memory?.scope === 'tenant' ? undefined : RUN_ID);
  }

  answerOf(task: string): unknown {
    const answer = this.owner.rig.task(task).result?.answer;
    return answer && 'text' in answer ? JSON.parse(answer.text) : undefined;
  }

  private readonly model: ModelPort = {
    quote: (request) => {
      const maxCostMicros = isSummary(request) ? this.summaryMicros : 1000;
      return { model: 'm', maxInputTokens: 1, maxOutputTokens: request.maxOutputTokens, maxCostMicros, priced: true };
    },
    complete: async (request) => {
      this.asked.push(request.callKey!);
      await new Promise<void>((resolve) => void this.clock.after(50, resolve));
      const usage = { model: 'm', toolCalls: [], finish: 'stop' as const, inputTokens: 10, outputTokens: 5, costMicros: 300, priced: true };
      if (isSummary(request)) {
        this.summaries.push(request.callKey!);
        return { ...usage, text: this.summarise() };
      }
      const { memory, task } = readTask(request);
      await this.onTask(task);
      return { ...usage, text: answers(JSON.stringify({ task, memory })).text! };
    },
  };

  /** Does what is ready until the run has ended. @param diesAt step, over all workers, at which the one at work dies */
  async live(diesAt?: number): Promise<{ steps: number; died: boolean }> {
    const { rig } = this.owner;
    let [steps, died] = [0, false];
    for (let turn = 1; turn < 30 && rig.shard.open[RUN_ID]; turn += 1) {
      const ready = Object.values(rig.run().tasks).find(({ status }) => status === 'ready');
      if (!ready) throw new Error('nothing is ready, and the run has not ended');
      const left = diesAt === undefined || died ? undefined : diesAt - steps;
      const worker = this.worker(`w${turn}`, left);
      const { ending } = worker.take(ready.spec.id);
      await this.clock.advance(15_000);
      steps += worker.steps;
      died ||= worker.dead;
      if (!worker.dead) await ending;
      const { attempt, status, spec } = rig.task(ready.spec.id);
      rig.now = this.clock.now();
      if (status === 'running') rig.send({ type: 'LoseAttempt', taskId: spec.id, attempt, workerId: `w${turn}`, reason: 'silent' });
      await this.clock.advance(60_000);
    }
    return { steps, died };
  }

  private worker(id: string, diesAt: number | undefined): TestWorker {
    const { clock, owner, blobs, agent, model, memories } = this;
    return new TestWorker({
      ...{ id, clock, owner, blobs, agent, ...(diesAt !== undefined && { diesAt }) },
      performer: (work) =>
        runAttempt(work, { ...{ model, tools: [], clock, memories }, chance: { random: () => 0.5 }, readContent: async () => '' }),
    });
  }
}

function isSummary({ messages }: Pick<ModelRequest, 'messages'>): boolean {
  return messages.at(-1)?.text.startsWith('{"summarise"') ?? false;
}

interface Told {
  summary?: string;
  note?: string;
  messages: { task: string; asked?: string; answered?: string }[];
}

/** What the model reads of its memory: the summary, the note, and the tasks that it remembers. */
function readTask({ messages }: Pick<ModelRequest, 'messages'>) {
  const said = messages.slice(1).map(({ text }) => JSON.parse(text) as { memory?: Told; task?: { id: string } });
  const memory = said.find((message) => message.memory)?.memory;
  const tasks = [...new Set(memory?.messages.map(({ task }) => task))];
  const { summary, note } = memory ?? {};
  const told = { ...(summary !== undefined && { summary }), ...(note !== undefined && { note: note.slice(0, 7) }), tasks };
  return { task: said.at(-1)!.task!.id, memory: memory && told };
}

const textsOf = (memory: MemoryRecord | undefined) => memory && { ...memory, messages: memory.messages.map(({ at: _, ...rest }) => rest) };
const repeated = (calls: string[]) => calls.filter((call, n) => calls.indexOf(call) !== n).length;
const memoryCalls = ({ owner }: Diary) =>
  owner.of('RecordCalls').flatMap(({ reserve }) => reserve.filter(({ name }) => name === MEMORY_TOOL));

test('each task is told what was asked and answered before; what is too much is summed up, but for the last', async () => {
  const diary = new Diary().begin();
  await diary.live();
  expect(NAMES.map((name) => diary.answerOf(name))).toEqual([
    { task: 'one' },
    { task: 'two', memory: { tasks: ['one'] } },
    { task: 'three', memory: { summary: 'summed up', tasks: ['two'] } },
  ]);
  const memory = await diary.remembered();
  expect(memory).toMatchObject({ agent: 'generalist', runId: RUN_ID, summary: 'summed up', summarised: 2, leftOut: 0 });
  expect(memory?.messages.map(({ role, taskId }) => [role, taskId])).toEqual([
    ['user', 'two'],
    ['assistant', 'two'],
    ['user', 'three'],
    ['assistant', 'three'],
  ]);
  expect(memory?.messages[0]?.text.startsWith('Note: two and so on')).toBe(true);
  // The summary is paid like any other call of the attempt.
  expect(diary.owner.rig.run().usage).toMatchObject({ modelCalls: 4, costMicros: 1200 });
  expect(diary.owner.rig.violations()).toEqual([]);
});

test('whoever goes on after a death has the same memory, and pays and adds nothing twice', async () => {
  const undisturbed = new Diary().begin();
  const { steps } = await undisturbed.live();
  const wanted = textsOf(await undisturbed.remembered());
  // From the end of the second task on; before it there is nothing that is not there again.
  for (let diesAt = Math.floor(steps / 2); diesAt <= steps; diesAt += 1) {
    const diary = new Diary().begin();
    expect((await diary.live(diesAt)).died).toBe(true);
    expect(NAMES.map((name) => diary.answerOf(name))).toEqual(NAMES.map((name) => undisturbed.answerOf(name)));
    expect(textsOf(await diary.remembered())).toEqual(wanted);
    // Their keys differ from world to world: what is remembered says when.
    expect(new Set(diary.asked).size).toBe(undisturbed.asked.length);
    // But for the one whose answer had not been recorded.
    expect(repeated(diary.asked)).toBeLessThanOrEqual(1);
    expect(diary.owner.rig.violations()).toEqual([]);
  }
});

test('what others add while an attempt is gone is read by the next task, not by the next attempt', async () => {
  const diary = new Diary({ memory: { scope: 'tenant', maxTokens: 50_000 } }).begin();
  const other = { runId: 'r00-01890000-0000-7000-8000-00000000000f', taskId: 'other', at: 1, asked: 'q', answered: 'a' };
  let added = 0;
  diary.onTask = async (task) => {
    if (task === 'two' && added++ === 0) {
      await diary.memories.add('default', { agent: 'generalist', shareWith: [] }, { ...other, key: 'f'.repeat(32) });
      throw new CadreError('model-timeout', 'lost', { retriable: true });
    }
  };
  await diary.live();
  expect(diary.owner.rig.task('two').attempt).toBe(2);
  expect(diary.answerOf('two')).toEqual({ task: 'two', memory: { tasks: ['one'] } });
  expect(diary.answerOf('three')).toEqual({ task: 'three', memory: { tasks: ['one', 'other', 'two'] } });
  expect((await diary.remembered())?.messages[0]?.text).toContain('Goal: ');
});

describe('without a summary the oldest are left out, and the task goes on', () => {
  const left = { task: 'three', memory: { note: '2 older', tasks: ['two'] } };

  test('when there is no money for it: nobody is asked, nothing fails', async () => {
    for (const onLimit of ['stop', 'ask'] as const) {
      const diary = new Diary();
      diary.summaryMicros = 5000;
      diary.begin({ budget: { taskMicros: 4000, onLimit } });
      await diary.live();
      expect(diary.answerOf('three')).toEqual(left);
      expect(diary.summaries).toEqual([]);
      expect(diary.owner.rig.task('three')).toMatchObject({ status: 'completed', attempt: 1 });
      // It may be summed up when there is money again.
      expect((await diary.remembered())?.messages).toHaveLength(6);
      expect(diary.owner.rig.violations()).toEqual([]);
    }
  });

  test('when the model fails; and whoever goes on after a death does without, too', async () => {
    const failing = () => {
      const diary = new Diary();
      diary.summarise = () => {
        // It would give one the next time.
        diary.summarise = () => 'late';
        throw new CadreError('model-rejected', 'too long', { billed: 'no' });
      };
      return diary.begin();
    };
    const undisturbed = failing();
    const { steps } = await undisturbed.live();
    expect(undisturbed.answerOf('three')).toEqual(left);
    for (let diesAt = Math.floor((2 * steps) / 3); diesAt <= steps; diesAt += 1) {
      const diary = failing();
      await diary.live(diesAt);
      const again = diary.answerOf('three') as typeof left & { memory: { summary?: string } };
      // A worker that died before it could say that it does without leaves the choice to the next one.
      if (again.memory.summary !== undefined) expect(diary.summaries).toHaveLength(2);
      else expect(again).toEqual(left);
      // Else a reply that was paid would be asked for once more, after another beginning.
      expect(new Set(diary.asked.filter((key) => !diary.summaries.includes(key))).size).toBe(NAMES.length);
      expect(repeated(diary.asked)).toBeLessThanOrEqual(1);
      expect(diary.owner.rig.violations()).toEqual([]);
    }
  });

  test("when the model has nothing to say, or the agent's limits leave no room for it", async () => {
    const silent = new Diary();
    silent.summarise = () => ' ';
    await silent.begin().live();
    expect([silent.answerOf('three'), silent.summaries.length]).toEqual([left, 1]);
    for (const limits of [{ maxSteps: 1 }, { maxTokens: 300 }]) {
      const short = new Diary({ limits }).begin();
      await short.live();
      expect([short.answerOf('three'), short.summaries.length]).toEqual([left, 0]);
    }
  });
});

test('a store that does not answer leaves the agent without a memory, not without a result', async () => {
  const diary = new Diary();
  const unavailable = new CadreError('store-unavailable', 'gone', { retriable: true });
  diary.store = { read: () => Promise.reject(unavailable), write: () => new Promise(() => undefined) };
  await diary.begin().live();
  expect(NAMES.map((name) => diary.answerOf(name))).toEqual(NAMES.map((task) => ({ task })));
  const notes = diary.owner.of('RecordCalls').flatMap(({ settle }) => settle.filter(({ ok }) => !ok).map(({ note }) => note));
  expect(new Set(notes)).toEqual(new Set(['gone']));
  const silent = new Diary();
  silent.store = { read: () => new Promise(() => undefined), write: () => new Promise(() => undefined) };
  await silent.begin().live();
  expect(NAMES.map((name) => silent.answerOf(name))).toEqual(NAMES.map((task) => ({ task })));
});

test('a task that says which tools may be used does without a memory unless it names it', async () => {
  const without = new Diary().begin({}, { tools: ['echo'] });
  await without.live();
  expect([without.answerOf('two'), memoryCalls(without).length]).toEqual([{ task: 'two' }, 0]);
  const named = new Diary().begin({}, { tools: [MEMORY_TOOL] });
  await named.live();
  expect(named.answerOf('two')).toEqual({ task: 'two', memory: { tasks: ['one'] } });
});
