/** Agents that give work to others, with the engine's own rules, and workers that die at any of their steps. */
import type { AgentDefinition, Json, TaskSpecInput } from '@cadre/contracts';
import { delegateWork, delegatingTools } from './delegating-tools.js';
import type { Performer } from './performer.js';
import type { ModelPort } from './ports.js';
import { runAttempt } from './run-attempt.js';
import { EngineOwner, MemoryBlobs, RUN_ID, TestWorker, VirtualClock, answers, callsTools, sampleAgent } from './testing/index.js';

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What a model says at each of its turns; undefined: it answers with what its tools said. */
type Story = (ReturnType<typeof callsTools> | undefined)[];

const boss: TaskSpecInput = { id: 'boss', title: 'Boss', instructions: 'See that it is done.' };

class Team {
  readonly clock = new VirtualClock(turnOfLoop);
  readonly owner = new EngineOwner(this.clock);
  readonly blobs = new MemoryBlobs();
  readonly agent: AgentDefinition = sampleAgent({ tools: ['ask_agent', 'delegate', 'hand_off'] });
  /** Keys of model calls. */
  readonly asked: string[] = [];
  /** Tools that workers say they have called, and how that ended. */
  readonly made: string[] = [];

  constructor(
    private readonly story: Story,
    private readonly coded?: Performer,
  ) {
    this.owner.start([boss]);
  }

  get rig() {
    return this.owner.rig;
  }

  private readonly model: ModelPort = {
    quote: () => ({ model: 'm', maxInputTokens: 1, maxOutputTokens: 1, maxCostMicros: 1000, priced: true }),
    complete: async ({ messages, callKey }) => {
      this.asked.push(callKey!);
      const turn = messages.filter(({ role }) => role === 'assistant').length;
      const said = messages.flatMap((message) => (message.role === 'tool' ? [message.text] : []));
      const part = this.story[turn] ?? answers(said.join(' | '));
      return {
        model: 'm',
        text: '',
        toolCalls: [],
        finish: 'stop',
        inputTokens: 1,
        outputTokens: 1,
        costMicros: 300,
        priced: true,
        ...part,
      };
    },
  };

  private performer(): Performer {
    return async (work) => {
      const { taskId, instructions } = work.assignment;
      if (taskId !== 'boss' && instructions === 'fail') throw Object.assign(new Error('cannot'), { retriable: false });
      if (taskId !== 'boss') return { answer: `${instructions} was done`, confidence: 0.8 };
      if (this.coded) return this.coded(work);
      const means = { model: this.model, tools: delegatingTools(work.calls), clock: this.clock, chance: { random: () => 0.5 } };
      return runAttempt(work, { ...means, readContent: async () => '' });
    };
  }

  /** Does what is ready until the run is over. @param diesAt step of the first worker at which it dies */
  async live(diesAt?: number): Promise<{ steps: number; endings: string[] }> {
    const endings: string[] = [];
    let steps = 0;
    for (let turn = 1; turn < 60 && this.rig.shard.open[RUN_ID]; turn += 1) {
      const ready = Object.values(this.rig.run().tasks).find(({ status }) => status === 'ready');
      if (!ready) break;
      const { id } = ready.spec;
      const agent = ready.wantedAgent === undefined ? this.agent : { ...this.agent, name: ready.wantedAgent };
      const left = diesAt === undefined ? undefined : diesAt - steps;
      const worker = new TestWorker({
        ...{ id: `w${turn}`, clock: this.clock, owner: this.owner, blobs: this.blobs, agent, performer: this.performer() },
        ...(left !== undefined && left > 0 && { diesAt: left }),
      });
      const { ending } = worker.take(id);
      await this.clock.advance(10_000);
      if (!worker.dead) endings.push(`${id}: ${await ending}`);
      steps += worker.steps;
      this.made.push(...worker.made.filter(({ kind }) => kind === 'tool').map(({ name, outcome }) => `${name} ${outcome}`));
      const { status, attempt } = this.rig.task(id);
      this.rig.now = this.clock.now();
      if (status === 'running') this.rig.send({ type: 'LoseAttempt', taskId: id, attempt, workerId: `w${turn}`, reason: 'silent' });
      await this.clock.advance(60_000);
    }
    return { steps, endings };
  }

  result(): unknown {
    return this.rig.task('boss').result;
  }
}

const ask = callsTools({ name: 'ask_agent', args: { agent: 'expert', question: 'How deep is the lake?' } });
const delegate = callsTools({
  name: 'delegate',
  args: {
    tasks: [
      { id: 'dig', instructions: 'dig' },
      { id: 'fill', instructions: 'fill', dependsOn: ['dig'] },
    ] as Json[],
  },
});

test('who asks ends its attempt, and its next one goes on with the answer', async () => {
  const team = new Team([ask]);
  const { endings } = await team.live();
  expect(endings).toEqual(['boss: delegated', 'boss~0~ask: completed', 'boss: completed']);
  expect(team.rig.task('boss~0~ask').spec).toMatchObject({ agent: 'expert', instructions: 'How deep is the lake?' });
  expect(JSON.stringify(team.result())).toContain('How deep is the lake? was done');
  expect(team.asked).toHaveLength(2);
  // A call that waits for others is none that failed.
  expect(team.made).toEqual([]);
  expect(team.rig.violations()).toEqual([]);
});

test('a worker may die at any step: nothing is asked of a model twice but what had not been recorded, no work is given away twice', async () => {
  const story = [delegate, ask];
  const calm = new Team(story);
  const { steps } = await calm.live();
  expect(calm.rig.run().status).toBe('completed');
  expect(Object.keys(calm.rig.run().tasks)).toEqual(['boss', 'boss~0~dig', 'boss~0~fill', 'boss~1~ask']);
  for (let diesAt = 1; diesAt <= steps; diesAt += 1) {
    const team = new Team(story);
    await team.live(diesAt);
    expect(team.result()).toEqual(calm.result());
    expect(Object.keys(team.rig.run().tasks)).toEqual(Object.keys(calm.rig.run().tasks));
    expect(new Set(team.asked)).toEqual(new Set(calm.asked));
    expect(team.asked.length - calm.asked.length).toBeLessThanOrEqual(1);
    expect(team.rig.violations()).toEqual([]);
  }
  expect(steps).toBeGreaterThan(30);
});

test('a task that is handed over has the result of who took it; one that comes back is gone on with', async () => {
  const handOff = (instructions: string) => callsTools({ name: 'hand_off', args: { skills: ['digging'], instructions } });
  const given = new Team([handOff('dig')]);
  await given.live();
  expect(given.result()).toMatchObject({ answer: { text: 'dig was done' } });
  const back = new Team([handOff('fail')]);
  await back.live();
  expect(JSON.stringify(back.result())).toContain('cannot');
  expect([...given.rig.violations(), ...back.rig.violations()]).toEqual([]);
});

test('a refusal is an answer like others, and the model may do better', async () => {
  const bad = callsTools({ name: 'delegate', args: { tasks: [{ id: 'a', instructions: 'x', dependsOn: ['b'] }] } });
  const team = new Team([bad, ask]);
  const { endings } = await team.live();
  expect(endings).toEqual(['boss: delegated', 'boss~0~ask: completed', 'boss: completed']);
  expect(JSON.stringify(team.result())).toMatch(/error.*invalid-plan.*How deep/);
  expect(team.rig.violations()).toEqual([]);
});

test('code gives work to others by the same way', async () => {
  const team = new Team([], async ({ calls }) => {
    const first = await delegateWork(calls, 'ask_agent', { skills: ['digging'], question: 'one' });
    const second = await delegateWork(calls, 'delegate', { tasks: [{ id: 'a', instructions: 'two' }] });
    return { answer: JSON.stringify([first, second]), confidence: 1 };
  });
  await team.live();
  expect(JSON.stringify(team.result())).toMatch(/one was done.*two was done/);
  expect(team.rig.violations()).toEqual([]);
});

test('code that gives wrong arguments is told so, and one that was not granted the tool gives nothing away', async () => {
  const wrong = new Team([], async ({ calls }) => {
    await delegateWork(calls, 'ask_agent', { question: '' });
    return { answer: '', confidence: 1 };
  });
  await wrong.live();
  expect(wrong.rig.run().error?.message).toContain('The arguments of ask_agent are wrong');
  const ungranted = new Team([], async ({ calls }) => {
    await delegateWork(calls, 'ask_agent', { question: 'one' });
    return { answer: '', confidence: 1 };
  });
  ungranted.agent.tools.splice(0);
  await ungranted.live();
  expect(ungranted.rig.run()).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('ask_agent') } });
});
