import fc from 'fast-check';
import { partThoughts } from './thoughts-in-text.js';

const ANSWER = '{"answer": "There is one file.", "confidence": 0.9}';

test.each([
  ['none', ANSWER, ''],
  ['a block', `<think>hm {</think>\n${ANSWER}`, 'hm {'],
  ['an empty block', `<think>\n\n</think>\n\n${ANSWER}`, ''],
  ['thinking', `<thinking>hm</thinking>${ANSWER}`, 'hm'],
  ['thought', `<thought>hm</thought>${ANSWER}`, 'hm'],
  ['capitals', `<THINK>hm</Think>${ANSWER}`, 'hm'],
  ['Mistral', `[THINK]hm[/THINK]${ANSWER}`, 'hm'],
  ['Kimi', `◁think▷hm◁/think▷${ANSWER}`, 'hm'],
  ['Seed', `<seed:think>hm</seed:think>${ANSWER}`, 'hm'],
  ['Cohere', `<|START_THINKING|>hm<|END_THINKING|>${ANSWER}`, 'hm'],
  ['two blocks', `<think>a</think>\n<think>b</think>${ANSWER}`, 'a\n\nb'],
  ['a block behind the answer', `${ANSWER}\n<think>was that right?</think>`, 'was that right?'],
  ['only a closing tag', `I need {"answer": ...} with one file; maybe {x: 1}?\n</think>\n\n${ANSWER}`, /^I need .* 1}\?$/],
  ['an object in the thoughts, only a closing tag', `{"answer": "no"} is wrong.\n</think>${ANSWER}`, '{"answer": "no"} is wrong.'],
  ['closing tags twice', `a</think>b</think>${ANSWER}`, 'a\n\nb'],
  ['a block, then only a closing tag', `<think>a</think> b </think>${ANSWER}`, 'a\n\nb'],
  ['channels', `<|channel|>analysis<|message|>We look.<|end|><|start|>assistant<|channel|>final<|message|>${ANSWER}<|return|>`, 'We look.'],
  ['a channel with a constraint', `<|channel|>final <|constrain|>JSON<|message|>${ANSWER}`, ''],
  ['channels whose signs are lost', `analysisWe look.assistantfinal${ANSWER}`, 'We look.'],
])('%s', (_, content, thoughts) => {
  const parted = partThoughts(content);
  expect(parted.text).toBe(ANSWER);
  if (typeof thoughts === 'string') expect(parted.thoughts).toBe(thoughts);
  else expect(parted.thoughts).toMatch(thoughts);
});

test('what is never closed is all thought', () => {
  expect(partThoughts('<think>Let me see {"answer": 1}')).toEqual({ thoughts: 'Let me see {"answer": 1}', text: '' });
  expect(partThoughts('<|channel|>analysis<|message|>We look')).toEqual({ thoughts: 'We look', text: '' });
});

test.each([
  '{"answer": "Close it with </think> or open it with <think>.", "confidence": 1}',
  '```json\n{"answer": "a </think> b"}\n```',
  '{"answer": "[THINK] is Mistral\'s"}',
  'An analysis of the final table. It is the assistant final word.',
])('an answer that speaks of tags is left alone: %s', (content) => {
  expect(partThoughts(content).text).toBe(content);
});

test('a text without signs is the same text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      fc.pre(!/[<[◁]|^\s*analysis/.test(text));
      expect(partThoughts(text)).toEqual({ thoughts: '', text });
    }),
  );
});

test('no text costs more than a moment', () => {
  for (const piece of ['{"', '<think>', '</think>', '<|channel|>a<|message|>', '[', '{"a":"']) {
    expect(partThoughts(piece.repeat(20_000)).text.length).toBeLessThanOrEqual(piece.length * 20_000);
  }
});
