import type { AnswerAccount, TaskOutcome } from '@cadre/contracts';
import { runAttempt } from './run-attempt.js';
import { ScriptedModel, sampleAgent, sampleAssignment, sampleOutcome, soloWork } from './testing/index.js';
import type { ScriptedTurn } from './testing/index.js';

const file = (name: string) => ({ name, sha256: '0'.repeat(64), size: 10, mediaType: 'text/markdown' });
const done = (overrides: Partial<TaskOutcome> = {}) =>
  sampleOutcome({
    taskId: 'write',
    title: 'Write',
    answer: { text: 'The pier closes in May.' },
    artifacts: [file('notes.md')],
    ...overrides,
  });

const ACCOUNT: AnswerAccount = { parts: ['Summarize the notes', 'in French'], undone: [] };

function answering(turns: object[], account: AnswerAccount | 'none' = ACCOUNT, results = [done()]) {
  const model = new ScriptedModel(turns.map((turn): ScriptedTurn => ({ text: JSON.stringify(turn) })));
  const assignment = sampleAssignment({
    ...{ kind: 'answer', taskId: 'answer', goal: 'Summarize the notes in French', results },
    ...(account !== 'none' && { account }),
  });
  const solo = soloWork({ assignment, agent: sampleAgent() });
  const result = runAttempt(solo.work, {
    model,
    tools: [],
    clock: { now: () => 1, soon: () => undefined, after: () => () => undefined },
    chance: { random: () => 0.5 },
    readContent: async (content) => ('text' in content ? content.text : ''),
    readArtifact: async () => 'Das Dokument über den Hafen und die alte Mole, die im Mai nicht mehr zu sehen ist.',
  });
  return { model, result };
}

const parts = (...claims: [done: boolean, ...where: string[]][]) =>
  claims.map(([isDone, ...where], index) => ({ part: index + 1, done: isDone, where }));

test('an answer that accounts for every part stands as it is', async () => {
  const answer = 'Le port ferme la vieille jetée en mai, et les camions sont dans la ville.';
  const { model, result } = answering([{ answer, confidence: 0.9, parts: parts([true, 'notes.md'], [true, 'answer']) }]);
  expect(await result).toEqual({ answer, confidence: 0.9 });
  const [system, task] = model.requests[0]!.messages;
  expect(system?.text).toContain('"account" lists the parts of the goal');
  expect(JSON.parse(task?.text ?? '')).toMatchObject({
    account: {
      parts: [
        { part: 1, text: 'Summarize the notes' },
        { part: 2, text: 'in French' },
      ],
    },
  });
  expect(model.requests[0]?.responseSchema).toMatchObject({ name: 'answer', schema: { required: expect.arrayContaining(['parts']) } });
});

test('one that leaves out a part is told so, once; what stays open is named first and missing', async () => {
  const wrong = { answer: 'The pier closes.', confidence: 0.9, parts: parts([true, 'notes.md'], [true, 'answer']) };
  const { model, result } = answering([wrong, wrong]);
  expect(await result).toEqual({ answer: '> **Not done:** in French\n\nThe pier closes.', confidence: 0.9, missing: ['in French'] });
  expect(model.requests).toHaveLength(2);
  expect(model.requests[1]?.messages.at(-1)?.text).toContain('part 2, \\"in French\\": no output shows it');
});

test('one that says itself what is not done is not asked again', async () => {
  const { model, result } = answering([{ answer: 'The pier closes.', confidence: 0.9, parts: parts([true, 'write'], [false]) }]);
  expect(await result).toMatchObject({ missing: ['in French'] });
  expect(model.requests).toHaveLength(1);
});

test('work that failed is missing, and so is what the answer says beside the parts', async () => {
  const turn = { answer: 'The pier closes.', confidence: 1, missing: ['the date'], parts: parts([true, 'write']) };
  const { result } = answering([turn], { parts: ['Summarize the notes'], undone: ['Ask the council'] });
  expect(await result).toMatchObject({
    missing: ['Ask the council', 'the date'],
    answer: expect.stringMatching(/^> \*\*Not done:\*\* Ask the council; the date\n\n/),
  });
});

test("under a caller's own plan each task speaks for itself", async () => {
  const plain = answering([{ answer: 'The pier closes.', confidence: 1 }], 'none', [done({ missing: ['the price'] })]);
  expect(await plain.result).toMatchObject({ missing: ['the price'] });
});
