/** Results whose agents have not said how sure they are: neither sure nor unsure. */
import type { TaskSpecInput } from '@cadre/contracts';
import { result, task } from '../testing/engine-rig.js';
import { answerOf, scope, started, statuses, type ScopeInput } from '../testing/scope-steps.js';
import { standingConfidences, whyUnsure } from './sureness.js';

type Brought = [text: string, confidence?: number];

/** A scope whose branches bring that. */
function combined(results: Brought[], rest: Partial<ScopeInput>, more: TaskSpecInput[] = []) {
  const body = results.map((_, index) => task(`v${index}`));
  const join = { need: 0, until: 'ended' } as const;
  const rig = started([scope('s', { branches: true, body, join, ...rest }), ...more]);
  for (const [index, [text, confidence]] of results.entries()) {
    const { confidence: _, ...unknown } = result(text);
    rig.complete(`s~${index}~v${index}`, confidence === undefined ? unknown : { ...unknown, confidence });
  }
  expect(rig.violations()).toEqual([]);
  return rig;
}

test.each<[number[], number]>([
  [[], 1],
  [[0.3], 0.3],
  [[0.3, 0.9], 0.6],
  [[0.9, 0.1, 0.3], 0.3],
])('beside %j one that is not known stands as %d', (known, standing) => {
  expect(standingConfidences([...known.map((confidence) => ({ confidence })), {}]).at(-1)).toBeCloseTo(standing);
});

test('it reaches no threshold, unless that lets it pass; without a threshold it is well', () => {
  expect(whyUnsure(undefined, { minConfidence: 0.01 })).toBe('does not say how sure it is');
  expect(whyUnsure(undefined, { minConfidence: 1, unknownConfidence: 'pass' })).toBeUndefined();
  expect(whyUnsure(undefined, {})).toBeUndefined();
  expect(whyUnsure(0.4, { minConfidence: 0.5, unknownConfidence: 'pass' })).toBe('has a confidence of 0.4');
});

test('a weighted vote counts it as the median of the others', () => {
  const votes: Brought[] = [['yes', 0.9], ['no'], ['no', 0.1], ['yes', 0.1], ['maybe', 0.2]];
  const rig = combined(votes, { combine: { by: 'vote', weighted: true } });
  const decision = answerOf(rig, 's') as { choice: string; dissent: { choice: string; weight: number; voters: object[] }[] };
  expect(decision.choice).toBe('yes');
  expect(decision.dissent[0]?.weight).toBeCloseTo(0.25);
  expect(decision.dissent[0]).toMatchObject({ choice: 'no', voters: [{ confidence: null }, { confidence: 0.1 }] });
});

test('where no vote says how sure it is, each counts the same', () => {
  const rig = combined([['a'], ['b'], ['b']], { combine: { by: 'vote', weighted: true } });
  expect(answerOf(rig, 's')).toMatchObject({ choice: 'b', share: 2 / 3 });
});

test('the best of some is not the one that says nothing, nor is it the last', () => {
  const ranked = combined([['"a"'], ['"b"', 0.9], ['"c"', 0.1], ['"d"', 0.3]], { combine: { by: 'rank' } });
  expect((answerOf(ranked, 's') as { value: string; confidence: number | null }[]).map(({ value }) => value)).toEqual(['b', 'a', 'd', 'c']);
  const conflict = combined([['{"x":1}'], ['{"x":2}', 0.9], ['{"x":3}', 0.1]], { combine: { by: 'merge' } });
  expect(answerOf(conflict, 's')).toMatchObject({ result: { x: 2 } });
});

test('what is combined is as sure as what is known of it; of nothing known it is not known', () => {
  expect(combined([['1', 0.4], ['2']], {}).run().tasks['s']?.result?.confidence).toBe(0.4);
  expect(combined([['1'], ['2']], {}).run().tasks['s']?.result).not.toHaveProperty('confidence');
  expect(combined([['1']], { combine: { by: 'first' } }).run().tasks['s']?.result).not.toHaveProperty('confidence');
});

test.each([
  [{ minConfidence: 0.1 }, ['b']],
  [{ minConfidence: 0.1, unknownConfidence: 'pass' as const }, ['a', 'b']],
  [{ where: 'confidence >= 0.0' }, ['b']],
  [{ where: 'confidence == -1.0' }, ['a']],
])('a gate %j lets %j pass', (gate, passed) => {
  const rig = combined([['"a"'], ['"b"', 0.5]], { gate });
  expect(answerOf(rig, 's')).toEqual(passed);
});

test('an expression sees -1, and goes on', () => {
  const first = task('first');
  const low = task('low', { dependsOn: ['first'], condition: 'results.first.confidence < 0.5' });
  const high = task('high', { dependsOn: ['first'], condition: 'results.first.confidence >= 0.5' });
  const rig = started([first, low, high]);
  const { confidence: _, ...unknown } = result();
  rig.complete('first', unknown);
  expect(statuses(rig)).toMatchObject({ low: 'ready', high: 'skipped' });
  expect(rig.begin('low').results).toEqual([expect.not.objectContaining({ confidence: expect.anything() })]);
});

test('a given result may be of unknown confidence, and is sure where it says nothing', () => {
  const given = (confidence?: null) => ({ given: { answer: { text: 'x' }, ...(confidence === null && { confidence }) } });
  const rig = started([task('a', given(null)), task('b', given()), task('c')]);
  expect(rig.run().tasks['a']?.result).not.toHaveProperty('confidence');
  expect(rig.run().tasks['b']?.result?.confidence).toBe(1);
});
