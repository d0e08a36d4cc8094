import { CadreError } from '@cadre/contracts';
import { z } from 'zod';
import { inputProblem, problemOf } from './problem.js';

test('each fault of an input is named by its path, unknown fields too', () => {
  const schema = z.strictObject({ goal: z.string(), plan: z.strictObject({ tasks: z.array(z.strictObject({ id: z.string() })) }) });
  const parsed = schema.safeParse({ goal: 1, extra: true, plan: { tasks: [{ id: 'a' }, { id: 2, more: 1 }] } });
  const problem = problemOf(inputProblem(parsed.error?.issues ?? []));
  expect(problem).toMatchObject({ status: 400, code: 'invalid-request', type: 'urn:cadre:problem:invalid-request' });
  expect(problem.errors).toEqual([
    { path: 'goal', message: expect.stringContaining('expected string') },
    { path: 'plan.tasks[1].id', message: expect.stringContaining('expected string') },
    { path: 'plan.tasks[1].more', message: 'unknown field' },
    { path: 'extra', message: 'unknown field' },
  ]);
  expect(problem.detail).toContain('extra: unknown field');
});

test('a flood of faults is cut', () => {
  const issues = Array.from({ length: 500 }, (_, i) => ({ message: 'wrong', path: ['list', i] }));
  const problem = problemOf(inputProblem(issues));
  expect(problem.errors).toHaveLength(20);
  expect(problem.detail).toContain('and 480 more');
});

test.each([
  ['unknown-run', false, 404],
  ['run-conflict', false, 409],
  ['body-too-large', false, 413],
  ['never-heard-of', true, 503],
  ['never-heard-of', false, 500],
  ['commands-unanswered', true, 503],
])('%s (retriable: %p) is a %p', (code, retriable, status) => {
  expect(problemOf(new CadreError(code, 'what', { retriable, remedy: 'do' }))).toMatchObject({
    status,
    code,
    detail: 'what',
    remedy: 'do',
  });
});
