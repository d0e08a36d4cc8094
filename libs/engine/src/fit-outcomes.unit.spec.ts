import type { TaskOutcome } from '@cadre/contracts';
import { fitOutcomes } from './fit-outcomes.js';

const outcome = (n: number, text: string): TaskOutcome => ({
  taskId: `t${n}`,
  title: `Task ${n}`,
  status: 'completed',
  answer: { text },
  confidence: 1,
  artifacts: [],
});
const many = (count: number, text: string) => Array.from({ length: count }, (_, n) => outcome(n, text));
const bytes = (outcomes: TaskOutcome[]) => Buffer.byteLength(JSON.stringify(outcomes));

test('what fits is passed on as it is', () => {
  const few = many(20, 'é'.repeat(8000));
  expect(fitOutcomes(few)).toBe(few);
});

test('long answers are shortened alike, references stay', () => {
  const ref = { sha256: 'a'.repeat(64), size: 1_000_000, mediaType: 'text/plain' };
  const given = [...many(100, 'é'.repeat(8000)), { ...outcome(100, ''), answer: { ref, preview: 'It begins' } }, outcome(101, 'short')];
  const fitted = fitOutcomes(given);
  expect(fitted).toHaveLength(102);
  expect(bytes(fitted)).toBeLessThan(401 * 1024);
  expect(fitted[0]!.answer).toEqual({ text: expect.stringMatching(/^é{900,}\n\n… \(shortened/) });
  expect(fitted.slice(100)).toEqual(given.slice(100));
});

test('of thousands the first are kept', () => {
  const fitted = fitOutcomes(many(10_000, 'x'));
  expect(fitted.length).toBeGreaterThan(2000);
  expect(bytes(fitted)).toBeLessThan(401 * 1024);
});

test('a large input of the task leaves them less room', () => {
  const input = 'x'.repeat(600 * 1024);
  const fitted = fitOutcomes(many(50, 'y'.repeat(8000)), input);
  expect(fitted).toHaveLength(50);
  expect(bytes(fitted)).toBeLessThan(201 * 1024);
});
