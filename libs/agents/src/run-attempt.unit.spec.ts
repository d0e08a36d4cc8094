import { CadreError, CallSettlement } from '@cadre/contracts';
import fc from 'fast-check';
import type { Performance } from './performer.js';
import type { ModelReply } from './ports.js';
import { runAttempt } from './run-attempt.js';
import type { AttemptMeans } from './attempt-means.js';
import { ScriptedModel, answers, callsTools, echoTool, sampleAgent, sampleAssignment, sampleOutcome, soloWork } from './testing/index.js';
import type { ScriptedTurn, SoloParts } from './testing/index.js';
import { TOOL_OUTPUT_BYTES } from './result-shelf.js';

type Outcome = ({ kind: 'completed' } & Performance) | { kind: 'failed'; error: CadreError };

function attempt(turns: ScriptedTurn[], overrides: Partial<SoloParts & AttemptMeans> = {}) {
  const { tools, readContent, ...parts } = overrides;
  const model = new ScriptedModel(turns);
  let now = 1000;
  const solo = soloWork({ assignment: sampleAssignment(), agent: sampleAgent(), clock: { now: () => (now += 1) }, ...parts });
  const result = runAttempt(solo.work, {
    model,
    tools: tools ?? [echoTool()],
    clock: { now: () => now, soon: () => undefined, after: (_, run) => (queueMicrotask(run), () => undefined) },
    chance: { random: () => 0.5 },
    readContent: readContent ?? (async (content) => ('text' in content ? content.text : 'fetched')),
  }).then(
    (performance): Outcome => ({ kind: 'completed', ...performance }),
    (error: CadreError): Outcome => ({ kind: 'failed', error }),
  );
  return { model, made: solo.made, settled: () => solo.settled(), result };
}

const lastToolText = (model: ScriptedModel, request: number): unknown => {
  const message = model.requests[request]?.messages.findLast((m) => m.role === 'tool');
  return JSON.parse(message?.text ?? 'null');
};
const repairOf = (model: ScriptedModel, request: number): string => {
  const message = model.requests[request]?.messages.at(-1);
  return (JSON.parse(message?.text ?? '{}') as { repair: string }).repair;
};

describe('a sound conversation', () => {
  test('calls a tool, reads its result, ends with the answer, and counts both', async () => {
    const { model, made, result } = attempt([callsTools({ name: 'echo', args: { say: 'hi' } }), answers('Done.', 0.8)]);
    expect(await result).toEqual({
      kind: 'completed',
      answer: 'Done.',
      confidence: 0.8,
    });
    expect(lastToolText(model, 1)).toEqual({ said: 'hi' });
    expect(made.map(({ kind, name, ok, outcome, costMicros }) => ({ kind, name, ok, outcome, costMicros }))).toEqual([
      { kind: 'model', name: 'scripted', ok: true, outcome: 'done', costMicros: 3 },
      { kind: 'tool', name: 'echo', ok: true, outcome: 'done', costMicros: 0 },
      { kind: 'model', name: 'scripted', ok: true, outcome: 'done', costMicros: 3 },
    ]);
    expect(made[1]?.note).toBe('say=hi');
  });

  test('the first messages are the instructions with the protocol and the task as JSON', async () => {
    const { model, result } = attempt([answers('ok')], {
      assignment: sampleAssignment({
        input: { depth: 2 },
        inputs: [{ name: 'weather.csv', size: 9, mediaType: 'text/csv', sha256: 'a'.repeat(64) }],
        results: [
          sampleOutcome({ answer: { text: 'x'.repeat(7000) }, confidence: 0.5, agent: 'generalist' }),
          sampleOutcome({ taskId: 'b', title: 'B', status: 'failed', error: 'no luck' }),
        ],
        previousError: 'timed out',
      }),
    });
    await result;
    const [system, user] = model.requests[0]!.messages;
    expect(system?.text).toMatch(/^You help\.\n/);
    expect(system?.text).toContain('Confidence: <0 to 1>');
    const task = JSON.parse(user!.text);
    expect(task).toMatchObject({
      kind: 'work',
      agent: 'generalist',
      goal: 'Understand the weather.',
      task: { id: 'analyse', title: 'Analyse', instructions: 'Find the trend.', input: { depth: 2 } },
      inputs: [{ name: 'weather.csv', size: 9, mediaType: 'text/csv' }],
      previousError: 'timed out',
    });
    expect(task.results[0].answer).toHaveLength(6000);
    expect(task.results[1]).toEqual({ taskId: 'b', title: 'B', status: 'failed', artifacts: [], error: 'no luck' });
    expect(model.requests[0]).toMatchObject({ responseSchema: { name: 'reply' }, temperature: 0 });
    expect(model.requests[0]?.tools[0]).toMatchObject({ name: 'echo', parameters: { type: 'object', required: ['say'] } });
  });

  test.each([
    '```json\n{"answer":"A","confidence":1}\n```',
    'Here it is:\n{"answer":"A","confidence":1}\nBye.',
    ' {"answer":"A","confidence":1} ',
  ])('accepts %j', async (text) => {
    expect(await attempt([{ text }]).result).toMatchObject({ kind: 'completed', answer: 'A' });
  });

  test("the run's model goes before the definition's", async () => {
    const { model, result } = attempt([answers('ok')], {
      agent: sampleAgent({ model: 'mine' }),
      assignment: sampleAssignment({ model: 'theirs' }),
    });
    await result;
    expect(model.requests[0]?.model).toBe('theirs');
  });
});

describe('the key of a call', () => {
  const keys = async (overrides: Parameters<typeof attempt>[1], say = 'a', reply: string = say) => {
    const tools = [echoTool('echo', () => reply)];
    const { made, result } = attempt([callsTools({ name: 'echo', args: { say } }), answers('ok')], { tools, ...overrides });
    await result;
    return made.map(({ key }) => key);
  };

  test('covers what the conversation is about and all that was said', async () => {
    const first = await keys({});
    expect(new Set(first).size).toBe(3);
    expect(await keys({})).toEqual(first);
    const otherArgs = await keys({}, 'b');
    expect(otherArgs.map((key, index) => key === first[index])).toEqual([true, false, false]);
    const otherReply = await keys({}, 'a', 'c');
    expect(otherReply.map((key, index) => key === first[index])).toEqual([true, true, false]);
    for (const overrides of [
      { agent: sampleAgent({ instructions: 'You hinder.' }) },
      { agent: sampleAgent({ model: 'other' }) },
      { agent: sampleAgent({ temperature: 1 }) },
      { assignment: sampleAssignment({ round: 2 }) },
      { assignment: sampleAssignment({ taskId: 'other' }) },
      { assignment: sampleAssignment({ goal: 'Another.' }) },
      { assignment: sampleAssignment({ input: { n: 1 } }) },
      { assignment: sampleAssignment({ previousError: 'bad' }) },
    ]) {
      expect((await keys(overrides))[0]).not.toBe(first[0]);
    }
  });

  test('does not change with what is around the task: attempt, deadline, other agents, results that came later', async () => {
    const first = await keys({});
    const later = sampleAssignment({ attempt: 2, deadlineAt: 5, results: [sampleOutcome({ answer: { text: 'more' } })] });
    expect(await keys({ assignment: later, catalogue: [{ name: 'new', description: 'd', skills: [] }] })).toEqual(first);
  });
});

describe('tools', () => {
  test('one that is not granted is not run; the model hears which are', async () => {
    const secret = echoTool('secret');
    const { model, made, result } = attempt([callsTools({ name: 'secret', args: { say: 'x' } }), answers('ok')], {
      tools: [echoTool(), secret],
    });
    expect(await result).toMatchObject({ kind: 'completed' });
    expect(secret.calls).toEqual([]);
    expect(lastToolText(model, 1)).toEqual({ error: 'There is no tool secret for you. You may call: echo.' });
    expect(model.requests[0]?.tools.map((tool) => tool.name)).toEqual(['echo']);
    expect(made.map((call) => call.kind)).toEqual(['model', 'model']);
  });

  test.each([
    ['{"say":', 'not valid JSON'],
    ['{"say": 1}', 'At say'],
    ['{"say": "a", "more": 1}', 'more'],
    ['', 'say'],
  ])('arguments %j are answered with what is wrong', async (args, part) => {
    const tool = echoTool();
    const { model, result } = attempt([callsTools({ name: 'echo', args }), answers('ok')], { tools: [tool] });
    expect(await result).toMatchObject({ kind: 'completed' });
    expect(tool.calls).toEqual([]);
    expect((lastToolText(model, 1) as { error: string }).error).toContain(part);
  });

  test('an error of a tool is an answer with its remedy', async () => {
    const tool = echoTool('echo', () => {
      throw new CadreError('file-missing', 'There is no file a.', { remedy: 'List the files.' });
    });
    const { model, result } = attempt([callsTools({ name: 'echo', args: { say: 'a' } }), answers('ok')], { tools: [tool] });
    expect(await result).toMatchObject({ kind: 'completed' });
    expect(lastToolText(model, 1)).toEqual({ error: 'There is no file a. List the files.' });
  });

  test('a long result is shortened to valid JSON within the limit', async () => {
    const tool = echoTool('echo', () => ({ text: '"ä\n'.repeat(60_000) }));
    const { model, result } = attempt([callsTools({ name: 'echo', args: { say: 'a' } }), answers('ok')], { tools: [tool] });
    await result;
    const text = model.requests[1]!.messages.at(-1)!.text;
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(TOOL_OUTPUT_BYTES);
    expect(Buffer.byteLength(text)).toBeGreaterThan(TOOL_OUTPUT_BYTES - 1024);
    expect(JSON.parse(text)).toMatchObject({ shortened: true, result: 1, offset: 0 });
  });

  test('calls without an id of their own get one; broken arguments leave the history, but not unsaid', async () => {
    const { model, result } = attempt([
      callsTools(
        { name: 'echo', args: '{"say":', id: '' },
        { name: 'echo', args: { say: 'b' }, id: 'x' },
        { name: 'echo', args: { say: 'c' }, id: 'x' },
      ),
      answers('ok'),
    ]);
    await result;
    const turn = model.requests[1]!.messages.find((m) => m.role === 'assistant');
    const calls = turn?.role === 'assistant' ? turn.toolCalls : [];
    expect(new Set(calls.map((call) => call.id)).size).toBe(3);
    expect(JSON.parse(calls[0]!.arguments)).toEqual({ cutOffAfter: '{"say":' });
  });
});

describe('malformed output', () => {
  test('is repaired twice, then fails with its type', async () => {
    const { model, result } = attempt([{ text: ' ' }, { text: '{"answer":"","confidence":0.7}' }, { text: '[]' }]);
    expect(await result).toMatchObject({ kind: 'failed', error: { code: 'malformed-output', retriable: false } });
    expect(repairOf(model, 1)).toContain('empty');
    expect(repairOf(model, 2)).toMatch(/At answer: it is empty/);
  });

  test('a repaired message counts', async () => {
    expect(await attempt([{ text: '{"confidence":1}' }, {}, answers('Better.')]).result).toMatchObject({
      kind: 'completed',
      answer: 'Better.',
    });
  });

  test('a message that was cut off is told so', async () => {
    const { model, result } = attempt([{ text: '{"answer":"lon', finish: 'length' }, answers('short')]);
    expect(await result).toMatchObject({ kind: 'completed', answer: 'short' });
    expect(repairOf(model, 1)).toContain('cut off');
  });

  test('a refusal ends the attempt for good', async () => {
    expect(await attempt([{ finish: 'refusal', text: 'I cannot.' }]).result).toMatchObject({
      kind: 'failed',
      error: { code: 'model-refused', retriable: false, message: expect.stringContaining('I cannot.') },
    });
  });
});

describe('planning', () => {
  const planning = { assignment: sampleAssignment({ kind: 'plan', taskId: 'plan' }) };
  const task = (id: string, dependsOn: string[] = []) => ({ id, title: id, instructions: `Do ${id}.`, skills: ['general'], dependsOn });
  const plan = (...tasks: object[]) => ({ text: JSON.stringify({ plan: { tasks }, note: 'Short.' }) });
  const catalogue = [{ name: 'generalist', description: 'd', skills: ['general'] }];

  test('gives a plan with its defaults filled in', async () => {
    const { model, result } = attempt([plan(task('a'), task('b', ['a']))], { ...planning, catalogue });
    const outcome = await result;
    expect(outcome).toMatchObject({ kind: 'completed', answer: 'Short.', confidence: 1, plan: { note: 'Short.' } });
    expect(outcome.kind === 'completed' && outcome.plan?.plan.tasks[1]).toMatchObject({ id: 'b', dependsOn: ['a'], require: 'all' });
    expect(model.requests[0]?.responseSchema?.name).toBe('plan');
    expect(JSON.parse(model.requests[0]!.messages[1]!.text).catalogue).toEqual(catalogue);
  });

  test('null stands for left out', async () => {
    const { result } = attempt(
      [{ text: JSON.stringify({ plan: { tasks: [{ ...task('a'), agent: null, input: null }] }, note: null }) }],
      planning,
    );
    expect(await result).toMatchObject({ kind: 'completed', answer: 'A plan of 1 task: a.' });
  });

  test('a cycle is repaired once, naming it, then the attempt fails for good', async () => {
    const { model, result } = attempt([plan(task('a', ['b']), task('b', ['a'])), plan(task('a', ['a']))], planning);
    expect(await result).toMatchObject({ kind: 'failed', error: { code: 'plan-invalid', retriable: false } });
    expect(repairOf(model, 1)).toMatch(/a.*b/);
  });

  test.each([
    [{ ...task('a'), agent: 'nobody' }, 'nobody'],
    [{ ...task('a'), skills: ['magic'] }, 'magic'],
    [{ ...task('a'), pattern: { kind: 'vote', count: 1 } }, 'between 2 and 9'],
  ])('tells of a task that cannot be carried out: %j', async (faulty, part) => {
    const { model, result } = attempt([plan(faulty), plan(task('a'))], { ...planning, catalogue });
    expect(await result).toMatchObject({ kind: 'completed' });
    expect(repairOf(model, 1)).toContain(part);
  });
});

describe('an answer that has to be data', () => {
  const resultSchema = { type: 'object', properties: { total: { type: 'number' } }, required: ['total'] };
  const asked = { assignment: sampleAssignment({ resultSchema }) };
  const answered = (answer: unknown) => ({ text: JSON.stringify({ answer, confidence: 0.9 }) });

  test('is told to the agent in its task', async () => {
    const { model, result } = attempt([answered({ total: 3 })], asked);
    expect(await result).toMatchObject({ kind: 'completed', answer: expect.stringMatching(/^\{\s*"total": 3\s*\}$/) });
    expect(JSON.parse(model.requests[0]!.messages[1]!.text).task).toMatchObject({
      resultSchema,
      answerForm: expect.stringContaining('JSON'),
    });
  });

  test('is repaired once, with each fault in words', async () => {
    const { model, result } = attempt([answered({ total: 'three' }), answered({ total: 3 })], asked);
    expect(await result).toMatchObject({ kind: 'completed' });
    expect(repairOf(model, 1)).toContain('/total has to be number, not string.');
  });

  test('fails for good when it is wrong again', async () => {
    const { model, result } = attempt([answered('It is three.'), answered({ sum: 3 }), answered({ total: 3 })], asked);
    const error = { code: 'result-invalid', retriable: false, message: expect.stringContaining('lacks the field total') };
    expect(await result).toMatchObject({ kind: 'failed', error });
    expect(model.requests).toHaveLength(2);
  });
});

describe('limits', () => {
  const endless = Array.from({ length: 300 }, () => callsTools({ name: 'echo', args: { say: 'again' } }));

  test('steps', async () => {
    const outcome = await attempt(endless, { agent: sampleAgent({ limits: { maxSteps: 3 } }) }).result;
    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'step-limit', retriable: false },
    });
  });

  test('tokens; the last call may not ask for more than is left', async () => {
    const { model, result } = attempt(endless, { agent: sampleAgent({ limits: { maxTokens: 100 } }) });
    expect(await result).toMatchObject({ kind: 'failed', error: { code: 'token-limit', retriable: false } });
    expect(model.requests.map((request) => request.maxOutputTokens)).toEqual([100, 85, 70, 55, 40, 25, 10]);
  });
});

describe('near the end', () => {
  const noticeOf = (model: ScriptedModel, request: number) => model.requests[request]?.messages.at(-1)?.text ?? '';

  test('the last call is asked without tools, and its answer is marked', async () => {
    const looks = [callsTools({ name: 'echo', args: { say: 'a' } }), callsTools({ name: 'echo', args: { say: 'b' } })];
    const { model, result } = attempt([...looks, answers('What I have.')], { agent: sampleAgent({ limits: { maxSteps: 3 } }) });
    expect(await result).toMatchObject({ kind: 'completed', answer: 'What I have.', mark: 'limit-reached' });
    expect(noticeOf(model, 2)).toContain('your last message');
    expect(model.requests.map(({ tools }) => tools.length)).toEqual([1, 1, 0]);
  });

  test('who is done before has no mark', async () => {
    const { result } = attempt([callsTools({ name: 'echo', args: { say: 'a' } }), answers('All.')], {
      agent: sampleAgent({ limits: { maxSteps: 3 } }),
    });
    expect(await result).not.toHaveProperty('mark');
  });
});

describe('a window that is too small', () => {
  const tooLong = new CadreError('model-context-exceeded', 'The prompt has 9000 tokens, the window 4096.', { billed: 'no' });
  const long = { ...echoTool(), run: async () => ({ said: 'x'.repeat(6000) }) };
  const look = callsTools({ name: 'echo', args: { say: 'a' } });

  test('is met with a shorter conversation, in the same call, and the rest is still to be read', async () => {
    const read = callsTools({ name: 'read_result', args: { result: 1, offset: 5990 } });
    const { model, made, result } = attempt([look, look, look, tooLong, { text: 'Looked.' }, read, answers('Done.')], { tools: [long] });
    expect(await result).toMatchObject({ kind: 'completed', answer: 'Done.' });
    const sizes = model.requests.map(({ messages }) => JSON.stringify(messages).length);
    expect(sizes[5]).toBeLessThan(0.7 * sizes[3]!);
    expect(model.requests[5]!.messages.map(({ text }) => text)).toContain('{"summary":"Looked."}');
    expect(lastToolText(model, 6)).toMatchObject({ result: 1, offset: 5990, text: expect.stringContaining('x') });
    const calls = made.filter(({ kind }) => kind === 'model').map(({ key }) => key);
    expect(calls[5]).toBe(calls[3]);
    const offered = model.requests.map(({ tools }) => tools.some(({ name }) => name === 'read_result'));
    expect(offered).toEqual([false, false, false, false, false, true, true]);
  });

  test('ends the attempt with the words of the server when nothing is left to shorten', async () => {
    expect(await attempt([tooLong]).result).toMatchObject({ kind: 'failed', error: { code: 'model-context-exceeded' } });
  });
});

describe('errors and aborts', () => {
  test('an error of the model passes through with its flag, after two quick tries', async () => {
    const error = new CadreError('model-unavailable', 'Nobody there.', { retriable: true, billed: 'no' });
    const { made, result } = attempt([error, error, error]);
    expect(await result).toMatchObject({ kind: 'failed', error: { code: 'model-unavailable', retriable: true, message: error.message } });
    const failed = { kind: 'model', outcome: 'failed', ok: false, costMicros: 0 };
    expect(made).toMatchObject([1, 2, 3].map((number) => ({ ...failed, try: number })));
    expect(new Set(made.map(({ key }) => key)).size).toBe(1);
  });

  test('an error that does not say that it cost nothing is billed at the reservation', async () => {
    const { made, result } = attempt([new CadreError('model-unavailable', 'Reset.', { retriable: true }), answers('ok')]);
    expect(await result).toMatchObject({ kind: 'completed' });
    expect(made).toMatchObject([
      { outcome: 'unknown', costMicros: 1000 },
      { outcome: 'done', try: 2 },
    ]);
  });

  test('an unknown error of the model is retriable', async () => {
    expect(await attempt([new Error('boom')]).result).toMatchObject({ kind: 'failed', error: { code: 'model-failed', retriable: true } });
  });

  test('a model that ignores the signal is left behind; the reason becomes the failure', async () => {
    const controller = new AbortController();
    const hang = () => {
      queueMicrotask(() => controller.abort(new CadreError('time-limit', 'Too late.', { retriable: true })));
      return new Promise<never>(() => undefined);
    };
    expect(await attempt([hang], { signal: controller.signal }).result).toMatchObject({
      kind: 'failed',
      error: { code: 'time-limit', message: 'Too late.' },
    });
  });

  test('a hanging tool and a hanging content are left behind', async () => {
    for (const where of ['tool', 'content']) {
      const controller = new AbortController();
      const hang = () => {
        queueMicrotask(() => controller.abort());
        return new Promise<never>(() => undefined);
      };
      const { result } = attempt([callsTools({ name: 'echo', args: { say: 'x' } })], {
        signal: controller.signal,
        ...(where === 'tool'
          ? { tools: [echoTool('echo', hang)] }
          : { readContent: hang, assignment: sampleAssignment({ results: [sampleOutcome({ answer: { text: 'a' } })] }) }),
      });
      expect(await result).toMatchObject({ kind: 'failed', error: { code: 'aborted' } });
    }
  });

  test('aborted before it began: no call is made', async () => {
    const { model, result } = attempt([answers('x')], { signal: AbortSignal.abort() });
    expect(await result).toMatchObject({ kind: 'failed', error: { code: 'aborted' } });
    expect(model.requests).toHaveLength(0);
  });
});

test('whatever the model replies, the loop ends, never throws, and runs granted tools only', async () => {
  const name = fc.oneof(fc.constantFrom('echo', 'secret', '__proto__', 'constructor', ''), fc.string());
  const args = fc.oneof(fc.constantFrom('{"say":"a"}', '', '{', 'null'), fc.json());
  const reply: fc.Arbitrary<Partial<ModelReply>> = fc.record({
    text: fc.oneof(fc.string(), fc.json(), fc.constantFrom('{"answer":"a","confidence":1}', '```json\n{}\n```', '{"plan":{"tasks":[]}}')),
    toolCalls: fc.array(fc.record({ id: fc.string(), name, arguments: args }), { maxLength: 70 }),
    finish: fc.constantFrom('stop', 'tool-calls', 'length', 'refusal'),
    inputTokens: fc.oneof(fc.integer(), fc.double()),
    outputTokens: fc.oneof(fc.nat(), fc.double()),
    costMicros: fc.double(),
    model: fc.string(),
  });
  const turn: fc.Arbitrary<ScriptedTurn> = fc.oneof(
    { weight: 8, arbitrary: reply },
    { weight: 1, arbitrary: fc.string().map((m) => new Error(m)) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(turn, { maxLength: 12 }),
      fc.constantFrom('plan' as const, 'work' as const, 'answer' as const),
      async (turns, kind) => {
        const [granted, secret] = [echoTool('echo'), echoTool('secret')];
        const { made, settled, result } = attempt(turns, { assignment: sampleAssignment({ kind }), tools: [granted, secret] });
        const outcome = await result;
        expect(['completed', 'failed']).toContain(outcome.kind);
        expect(secret.calls).toEqual([]);
        for (const settlement of await settled()) CallSettlement.parse(settlement);
        expect(made.filter((call) => call.kind === 'tool' && call.name !== 'echo')).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});
