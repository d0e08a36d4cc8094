/** Random plans and random, mostly wrong, commands for property tests. */
import { Plan } from '@cadre/contracts';
import type { TaskSpecInput } from '@cadre/contracts';
import fc from 'fast-check';
import { validatePlan } from '../plan/validate-plan.js';

const condition = (ids: string[]): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(
      'true',
      'goal == "a goal"',
      'goal == "another"',
      'results.exists(id, results[id].status == "failed")',
      'size(results) / 0 == 1',
    ),
    ids.length === 0 ? fc.constant('true') : fc.constantFrom(...ids).map((id) => `results.${id}.confidence > 0.5`),
  );

function taskAt(index: number): fc.Arbitrary<TaskSpecInput> {
  const earlier = Array.from({ length: index }, (_, i) => `t${i}`);
  return fc
    .record({
      dependsOn: fc.subarray(earlier),
      require: fc.constantFrom(...(['all', 'any', 'settled', 1, 2] as const)),
      alternativeTo: index === 0 ? fc.constant(undefined) : fc.option(fc.constantFrom(...earlier), { freq: 3, nil: undefined }),
      condition: fc.option(condition(earlier), { freq: 3, nil: undefined }),
      fallbackAgents: fc.subarray(['second', 'third']),
      minConfidence: fc.option(fc.constant(0.5), { nil: undefined }),
      maxAttempts: fc.integer({ min: 1, max: 3 }),
      backoffMs: fc.constantFrom(0, 100),
      timeoutMs: fc.constantFrom(500, 5000),
    })
    .map(({ maxAttempts, backoffMs, alternativeTo, condition: when, minConfidence, ...rest }) => ({
      id: `t${index}`,
      title: `Task ${index}`,
      instructions: 'do it',
      ...rest,
      ...(alternativeTo === undefined ? {} : { alternativeTo }),
      ...(when === undefined ? {} : { condition: when }),
      ...(minConfidence === undefined ? {} : { minConfidence }),
      retry: { maxAttempts, backoffMs },
    }));
}

/** Any plan, often a faulty one. */
export const anyPlan: fc.Arbitrary<Plan> = fc
  .integer({ min: 1, max: 8 })
  .chain((length) => fc.tuple(...Array.from({ length }, (_, index) => taskAt(index))))
  .map((tasks) => Plan.parse({ tasks }));

/** A plan that can run: what is wrong with a random one is left out. */
export const goodPlan: fc.Arbitrary<Plan> = anyPlan.map((plan) => {
  const tasks = plan.tasks.map((task) => {
    const { alternativeTo, ...rest } = task;
    return {
      ...rest,
      require: typeof task.require === 'number' ? Math.min(task.require, task.dependsOn.length) || ('all' as const) : task.require,
      ...(alternativeTo === undefined || task.dependsOn.includes(alternativeTo) ? {} : { alternativeTo }),
    };
  });
  for (let problems = validatePlan(tasks); problems.length > 0; problems = validatePlan(tasks)) {
    const index = tasks.findIndex((task) => task.id === problems[0]?.taskId);
    const { alternativeTo: _alternative, condition: _condition, ...rest } = tasks[index]!;
    if (_alternative === undefined && _condition === undefined) {
      for (const task of tasks) delete (task as { alternativeTo?: string }).alternativeTo;
    } else tasks[index] = rest;
  }
  return { tasks };
});

/** One step of a random story. What it means is up to the reader; most of the numbers pick something by remainder. */
export const step = fc.record({
  kind: fc.constantFrom(
    ...(['start', 'start', 'start', 'complete', 'complete', 'complete', 'fail', 'release', 'lose', 'expire', 'record'] as const),
    ...(['repeat', 'repeat', 'restart', 'expire-run', 'cancel', 'wait'] as const),
  ),
  task: fc.nat(9),
  attemptOff: fc.constantFrom(0, 0, 0, 0, -1, 1),
  worker: fc.constantFrom('w1', 'w1', 'w2'),
  waitMs: fc.constantFrom(0, 0, 1, 100, 600),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  confidence: fc.constantFrom(0, 0.4, 0.9, undefined),
  retriable: fc.boolean(),
  rare: fc.nat(30),
  plan: fc.option(anyPlan, { freq: 6, nil: undefined }),
});
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
