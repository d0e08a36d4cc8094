import { NO_USAGE, RunOptions, type RunView, type TaskStatus, type TaskView } from '@cadre/contracts';
import { byteLength, fitRunView } from './fit-answer.js';

const task = (id: string, status: TaskStatus = 'completed', answer?: string): TaskView => ({
  ...{ taskId: id, title: `Task ${id}`, status, priority: 'medium', skills: [], dependsOn: [], require: 'all', attempt: 1 },
  ...{ artifacts: [], usage: NO_USAGE, ...(answer !== undefined && { answer: { text: answer } }) },
});

function view(tasks: TaskView[], artifacts = 0): RunView {
  return {
    ...{ runId: 'r00-00000000-0000-7000-8000-000000000001', tenant: 'default', goal: 'g', status: 'running', createdAt: 0 },
    ...{ tasksDone: 0, tasksTotal: tasks.length, usage: NO_USAGE, options: RunOptions.parse({}), inputs: [], deadlineAt: 1, seq: 1 },
    ...{ tasks, reservedMicros: 0, questions: [] },
    artifacts: Array.from({ length: artifacts }, (_, n) => ({
      name: `f${n}.md`,
      sha256: 'a'.repeat(64),
      size: 1,
      mediaType: 'text/markdown',
    })),
  };
}

test('what fits stays as it is', () => {
  const small = view([task('a', 'completed', 'short')], 3);
  expect(fitRunView(small, 100_000)).toEqual(small);
});

test('long answers go first, the longest before others', () => {
  const fitted = fitRunView(view([task('a', 'completed', 'x'.repeat(500)), task('b', 'completed', 'y'.repeat(5000)), task('c')]), 2500);
  expect(fitted?.tasks.map((each) => [each.taskId, each.answer !== undefined])).toEqual([
    ['a', true],
    ['b', false],
    ['c', false],
  ]);
  expect(fitted).not.toHaveProperty('leftOut');
});

test('of thousands of tasks those that ended well are left out, and counted', () => {
  const tasks = Array.from({ length: 5000 }, (_, n) =>
    task(`t${n}`, n === 4000 ? 'failed' : n === 4500 ? 'asking' : n === 4900 ? 'running' : 'completed'),
  );
  const fitted = fitRunView(view(tasks, 4000), 200_000)!;
  expect(byteLength(fitted)).toBeLessThanOrEqual(200_000);
  const ids = fitted.tasks.map(({ taskId }) => taskId);
  expect(ids).toEqual(expect.arrayContaining(['t4000', 't4500', 't4900', 't0', 't1']));
  expect(ids).toEqual([...ids].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))));
  expect(fitted.artifacts.length).toBeGreaterThan(100);
  expect(fitted.leftOut).toEqual({ tasks: 5000 - ids.length, artifacts: 4000 - fitted.artifacts.length });
});

test('what cannot be made to fit is not given', () => {
  expect(fitRunView({ ...view([]), goal: 'x'.repeat(5000) }, 2000)).toBeUndefined();
});
