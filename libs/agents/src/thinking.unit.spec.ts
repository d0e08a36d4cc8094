/** The loop of a thinking agent, with a scripted model. */
import { AgentDefinition, CadreError, ThinkingTrace } from '@cadre/contracts';
import { systemText } from './conversation.js';
import { runAttempt } from './run-attempt.js';
import { ScriptedModel, answers, callsTools, echoTool, sampleAgent, sampleAssignment, soloWork } from './testing/index.js';
import { plainDigest } from './testing/plain-digest.js';
import type { ScriptedTurn, SoloParts } from './testing/index.js';

type Wanted = NonNullable<Parameters<typeof sampleAgent>[0]>['thinking'];

const thoughtful = (answer: string, thinking: unknown, confidence = 0.9) => ({ text: JSON.stringify({ thinking, answer, confidence }) });

async function attempt(thinking: Wanted, turns: ScriptedTurn[], more: Partial<SoloParts> = {}, limits: object = {}) {
  const model = new ScriptedModel(turns);
  const clock = { now: () => 1000, soon: () => undefined, after: (_: number, run: () => void) => (queueMicrotask(run), () => undefined) };
  const solo = soloWork({ assignment: sampleAssignment(), agent: sampleAgent({ thinking, limits }), ...more });
  const performance = await runAttempt(solo.work, {
    ...{ model, tools: [echoTool()], clock, chance: { random: () => 0.5 } },
    readContent: async () => '',
  });
  const trace = performance.thinking && ThinkingTrace.parse(performance.thinking);
  return { model, performance, trace, made: solo.made };
}

describe('an agent without thinking', () => {
  test('is told what it always was, asked for what it always was, and brings no trace', async () => {
    const agent = sampleAgent({ tools: [] });
    const thinker = sampleAgent({ thinking: {} });
    const [work, plan] = [sampleAssignment({ tools: [] }), sampleAssignment({ kind: 'plan' })];
    const plain = systemText(agent, work);
    expect(plain.endsWith('Do not put text before or after the object.')).toBe(true);
    expect(plain).not.toMatch(/think|review/i);
    // Calls on record are keyed by these texts: with other ones they would be made again.
    expect([plain, systemText(agent, plan), systemText(agent, sampleAssignment())].map(plainDigest)).toEqual([
      'd804fbcc1dd78ec51d683d020c96a66306b65318deb6d5316aed1b1ea39c21df',
      '169f13d1ccbce7d0944dfa5399864aeafc02cc457c1198940232b5874540911e',
      '0fdc04632232c802a8a7bb559e8c96a41dbeaa27eb6a5c060194bec9f1a59ad8',
    ]);
    expect(systemText(thinker, work).startsWith(`${plain}\n\n# Thinking\n`)).toBe(true);
    const { model, performance } = await attempt(undefined, [{ ...answers('A'), reasoning: 'hm', reasoningTokens: 3 }]);
    expect(performance).toEqual({ answer: 'A', confidence: 0.9 });
    expect(model.requests[0]).not.toHaveProperty('effort');
    expect(JSON.stringify(model.requests[0]?.responseSchema)).not.toContain('thinking');
  });
});

describe('a thinking agent', () => {
  test('is told its style, its directives, its budget and what to weigh; its thoughts are beside the answer', async () => {
    const thinking = { steps: ['first', 'second'], alternatives: [{ option: 'X', whyNot: 'dear' }], other: 1 };
    const { model, performance, trace } = await attempt(
      { style: 'critical', directives: ['Mind the units.'], maxThinkingTokens: 900, alternatives: 2 },
      [thoughtful('A', thinking)],
    );
    const told = model.requests[0]!.messages[0]!.text;
    for (const part of ['doubt each step', '- Mind the units.', '2 other solutions', '900 tokens', '"whyNot"'])
      expect(told).toContain(part);
    expect(told).not.toContain('{"review"');
    expect(Object.keys(model.requests[0]!.responseSchema!.schema['properties']!)[0]).toBe('thinking');
    expect(performance).toMatchObject({ answer: 'A', confidence: 0.9 });
    expect(trace).toMatchObject({
      style: 'critical',
      rounds: [{ confidence: 0.9, steps: ['first', 'second'], alternatives: [{ option: 'X', whyNot: 'dear' }] }],
      reasoning: [],
    });
    expect(trace?.thinkingTokens).toBe(Math.ceil(JSON.stringify(thinking).length / 4));
  });

  test.each<[unknown, string[]]>([
    ['in one line', ['in one line']],
    [{ steps: 'no list' }, ['{"steps":"no list"}']],
    [{ steps: null, reflection: null }, []],
    [7, ['7']],
    [null, []],
  ])('that thinks in another form, %j, is not refused for it', async (thinking, steps) => {
    const { performance, trace, model } = await attempt({}, [thoughtful('A', thinking)]);
    expect(performance.answer).toBe('A');
    expect(trace?.rounds).toMatchObject([{ steps, alternatives: [] }]);
    expect(model.requests).toHaveLength(1);
  });

  test('that thinks without end is cut to its budget, not failed', async () => {
    const steps = Array.from({ length: 60 }, (_, n) => `step ${n} ${'x'.repeat(n === 1 ? 6000 : 500)}`);
    const { performance, trace } = await attempt({ maxThinkingTokens: 2000 }, [thoughtful('A', { steps })]);
    expect(performance.answer).toBe('A');
    expect(trace?.shortened).toBe(true);
    expect(JSON.stringify(trace).length).toBeLessThan(2000 * 4 + 1000);
  });
});

describe('a review', () => {
  const draft = thoughtful('draft', { steps: ['s'] }, 0.6);

  test('is a model call of the same attempt, after the draft, and its answer counts', async () => {
    const { model, performance, trace, made } = await attempt({ reflect: 2 }, [
      callsTools({ name: 'echo', args: { say: 'hi' } }),
      draft,
      thoughtful('better', { reflection: 'The unit was wrong.' }, 0.7),
      thoughtful('best', {}, 0.8),
    ]);
    expect(performance).toMatchObject({ answer: 'best', confidence: 0.8 });
    const [said, asked] = model.requests[2]!.messages.slice(-2);
    expect(said).toMatchObject({ role: 'assistant', text: draft.text });
    expect(JSON.parse(asked!.text)).toEqual({ review: expect.stringContaining('1 of 2') });
    expect(trace?.rounds.map(({ confidence, reflection }) => [confidence, reflection])).toEqual([
      [0.6, undefined],
      [0.7, 'The unit was wrong.'],
      [0.8, undefined],
    ]);
    expect(made.map(({ kind, outcome, costMicros }) => [kind, outcome, costMicros])).toEqual([
      ['model', 'done', 3],
      ['tool', 'done', 0],
      ...Array.from({ length: 3 }, () => ['model', 'done', 3]),
    ]);
    expect(new Set(made.map(({ key }) => key)).size).toBe(5);
  });

  test.each<[string, ScriptedTurn, RegExp]>([
    ['is no JSON', { text: 'Looks good to me!' }, /not one JSON object/],
    ['is cut off', { text: '{"answer": "be', finish: 'length' }, /no whole answer/],
    ['calls tools', callsTools({ name: 'echo', args: { say: 'x' } }), /called tools/],
    ['is a refusal', { text: 'No.', finish: 'refusal' }, /refused/],
    ['fails', new CadreError('model-context-exceeded', 'Too long.', { billed: 'no' }), /Too long/],
  ])('that %s leaves the answer before it', async (_, turn, why) => {
    const { model, performance, trace } = await attempt({ reflect: 2 }, [draft, turn]);
    expect(performance).toMatchObject({ answer: 'draft', confidence: 0.6 });
    expect(trace?.rounds).toHaveLength(1);
    expect(trace?.note).toMatch(why);
    expect(model.requests).toHaveLength(2);
  });

  test('that breaks in the second round leaves the answer of the first', async () => {
    const { performance } = await attempt({ reflect: 2 }, [draft, thoughtful('better', {}, 0.7), { text: '?' }]);
    expect(performance).toMatchObject({ answer: 'better', confidence: 0.7 });
  });

  test('is left out when the budget for thinking, or a limit of the agent, is reached', async () => {
    const spent = await attempt({ reflect: 1, maxThinkingTokens: 100 }, [{ ...answers('A'), reasoningTokens: 100 }]);
    expect([spent.performance.answer, spent.trace?.note]).toEqual(['A', expect.stringContaining('budget')]);
    const steps = await attempt({ reflect: 1 }, [answers('A')], {}, { maxSteps: 1 });
    expect([steps.performance.answer, steps.trace?.note]).toEqual(['A', expect.stringContaining('limit')]);
    const tokens = await attempt({ reflect: 1 }, [{ ...answers('A'), inputTokens: 500 }], {}, { maxTokens: 400 });
    expect([tokens.performance.answer, tokens.trace?.note]).toEqual(['A', expect.stringContaining('limit')]);
  });

  test('may take what the draft took and what is left for thoughts', async () => {
    const { model } = await attempt({ reflect: 1, maxThinkingTokens: 500 }, [{ ...answers('A'), outputTokens: 300 }, answers('B')]);
    expect(model.requests.map(({ maxOutputTokens }) => maxOutputTokens)).toEqual([8192, 800]);
  });

  test('of an attempt that ends from outside is no reason to go on', async () => {
    const controller = new AbortController();
    const stop = () => {
      controller.abort(new CadreError('cancelled', 'Enough.'));
      throw new CadreError('model-failed', 'torn');
    };
    await expect(attempt({ reflect: 1 }, [draft, stop], { signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe("a model server's own reasoning", () => {
  test('is asked for as the definition says, has room beside the answer, and is kept by call', async () => {
    const { model, trace } = await attempt({ effort: 'high', maxThinkingTokens: 1000 }, [
      { ...callsTools({ name: 'echo', args: { say: 'hi' } }), reasoning: 'I should look.', reasoningTokens: 400 },
      { ...answers('A'), reasoning: 'x'.repeat(400) },
    ]);
    expect(model.requests.map(({ effort, maxOutputTokens }) => [effort, maxOutputTokens])).toEqual([
      ['high', 9192],
      ['high', 8792],
    ]);
    expect(trace?.reasoning).toEqual([
      { call: 1, text: 'I should look.' },
      { call: 2, text: 'x'.repeat(400) },
    ]);
    expect(trace?.thinkingTokens).toBe(500);
    expect(model.requests.flatMap(({ messages }) => messages.map(({ text }) => text)).join()).not.toContain('I should look.');
  });

  test('is asked for less once the budget is spent', async () => {
    const turn = { ...callsTools({ name: 'echo', args: { say: 'hi' } }), reasoningTokens: 150 };
    const { model } = await attempt({ effort: 'high', maxThinkingTokens: 100 }, [turn, answers('A')]);
    expect(model.requests.map(({ effort, maxOutputTokens }) => [effort, maxOutputTokens])).toEqual([
      ['high', 8292],
      ['low', 8192],
    ]);
  });
});

test.each<[object, string]>([
  [{ reflect: 3 }, 'reflect is 0, 1 or 2'],
  [{ alternatives: 6 }, 'alternatives is 0 to 5'],
  [{ maxThinkingTokens: 5 }, 'maxThinkingTokens is at least 100'],
  [{ style: 'dreamy' }, 'a style is step-by-step, critical or exploratory'],
  [{ effort: 'huge' }, 'an effort is minimal, low, medium or high'],
  [{ directives: Array.from({ length: 11 }, () => 'x') }, 'at most 10 directives; put more into the instructions'],
  [{ directives: ['x'.repeat(301)] }, 'a directive has at most 300 characters'],
  [{ depth: 1 }, 'Unrecognized key: "depth"'],
])('a definition with thinking %j is refused', (thinking, message) => {
  const parsed = AgentDefinition.safeParse({ ...sampleAgent(), thinking });
  expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([message]);
});
