import fc from 'fast-check';
import type { FinalReply, ReplyForm } from './final-reading.js';
import { readFinal } from './final-reply.js';
import { readConfidence } from './stated-confidence.js';

function read(text: string, form: ReplyForm = 'json', cutOff = false): FinalReply | string {
  const reading = readFinal(text, { kind: 'work', form, cutOff });
  return reading.ok ? reading.reply : reading.why;
}

const sure = { answer: 'A', confidence: 0.8 };

describe('an object, in every form', () => {
  test.each<[string, string, FinalReply]>([
    ['bare', '{"answer":"A","confidence":0.8}', sure],
    ['in a fence', '```json\n{"answer":"A","confidence":0.8}\n```', sure],
    ['in a list', '[{"answer":"A","confidence":0.8}]', sure],
    ['within another', '{"response":{"answer":"A","confidence":0.8}}', sure],
    ['with words around it', 'Here:\n{"answer":"A","confidence":0.8}\nHope this helps! {:-)}', sure],
    ['after a draft', '{"answer":"B","confidence":0.1} no, better: {"answer":"A","confidence":0.8}', sure],
    ['after a brace that is not closed', 'Set {x, then {"answer":"A","confidence":0.8}', sure],
    ['after an apostrophe', 'It\'s {"answer":"A","confidence":0.8}', sure],
    [
      'with fences in the answer',
      '{"answer":"```ts\\nlet a = {};\\n```","confidence":0.8}',
      { answer: '```ts\nlet a = {};\n```', confidence: 0.8 },
    ],
    ['with braces in the answer', '{"answer":"a } b { c","confidence":0.8}', { answer: 'a } b { c', confidence: 0.8 }],
    ['with raw line breaks', '{"answer":"a\n\tb","confidence":0.8}', { answer: 'a\n\tb', confidence: 0.8 }],
    ['with trailing commas', '{"answer":"A","confidence":0.8,}', sure],
    ['as Python writes it', "{'answer': 'It\\'s {A}', 'confidence': 0.8, 'note': None}", { answer: "It's {A}", confidence: 0.8 }],
    ['with bad escapes', '{"answer":"C:\\dir, \\d+ and 10 \\%","confidence":0.8}', { answer: 'C:\\dir, \\d+ and 10 \\%', confidence: 0.8 }],
    ['with a broken \\u', '{"answer":"C:\\users","confidence":0.8}', { answer: 'C:\\users', confidence: 0.8 }],
    [
      'with quotation marks that are not escaped',
      '{"answer":"He said "hi" there","confidence":0.8}',
      { answer: 'He said "hi" there', confidence: 0.8 },
    ],
    ['encoded twice', '"{\\"answer\\":\\"A\\",\\"confidence\\":0.8}"', sure],
    ['without quotation marks around names', '{answer: "A", confidence: .8}', sure],
    ['without a confidence', '{"answer":"A"}', { answer: 'A' }],
    ['with an object as its answer', '{"answer":{"choice":"A"},"confidence":0.8}', { answer: '{\n  "choice": "A"\n}', confidence: 0.8 }],
    ['with a list as its answer', '{"answer":[1],"confidence":0.8}', { answer: '[\n  1\n]', confidence: 0.8 }],
    ['with a number as its answer', '{"answer":5}', { answer: '5' }],
  ])('%s', (_, text, reply) => {
    expect(read(text)).toEqual(reply);
    expect(read(text, 'any')).toMatchObject({ answer: reply.answer });
  });

  test.each<[unknown, number | undefined]>([
    [0, 0],
    [1, 1],
    ['0.8', 0.8],
    ['0,8', 0.8],
    ['95%', 0.95],
    ['95 percent', 0.95],
    [95, 0.95],
    ['8/10', 0.8],
    ['4 out of 5', 0.8],
    ['0.8 (all figures are checked)', 0.8],
    ['High', 0.85],
    ['very high', 0.95],
    ['medium', 0.6],
    ['low - the tests fail', 0.3],
    [{ value: 0.8 }, 0.8],
    [7, undefined],
    [-1, undefined],
    [1000, undefined],
    ['140%', undefined],
    ['12/10', undefined],
    ['none of your business', undefined],
    ['NaN', undefined],
    ['', undefined],
    [null, undefined],
    [true, undefined],
    [[0.8], undefined],
  ])('confidence %j is read as %j', (stated, confidence) => {
    expect(readConfidence(stated)).toBe(confidence);
    expect(read(JSON.stringify({ answer: 'A', confidence: stated }))).toEqual(
      confidence === undefined ? { answer: 'A' } : { answer: 'A', confidence },
    );
  });

  test.each([
    ['no object', 'What?', /not one JSON object/],
    ['an empty answer', '{"answer":" ","confidence":1}', /At answer: it is empty/],
    ['no answer', '{"confidence":1}', /At answer: it is missing/],
    ['nothing', ' ', /not one JSON object/],
    ['a call of a tool', '{"name":"list_files","arguments":{}}', /not one JSON object/],
  ])('%s is not read', (_, text, why) => expect(read(text)).toMatch(why));

  test.each([
    '{"answer":"A","confidence":0.8',
    '```json\n{"answer":"A","confidence":0.8\n```',
    '{"answer":"A","missing":[],"confidence":0.8',
  ])('forgotten brackets at the end are no matter: %s', (text) => expect(read(text)).toEqual(sure));

  test.each(['{"answer":"A and', '{"answer":"A","confidence":0.8]', '{"conf'])(
    'what ends within a word, or closes what is not open, is not read: %s',
    (text) => expect(read(text)).toMatch(/not one JSON object/),
  );

  test('what was cut off is not completed', () => {
    expect(read('{"answer":"lon', 'any', true)).toMatch(/no whole answer/);
    expect(read('Dear all, I have', 'any', true)).toMatch(/no whole answer/);
    expect(read('{"answer":"A","confidence":0.8} And n', 'json', true)).toEqual(sure);
  });
});

describe('Markdown', () => {
  test.each<[string, string, FinalReply]>([
    ['alone', '# Findings\n\n- 3 rows', { answer: '# Findings\n\n- 3 rows' }],
    ['with its line', '# Findings\n\nConfidence: 0.8', { answer: '# Findings', confidence: 0.8 }],
    ['with a line in bold', 'Done.\n\n**Confidence:** 0.8', { answer: 'Done.', confidence: 0.8 }],
    ['with a line all in bold', 'Done.\n**Confidence: 80%**\n', { answer: 'Done.', confidence: 0.8 }],
    ['with words', 'Done.\nConfidence: high, as all is checked.', { answer: 'Done.', confidence: 0.85 }],
    ['with a heading', 'Done.\n\n## Confidence\n\n0.8', { answer: 'Done.', confidence: 0.8 }],
    ['with a confidence that nobody can read', 'Done.\nConfidence: who knows', { answer: 'Done.' }],
    ['with a small object', 'Done.\n\n{"confidence": 0.8}', { answer: 'Done.', confidence: 0.8 }],
    ['with a small object in a fence', 'Done.\n\n```json\n{"confidence": 0.8}\n```', { answer: 'Done.', confidence: 0.8 }],
    ['that ends with a sentence', 'Done.\nConfidence is a virtue.', { answer: 'Done.\nConfidence is a virtue.' }],
    [
      'with code',
      'Use `\\d` and\n```json\n{"answer": 42}\n```\nin the body.',
      { answer: 'Use `\\d` and\n```json\n{"answer": 42}\n```\nin the body.' },
    ],
    ['all in a fence', '```markdown\n# A\n```\nConfidence: 0.8', { answer: '# A', confidence: 0.8 }],
    ['that is data', '{"choice": "A"}\nConfidence: 0.8', { answer: '{"choice": "A"}', confidence: 0.8 }],
    ['that is data with a confidence in it', '{"bid": 3, "confidence": 0.7}', { answer: '{"bid": 3, "confidence": 0.7}' }],
    ['that is the object all the same', '{"answer":"A","confidence":0.8}', sure],
    ['that is the object without a confidence', '```json\n{"answer":"A"}\n```', { answer: 'A' }],
  ])('%s', (_, text, reply) => {
    expect(read(text, 'markdown')).toEqual(reply);
  });

  test.each(['', ' \n', '{}', '[]', '{"answer":"","confidence":1}', 'Confidence: 0.8', '```json\n{"answer": "lo'])(
    '%j is no answer',
    (text) => expect(typeof read(text, 'markdown')).toBe('string'),
  );

  test('of who was asked for an object in vain it is the answer, with a mark', () => {
    expect(read('It is 5.\nConfidence: 0.9', 'any')).toEqual({ answer: 'It is 5.', confidence: 0.9, mark: 'unstructured' });
    expect(read('{"choice":"A"}', 'any')).toEqual({ answer: '{"choice":"A"}', mark: 'unstructured' });
  });
});

test('a plan is read as generously, and checked as strictly', () => {
  const tasks = `[{'id': 'a', 'title': 'A', 'instructions': 'Do a.', 'agent': None,}]`;
  const reading = (text: string) => readFinal(text, { kind: 'plan', form: 'json' });
  expect(reading(`First {"plan": {"tasks": []}}, then\n{'plan': {'tasks': ${tasks}}}`)).toMatchObject({
    ok: true,
    reply: { confidence: 1 },
  });
  expect(reading(`{'tasks': ${tasks}, "note": "N"}`)).toMatchObject({ ok: true, reply: { answer: 'N' } });
  expect(reading(`{"plan": {"tasks": [{"id": 5}]}}`)).toMatchObject({ ok: false, fault: 'invalid-plan' });
  expect(reading(`{'tasks': ${tasks}}`)).toMatchObject({ ok: true });
  expect(reading('I cannot.')).toMatchObject({ ok: false, fault: 'malformed' });
});

test('any text is read in a moment, and never throws', () => {
  const part = fc.constantFrom('{', '}', '"', "'", '\\', '\n', '[', ']', ':', ',', 'answer', '"answer"', 'confidence', '```', 'x', '0.8');
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 60 }),
      fc.constantFrom<ReplyForm[]>('json', 'markdown', 'any'),
      fc.boolean(),
      (parts, form, cutOff) => {
        const reading = readFinal(parts.join(''), { kind: 'work', form, cutOff });
        if (reading.ok) expect(reading.reply.answer.trim()).not.toBe('');
      },
    ),
    { numRuns: 2000 },
  );
  for (const sign of ['{', '}', '{"', "{'", '{}']) readFinal(sign.repeat(100_000), { kind: 'work', form: 'any' });
});
