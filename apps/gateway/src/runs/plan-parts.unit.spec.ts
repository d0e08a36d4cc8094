import { TaskSpec } from '@cadre/contracts';
import { planParts } from './plan-parts.js';

const task = (id: string, letters: number): TaskSpec => TaskSpec.parse({ id, title: id, instructions: 'x'.repeat(letters) });

test('a small plan is one part; a large one keeps its order, and no part is too large', () => {
  const tasks = Array.from({ length: 50 }, (_, n) => task(`t${n}`, 100 + ((n * 37) % 900)));
  expect(planParts(tasks)).toEqual([tasks]);
  const parts = planParts(tasks, 5000);
  expect(parts.flat()).toEqual(tasks);
  expect(parts.length).toBeGreaterThan(5);
  for (const part of parts) expect(JSON.stringify(part).length).toBeLessThanOrEqual(5001);
  expect(planParts(tasks, 5000)).toEqual(parts);
});

test('a task larger than a part is a part by itself', () => {
  const [a, b, c] = [task('a', 10), task('b', 7000), task('c', 10)];
  expect(planParts([a, b, c], 1000)).toEqual([[a], [b], [c]]);
});
