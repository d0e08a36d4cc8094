/** Results that rest on tools, through the loop; and what a message that cannot be read costs, through the engine. */
import { CadreError } from '@cadre/contracts';
import type { AgentDefinition } from '@cadre/contracts';
import type { Performance } from './performer.js';
import type { ModelReply } from './ports.js';
import { runAttempt } from './run-attempt.js';
import {
  EngineOwner,
  MemoryBlobs,
  ScriptedModel,
  TestWorker,
  VirtualClock,
  answers,
  callsTools,
  echoTool,
  sampleAgent,
  sampleAssignment,
  soloWork,
} from './testing/index.js';
import type { ScriptedTurn } from './testing/index.js';

const tools = () => [echoTool('profile'), echoTool('query', () => ({ error: 'No such table.' })), echoTool('list')];

async function attempt(turns: ScriptedTurn[], { granted = ['profile', 'query', 'list'], kind = 'work' as 'work' | 'answer' } = {}) {
  const model = new ScriptedModel(turns);
  const agent = sampleAgent({ tools: ['profile', 'query', 'list'], restsOn: ['profile', 'query'] });
  const { work } = soloWork({ assignment: sampleAssignment({ tools: granted, kind }), agent });
  const clock = { now: () => 1000, soon: () => undefined, after: () => () => undefined };
  const means = { model, tools: tools(), clock, chance: { random: () => 0.5 }, readContent: async () => '' };
  const end = await runAttempt(work, means).catch((error: CadreError) => error);
  return { model, end, said: model.requests.map(({ messages }) => messages.at(-1)?.text ?? '') };
}

const call = (name: string) => callsTools({ name, args: { say: 'x' } });

describe('a result that rests on tools', () => {
  test('counts when one of them has answered', async () => {
    const { end, model } = await attempt([call('profile'), answers('5 rows')]);
    expect(end).toEqual({ answer: '5 rows', confidence: 0.9 });
    expect(model.requests).toHaveLength(2);
  });

  test('without a call the model is told once; then it may still do it', async () => {
    const { end, said } = await attempt([call('list'), answers('5 rows'), call('profile'), answers('7 rows')]);
    expect(end).toEqual({ answer: '7 rows', confidence: 0.9 });
    expect(JSON.parse(said[2]!)).toEqual({ repair: expect.stringContaining('You have called none of profile, query') });
  });

  test('without a call at all the attempt fails, with words', async () => {
    const { end, model } = await attempt([answers('There is one file.'), { text: 'I will now look at the files.' }]);
    expect(end).toMatchObject({
      code: 'no-tool-called',
      retriable: true,
      message: expect.stringMatching(/profile, query.*tool parser.*I will now/s),
    });
    expect(model.requests).toHaveLength(2);
  });

  test('an error is no answer', async () => {
    const { end } = await attempt([call('query'), answers('A'), answers('A')]);
    expect(end).toMatchObject({ code: 'no-tool-called', message: expect.stringContaining('No such table') });
  });

  test('who says that the work could not be done is believed, and marked', async () => {
    const { end } = await attempt([call('list'), answers('There is no data.', 0.1), { text: 'There is no data.\nConfidence: 0' }]);
    expect(end).toEqual({ answer: 'There is no data.', confidence: 0, mark: 'without-tools' });
  });

  test('a task that grants none of them is refused before anything is asked', async () => {
    const { end, model } = await attempt([answers('A')], { granted: ['list'] });
    expect(end).toMatchObject({ code: 'tools-not-granted', retriable: false, message: expect.stringContaining('profile or query') });
    expect(model.requests).toEqual([]);
  });

  test('is not asked of the answer of a run', async () => {
    expect((await attempt([answers('A')], { kind: 'answer' })).end).toMatchObject({ answer: 'A' });
  });
});

describe('through the engine', () => {
  const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

  async function run(reply: (model: string) => Partial<ModelReply>, agent: Partial<AgentDefinition>, fallbackAgents: string[] = []) {
    const clock = new VirtualClock(turnOfLoop);
    const owner = new EngineOwner(clock);
    owner.start([
      { id: 'a', title: 'A', instructions: 'Do it.', ...(fallbackAgents.length > 0 && { agent: 'generalist', fallbackAgents }) },
    ]);
    const asked: string[] = [];
    const perform = (name: string) => {
      const definition = sampleAgent({ ...agent, name });
      const model = new ScriptedModel(
        Array.from({ length: 50 }, () => ({ model = 'own' }: { model?: string }) => {
          asked.push(`${name} ${model}`);
          return reply(model);
        }),
      );
      const means = { model, tools: [echoTool()], clock, chance: { random: () => 0.5 }, readContent: async () => '' };
      const performer = (work: Parameters<typeof runAttempt>[0]): Promise<Performance> => runAttempt(work, means);
      return new TestWorker({ id: `w-${name}`, clock, owner, blobs: new MemoryBlobs(), agent: definition, performer });
    };
    for (let round = 0; owner.rig.task('a').status === 'ready' && round < 10; round += 1) {
      const { ending } = perform(round === 0 ? 'generalist' : (fallbackAgents[0] ?? 'generalist')).take('a');
      await clock.advance(60_000);
      await ending;
    }
    return { asked, task: owner.rig.task('a'), violations: owner.rig.violations() };
  }

  test('a message that cannot be read costs two more calls, and no other attempt', async () => {
    const { asked, task, violations } = await run(() => ({ text: '{}' }), { model: 'own' });
    expect(asked).toEqual(Array(3).fill('generalist own'));
    expect(task).toMatchObject({ status: 'failed', error: { code: 'malformed-output' } });
    expect(violations).toEqual([]);
  });

  test("the agent's next model finishes it", async () => {
    const { asked, task } = await run((model) => (model === 'other' ? answers('A') : { text: '{}' }), {
      model: 'own',
      fallbackModels: ['other'],
    });
    expect(asked).toEqual([...Array<string>(3).fill('generalist own'), 'generalist other']);
    expect(task).toMatchObject({ status: 'completed' });
  });

  test('another agent that the task names has its turn', async () => {
    const { asked, task, violations } = await run(() => ({ text: '{}' }), { model: 'own' }, ['second']);
    expect(asked).toEqual([...Array<string>(3).fill('generalist own'), ...Array<string>(3).fill('second own')]);
    expect(task).toMatchObject({ status: 'failed' });
    expect(violations).toEqual([]);
  });
});
